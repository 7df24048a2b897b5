internal import CandleStore
public import Configuration
public import MarketData
internal import TradingCalendar

/// Where a ``DataHandler`` learns what to open.
public enum ConfigurationSource: Sendable {
  /// A configuration file.
  case file(String)
  /// Values made by the program.
  case values(FeedConfiguration)

  /// - Throws: ``Fault`` of kind `configuration` or `missingInput`; of several faults of a file the first is told.
  func values() throws(Fault) -> FeedConfiguration {
    switch self {
    case .values(let values): return values
    case .file(let path):
      do throws(ConfigurationFaults) {
        return try FeedConfiguration.load(path: path)
      } catch {
        throw error.fault
      }
    }
  }
}

extension DataPoller {
  /// Opens what a configuration names, and observes nothing yet.
  ///
  /// - Throws: as ``DataHandler/init(configuration:)``.
  public convenience init(configuration source: ConfigurationSource) throws(Fault) {
    try self.init(configuration: source.values())
  }

  convenience init(configuration: FeedConfiguration) throws(Fault) {
    let schedule =
      try configuration.calendarFile.map { path throws(Fault) in try TradingCalendar.load(path: path) }
      ?? .shipped
    let grace = Int64(configuration.candles.graceMilliseconds) * 1_000_000
    switch configuration.mode {
    case .live, .paper:
      let feed = try LiveFeed(
        feed: configuration.feed, lane: configuration.strategy.lane, observing: [], fromLatest: true,
        returnSecondsMax: Self.returnSecondsMaxDefault, mode: configuration.mode == .paper ? .paper : .live)
      self.init(on: feed, graceNanoseconds: grace, schedule: schedule)
    case .backtest:
      self.init(on: try BacktestFeed(configuration), graceNanoseconds: grace, schedule: schedule)
    }
  }
}

extension FeedConfiguration.Strategy {
  /// What happens when a subscriber's buffer is full.
  var policy: FullBufferPolicy { FullBufferPolicy(rawValue: whenFull.rawValue) ?? .dropOldest }

  /// Whether events of a kind are on.
  func allows(_ kind: EventKind) -> Bool {
    switch kind {
    case .ticks: events.contains(.ticks)
    case .candles: events.contains(.candles)
    case .gaps: events.contains(.gaps)
    case .halts: events.contains(.halts)
    }
  }
}
