internal import CandleBuilding
internal import MarketData

/// Ticks from a file in front of an aggregator: gives symbols their numbers and tags what was not traded
/// continuously.
struct CandleFileBuild {
  /// Symbols by instrument number, in the order in which the file first names them.
  private(set) var symbols: [String] = []

  private var aggregator: CandleAggregator
  private let schedule: any SessionSchedule
  private let hasClosingAuction: (String) -> Bool
  private var instruments: [Substring: InstrumentID] = [:]
  /// Whose hours each instrument keeps; nil for an exchange that no calendar covers.
  private var groups: [MarketGroup?] = []
  private var lastReceived: [Timestamp] = []
  private var day: [MarketGroup: TradingDay] = [:]
  private var sequence: UInt64 = 0
  private var latest = Timestamp.unknown
  /// Ticks that no candle can take because their price is zero or below, and the place of the first.
  private var withoutPrice: (count: Int, first: String) = (0, "")

  init(
    interval: Interval, graceNanoseconds: Int64, schedule: any SessionSchedule,
    hasClosingAuction: @escaping (String) -> Bool
  ) {
    self.schedule = schedule
    self.hasClosingAuction = hasClosingAuction
    aggregator = CandleAggregator(
      rolledUp: interval == .minute ? [] : [interval], schedule: schedule, graceNanoseconds: graceNanoseconds,
      announcing: .everyState)
  }

  /// Takes in one row and appends every candle state that it, or the time that it shows to have passed, publishes.
  ///
  /// - Throws: ``Fault`` of kind `badData` for a receive time that goes back, and what the calendar throws for a
  ///   date that it does not know.
  mutating func apply(_ row: TickCSV.Row, place: String, into closed: inout [Candle]) throws(Fault) {
    guard row.receiveTime >= latest else {
      throw Fault(
        .badData,
        "\(place) was received at \(row.receiveTime.rfc3339), before the line above it "
          + "(\(latest.rfc3339)); lines must ascend in receive time")
    }
    latest = row.receiveTime
    let instrument = try instrument(of: row.symbol, place: place)
    sequence += 1
    var tick = Tick(
      instrument: instrument, sequence: sequence, receiveTime: row.receiveTime,
      exchangeTime: row.exchangeTime, lastPrice: row.price, dayVolume: row.volume ?? 0,
      lastTradeSeconds: 0, lastQuantity: row.lastQuantity, openInterest: row.openInterest, flags: row.flags)
    if row.lastTradeTime.isKnown {
      guard let seconds = UInt32(exactly: row.lastTradeTime.seconds) else {
        throw Fault(.badData, "\(place) has a last trade after the year 2105")
      }
      tick.lastTradeSeconds = seconds
    }
    if row.volume == nil { tick.flags.insert(.withoutVolume) }
    if row.price.units <= 0 {
      tick.flags.insert(.notPositive)
      if withoutPrice.count == 0 { withoutPrice.first = place }
      withoutPrice.count += 1
    }
    if !row.exchangeTime.isKnown { tick.flags.insert(.noExchangeTime) }
    try tagSession(&tick)
    if tick.flags.contains(.gapBefore) {
      applyGap(before: tick, into: &closed)
    }
    lastReceived[instrument.index] = tick.receiveTime
    // A tick's own field holds whole seconds.
    aggregator.apply(tick, lastTradeTime: row.lastTradeTime, into: &closed)
  }

  /// Lets the clock run on until every candle is sealed.
  mutating func finish(into closed: inout [Candle]) { aggregator.runOut(into: &closed) }

  /// What a reader of the output should know besides.
  func notes(interval: Interval) -> [String] { leftOut + shortSessions(interval) }

  /// Ticks that are in no candle.
  private var leftOut: [String] {
    var notes: [String] = []
    if withoutPrice.count > 0 {
      notes.append(
        "note: \(Format.count(withoutPrice.count)) of the ticks have no positive price and are in no candle, the first in "
          + withoutPrice.first)
    }
    if aggregator.droppedLateTicks > 0 {
      notes.append(
        "note: \(Format.count(aggregator.droppedLateTicks)) of the ticks came too late for every candle that could still "
          + "change and are in none")
    }
    return notes
  }

  private func shortSessions(_ interval: Interval) -> [String] {
    guard interval.seconds < Interval.day.seconds else { return [] }
    var notes: [String] = []
    for (group, day) in day.sorted(by: { $0.key.segment.rawValue < $1.key.segment.rawValue }) {
      guard let session = day.sessions.first, (session.end - session.start) % interval.nanoseconds != 0
      else { continue }
      notes.append(
        "note: \(interval) does not divide the session \(CivilTime(session.start).timeText.prefix(5))-"
          + "\(CivilTime(session.end).timeText.prefix(5)) of \(group.segment.rawValue), so that its last candle is "
          + "short")
    }
    return notes
  }

  private mutating func instrument(of symbol: Substring, place: String) throws(Fault) -> InstrumentID {
    if let known = instruments[symbol] { return known }
    guard symbols.count < CandleAggregator.instrumentsMax else {
      throw Fault(
        .badData, "\(place) names symbol number \(symbols.count + 1); at most that many less one fit")
    }
    let instrument = InstrumentID(rawValue: UInt32(symbols.count))
    let name = String(symbol)
    let segment = MarketSegment(exchange: name.prefix(while: { $0 != ":" }))
    let group = segment.map { MarketGroup($0, hasClosingAuction: hasClosingAuction(name)) }
    instruments[Substring(name)] = instrument
    symbols.append(name)
    groups.append(group)
    lastReceived.append(.unknown)
    if let group { aggregator.define(instrument, group: group) }
    return instrument
  }

  /// Auction prints count for the day only (rule 16); a trade while the market is closed is flagged.
  private mutating func tagSession(_ tick: inout Tick) throws(Fault) {
    guard let group = groups[tick.instrument.index] else { return }
    let number = CivilTime(tick.eventTime).dayNumber
    if day[group]?.dayNumber != number { day[group] = try schedule.tradingDay(number, of: group) }
    switch day[group]?.phase(at: tick.eventTime) {
    case .continuous: break
    case nil: tick.flags.insert(.outsideSession)
    default: tick.flags.insert(.auction)
    }
  }

  /// A tick that says a gap came before it: the instrument's feed was down since its previous tick.
  private mutating func applyGap(before tick: Tick, into closed: inout [Candle]) {
    aggregator.apply(
      Tick(
        instrument: tick.instrument, sequence: sequence, receiveTime: tick.receiveTime,
        exchangeTime: lastReceived[tick.instrument.index], lastPrice: .zero, dayVolume: 0,
        lastTradeSeconds: 0,
        lastQuantity: GapCause.disconnected.rawValue, openInterest: 0, kind: .gap), into: &closed)
  }
}
