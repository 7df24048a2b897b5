internal import Configuration
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization

/// Holds the HALTs of a feed until they are resumed, and makes them visible: in shared memory, in the log, to the alert
/// command. Any thread may ask; threads latch and resume what is theirs.
final class HaltLatch: Sendable {
  private let feed: String
  private let segment: FeedSegment
  private let alerts: AlertHook
  private let logger: Logger
  private let halts = Mutex<[Halt]>([])

  init(feed: String, segment: FeedSegment, alerts: AlertHook, logger: Logger) {
    self.feed = feed
    self.segment = segment
    self.alerts = alerts
    self.logger = logger
  }

  /// All that is latched, oldest first.
  var all: [Halt] { halts.withLock { $0 } }

  /// The HALT that keeps ticks from coming; nil for none.
  var ofFeed: Halt? { all.first { $0.scope.stopsFeed } }

  func advice(for halt: Halt) -> String { halt.advice(feed: feed) }

  func latch(_ halt: Halt) {
    halts.withLock { halts in
      halts.removeAll { $0.scope == halt.scope && $0.subject == halt.subject }
      halts.append(halt)
      segment.set(.halts, UInt64(halts.count))
    }
    let reason = "\(halt.fault.message); \(halt.advice(feed: feed))"
    if halt.scope.stopsFeed { segment.halt(reason: reason) }
    logger.critical(
      "HALT (\(halt.scope.rawValue)\(halt.subject.isEmpty ? "" : " \(halt.subject)")): \(reason)")
    alerts.post(
      AlertEvent(
        .halt, reason: halt.fault.message,
        details: ["scope": halt.scope.rawValue, "subject": halt.subject, "resume": halt.advice(feed: feed)]))
  }

  /// Ends the HALTs of a scope, and returns them.
  @discardableResult
  func release(_ scope: Halt.Scope, as state: FeedState, because reason: String) -> [Halt] {
    let released = halts.withLock { halts in
      let released = halts.filter { $0.scope == scope }
      halts.removeAll { $0.scope == scope }
      segment.set(.halts, UInt64(halts.count))
      return released
    }
    guard !released.isEmpty else { return [] }
    if scope.stopsFeed { segment.resume(as: state) }
    logger.notice("resumed (\(scope.rawValue)): \(reason)")
    alerts.post(AlertEvent(.resumed, reason: reason, details: ["scope": scope.rawValue]))
    return released
  }
}
