internal import Configuration
internal import MarketData
internal import TradingCalendar

/// What watches over a feed, made before its threads and shared by them.
struct FeedGuard {
  var schedule: any SessionSchedule
  var latch: HaltLatch
  var alerts: AlertHook
  var configuration: ReloadableConfiguration
  /// Up to where past candles were loaded before the start; nil when none were.
  var historyLoadedUntil: Timestamp?

  /// When the feed's markets trade: by the configured file, else by the shipped calendar; a simulated venue keeps hours
  /// of its own.
  ///
  /// - Throws: ``Fault`` when the file cannot be read.
  static func schedule(_ configuration: FeedConfiguration) throws(Fault) -> any SessionSchedule {
    if let file = configuration.calendarFile { return try TradingCalendar.load(path: file) }
    return configuration.source.clock == .simulator ? AlwaysOpen() : TradingCalendar.shipped
  }
}

extension RepairPlan {
  /// The plan that the configuration asks for.
  init(_ configuration: FeedConfiguration, schedule: any SessionSchedule, clock: FeedClock) {
    self.init(
      schedule: schedule,
      delayNanoseconds: Int64(configuration.repair.afterSeconds) * Timestamp.nanosecondsPerSecond,
      // The grace is what the venue may be late; a second of the machine, what a subscription may take.
      marginNanoseconds: Int64(configuration.candles.graceMilliseconds) * 1_000_000
        + Int64(1e9 * clock.speed),
      daysMax: configuration.repair.daysMax)
  }
}
