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
  private static let wayNanoseconds = 5e7

  /// The plan that the configuration asks for.
  init(_ configuration: FeedConfiguration, schedule: any SessionSchedule, clock: FeedClock) {
    self.init(
      schedule: schedule,
      delayNanoseconds: Int64(configuration.repair.afterSeconds) * Timestamp.nanosecondsPerSecond,
      // The grace is what the venue may be late; the rest is what a subscription takes on its way, by a venue's clock
      // that may run faster than the machine's.
      marginNanoseconds: Int64(configuration.candles.graceMilliseconds) * 1_000_000
        + Timestamp.nanosecondsPerSecond + Int64(Self.wayNanoseconds * clock.speed),
      daysMax: configuration.repair.daysMax)
  }
}
