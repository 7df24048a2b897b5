internal import CandleStore
internal import Glibc
internal import Logging
internal import MarketData

/// Loads past 1-minute candles into the store before the feed starts.
struct Prepopulation {
  let source: any CandleSource
  let store: CandleStore
  let logger: Logger
  let shouldStop: @Sendable () -> Bool

  /// Instruments between two lines of progress.
  private static let progressEvery = 100
  private static let sessionStart = (hour: 9, minute: 15)

  /// How often one instrument is asked for before its history is left incomplete.
  private static let attemptsMax = 3
  private static let pauseMicroseconds: UInt32 = 1_000_000

  /// Loads the last `sessions` trading days (Monday to Friday) before `now`, and the running one up to `now`, for
  /// each instrument; loading again what is there changes nothing.
  ///
  /// A venue that does not answer for an instrument is asked again, then passed over and logged: a hole in the past
  /// must not keep the feed from starting.
  /// - Returns: Up to where the candles are loaded; nil when none were wanted.
  /// - Throws: ``Fault`` of kind `refused` from the venue, and what the store throws.
  @discardableResult
  func run(_ instruments: [Instrument], sessions: Int, now: Timestamp) throws(Fault) -> Timestamp? {
    guard sessions > 0, !instruments.isEmpty else { return nil }
    let from = Self.start(of: sessions, before: now)
    let to = Timestamp(seconds: now.seconds - now.seconds % 60)
    var total = 0
    for (index, instrument) in instruments.enumerated() {
      if shouldStop() { return nil }
      let candles = try fetch(instrument, from: from, to: to)
      try store.upsert(candles)
      total += candles.count
      if (index + 1) % Self.progressEvery == 0 || index + 1 == instruments.count {
        logger.info("history: \(index + 1) of \(instruments.count) instruments, \(total) candles")
      }
    }
    return to
  }

  private func fetch(_ instrument: Instrument, from: Timestamp, to: Timestamp) throws(Fault) -> [Candle] {
    for attempt in 1...Self.attemptsMax {
      do {
        return try source.candles(of: instrument, interval: .minute, from: from, to: to)
      } catch {
        guard error.kind == .unavailable || error.kind == .protocolViolation else { throw error }
        logger.warning("history of \(instrument.symbol), attempt \(attempt): \(error.message)")
        if attempt < Self.attemptsMax, !shouldStop() { usleep(Self.pauseMicroseconds) }
      }
    }
    logger.error("the history of \(instrument.symbol) is incomplete; the next start asks for it again")
    return []
  }

  /// Beginning of the `sessions`-th trading day before the day of `now`.
  static func start(of sessions: Int, before now: Timestamp) -> Timestamp {
    var day = CivilTime(now).dayNumber
    var left = sessions
    while left > 0 {
      day -= 1
      if CivilTime(dayNumber: day).isoWeekday <= 5 { left -= 1 }
    }
    var start = CivilTime(dayNumber: day)
    (start.hour, start.minute) = sessionStart
    return start.timestamp()
  }
}
