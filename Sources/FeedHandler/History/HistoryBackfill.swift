internal import CandleStore
public import Configuration
internal import Foundation
public import Logging
public import MarketData

/// Loads a range of a venue's history into a feed's store, whether the feed runs or not.
public struct HistoryBackfill: Sendable {
  private let configuration: FeedConfiguration
  private let environment: [String: String]
  private let logger: Logger

  /// What is to be loaded.
  public struct Order: Sendable {
    /// Whose candles; nil for the instruments that are configured.
    public var symbols: [Symbol]?
    /// Their length.
    public var interval = Interval.minute
    /// From the first that starts here or later,
    public var from: Timestamp
    /// to the last that starts before.
    public var to: Timestamp
    /// Asks for what is known, too.
    public var isForced = false

    /// Makes an order for 1-minute candles of the configured instruments.
    public init(from: Timestamp, to: Timestamp) {
      self.from = from
      self.to = to
    }
  }

  /// What came of it.
  public struct Report: Sendable {
    /// Instruments of the order.
    public var instruments: Int
    /// How far it came.
    public var progress: HistoryProgress
    /// What failed, each naming its instrument.
    public var failures: [Fault]
    /// True when it was told to stop before the end.
    public var isStopped: Bool
  }

  /// Makes a backfill of the feed that `configuration` describes.
  public init(configuration: FeedConfiguration, environment: [String: String], logger: Logger) {
    self.configuration = configuration
    self.environment = environment
    self.logger = logger
  }

  /// Loads what of the order is missing.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an unknown symbol or interval, `refused` for dead credentials, `unavailable`
  ///   when the venue is out of order, and what the store throws. What came before is stored.
  public func run(
    _ order: Order, until shouldStop: @Sendable () -> Bool, progress: (HistoryProgress) -> Void
  ) throws(Fault) -> Report {
    let venue = try Venue(configuration, environment: environment)
    if configuration.history.source == .venue { try venue.checkCredentials() }
    let store = try VenueInstruments.openStore(configuration)
    let master = InstrumentMaster(venue, configuration, store: store, logger: logger)
    let directory = InstrumentDirectory(try master.snapshot(now: .wallClock()).listings, venue: venue.name)
    let symbols: [Symbol]
    switch (order.symbols, configuration.instruments) {
    case (let named?, _): symbols = named
    case (nil, .all): symbols = directory.allSymbols
    case (nil, .symbols(let configured)): symbols = configured
    }
    let instruments = try directory.instruments(for: symbols, in: store)
    var requests: [CandleRequest] = []
    for instrument in instruments { requests += try self.requests(order, instrument, store) }
    let outcome = try HistoryLoader(source: venue.history, store: store).load(
      requests, urgency: .routine, until: shouldStop, progress: progress)
    try store.close()
    return Report(
      instruments: instruments.count, progress: outcome.progress,
      failures: outcome.failures.map {
        Fault($0.fault.kind, "\($0.request.instrument.symbol): \($0.fault.message)")
      },
      isStopped: outcome.isStopped)
  }

  private func requests(
    _ order: Order, _ instrument: Instrument, _ store: CandleStore
  ) throws(Fault) -> [CandleRequest] {
    let end = Self.end(of: order.interval, at: .wallClock())
    guard order.from < min(order.to, end) else { return [] }
    let range = order.from..<min(order.to, end)
    // Candles of a day and longer are labelled with its midnight, when nothing is traded.
    let wanted =
      order.interval < .day
      ? HistoryPlan(schedule: try HistorySchedule.of(configuration)).sessions(
        in: range, of: instrument.symbol.exchange) : [range]
    if order.isForced {
      return HistoryPlan.missing(wanted, known: []).map {
        CandleRequest(instrument, interval: order.interval, from: $0.lowerBound, to: $0.upperBound)
      }
    }
    return try Prepopulation.missing(wanted, of: instrument, interval: order.interval, in: store)
  }

  /// The instant before which every candle that starts has ended.
  private static func end(of interval: Interval, at now: Timestamp) -> Timestamp {
    let end = HistoryPlan.end(at: now)
    guard interval < .day else {
      let days = interval.seconds / Interval.day.seconds - 1
      return CivilTime(dayNumber: CivilTime(end).dayNumber - days).timestamp()
    }
    return end + (Interval.minute.nanoseconds - interval.nanoseconds)
  }
}
