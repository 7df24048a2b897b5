/// How much is logged, from everything to failures only; the names are those of swift-log.
public enum LogLevel: String, Sendable, Hashable, CaseIterable {
  /// Everything, each message of the venue included.
  case trace
  /// What helps to find a defect.
  case debug
  /// Starts, stops and what an operator may want to read next day.
  case info
  /// Unusual but in order.
  case notice
  /// Something is wrong; the feed goes on.
  case warning
  /// Something failed.
  case error
  /// The feed stopped.
  case critical
}
