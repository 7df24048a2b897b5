internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import MarketData
internal import TimeSeries
internal import TradingCalendar

/// Stored candles, as they are or rolled up.
struct QueryCandlesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "candles", abstract: "Stored candles of an instrument, oldest first.",
    discussion: """
      Candles longer than a minute are rolled up from minutes, anchored to the session's start; those of a day or a week \
      are the venue's own where the store has them.
      """)

  @OptionGroup var data: DataOptions
  @OptionGroup var range: RangeOptions
  @OptionGroup var calendar: CalendarOptions
  @Option(help: "Their length, such as 1m, 5m, 1h or 1d.") var interval = "1m"
  @Option(help: "The last so many candles, instead of a range.") var last: Int?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Argument(help: "Symbol, as in NSE:RELIANCE.") var symbol: String

  /// The most candles that `--last` gives.
  private static let lastMax = 1_000_000

  func validate() throws {
    guard (1...Self.lastMax).contains(last ?? 1) else {
      throw ValidationError("--last must be between 1 and \(Self.lastMax)")
    }
    guard last == nil || (range.from == nil && range.to == nil) else {
      throw ValidationError("give either --last or a range with --from and --to")
    }
  }

  func run() throws {
    let (from, to) = try range.parse()
    let interval = try Interval(named: interval)
    let store = try CandleStore(path: data.candlesFile(), mode: .readOnly)
    let wanted = try Symbol(symbol)
    guard let instrument = try store.instrument(for: wanted) else {
      let known = try store.instruments().map(\.symbol.text)
      throw Fault(
        .usage, "the candle store knows no symbol '\(wanted)'\(nearestHint(to: wanted.text, among: known))")
    }
    let candles =
      if let last {
        try latest(last, interval, of: instrument, in: store)
      } else {
        try candles(
          interval, of: instrument, from: from ?? Timestamp(nanoseconds: .min),
          to: to ?? Timestamp(nanoseconds: .max), in: store)
      }
    if candles.isEmpty { try refuseRangeOutsideData(from, to, of: instrument, in: store) }
    for candle in candles {
      if Console.isClosed { return }
      if json {
        try Console.json(CandleLine(candle, symbol: wanted.text))
      } else {
        Console.line(Format.candle(candle))
      }
    }
  }

  private func candles(
    _ interval: Interval, of instrument: Instrument, from: Timestamp, to: Timestamp, in store: CandleStore
  ) throws -> [Candle] {
    let own = try store.candles(of: instrument.id, interval: interval, from: from, to: to)
    if interval == .minute || (interval >= .day && !own.isEmpty) { return own }
    // A longer candle that starts in the range may end behind it.
    let reach = to.nanoseconds > .max - interval.nanoseconds ? to : to + interval.nanoseconds
    let minutes = try store.candles(of: instrument.id, interval: .minute, from: from, to: reach)
    return try rolledUp(minutes, interval, instrument).filter { $0.start >= from && $0.start < to }
  }

  private func latest(
    _ count: Int, _ interval: Interval, of instrument: Instrument, in store: CandleStore
  ) throws -> [Candle] {
    let own = try store.latestCandles(of: instrument.id, interval: interval, count: count)
    if interval == .minute || (interval >= .day && !own.isEmpty) { return own }
    // One candle more than asked for, since the oldest may be cut.
    let minutes = try store.latestCandles(
      of: instrument.id, interval: .minute, count: (count + 1) * (interval.seconds / Interval.minute.seconds))
    return try rolledUp(minutes, interval, instrument).suffix(count)
  }

  private func rolledUp(_ minutes: [Candle], _ interval: Interval, _ instrument: Instrument) throws
    -> [Candle]
  {
    let anchor =
      if let segment = MarketSegment(exchange: instrument.symbol.exchange) {
        SessionAnchor(try schedule(), of: MarketGroup(segment))
      } else {
        SessionAnchor.equity
      }
    return try CandleSeries(minutes).resample(to: interval, anchor: anchor, until: .wallClock()).candles
  }

  private func schedule() throws(Fault) -> TradingCalendar {
    let configured = try data.config.map { path throws(Fault) in try loadConfiguration(path).calendarFile }
    guard calendar.calendar == nil, let file = configured ?? nil else { return try calendar.load() }
    return try TradingCalendar.load(path: file)
  }

  /// A day without a candle is an answer; a range before or behind all that is stored is a mistake.
  private func refuseRangeOutsideData(
    _ from: Timestamp?, _ to: Timestamp?, of instrument: Instrument, in store: CandleStore
  ) throws {
    guard let bounds = try store.bounds(of: instrument.id, interval: .minute) else {
      throw Fault(.missingInput, "the candle store has no candle of \(instrument.symbol) yet")
    }
    guard (to ?? bounds.upperBound) <= bounds.lowerBound || (from ?? bounds.lowerBound) > bounds.upperBound
    else { return }
    throw Fault(
      .missingInput,
      "no candle of \(instrument.symbol) lies in that range; the store has them from \(bounds.lowerBound.rfc3339) to "
        + bounds.upperBound.rfc3339)
  }
}
