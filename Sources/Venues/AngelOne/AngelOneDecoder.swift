public import MarketData

/// Turns binary frames of Angel One's SmartStream into ticks. Pure: bytes, a table, the numbers seen before and a time
/// go in, ticks come out.
public struct AngelOneDecoder: Sendable {
  /// The instruments whose frames become ticks, by ``AngelOneToken``'s key; frames of others are counted and skipped.
  var tokens = TokenTable()
  /// Where each instrument's numbering stands.
  private var sequences = SequenceWatch()

  /// Makes a decoder that knows no instrument yet.
  public init() {}

  /// Makes an instrument known under its venue's token.
  public mutating func insert(_ token: AngelOneToken, _ instrument: InstrumentID) {
    tokens.insert(token.key, instrument)
  }

  /// Begins to count anew: what an outage lost is told otherwise.
  public mutating func forgetSequences() { sequences.reset() }

  /// Begins to count these instruments anew: they were not asked for all the time.
  mutating func forgetSequences(of instruments: [InstrumentID]) {
    for instrument in instruments { sequences.reset(instrument) }
  }

  /// Appends the tick of one frame to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted. A frame of an unknown mode, one shorter than its mode needs, and
  /// one whose price no ``Price`` can hold count as bad; depth frames have no price and give no tick. A tick before
  /// which the venue's numbering shows a hole carries ``TickFlags/missedBefore``.
  public mutating func decode(
    _ frame: RawSpan, receiveTime: Timestamp, into ticks: inout [Tick], statistics: inout SourceStatistics
  ) {
    guard let mode = AngelOneFrame.mode(of: frame), frame.byteCount >= mode.frameBytes else {
      return note(AngelOneFrame.flaw(of: frame) ?? "", in: &statistics)
    }
    guard mode != .depth else { return }
    guard let token = AngelOneToken(frame: frame), let instrument = tokens.instrument(ofToken: token.key)
    else {
      statistics.unknownInstruments += 1
      return
    }
    let wirePrice = frame.littleEndian(at: AngelOneLayout.lastPrice, as: Int64.self)
    let unitsPerWire = Price.unitsPerOne / AngelOneLayout.priceDivisor(ofExchange: token.exchange)
    let (units, isOutOfRange) = wirePrice.multipliedReportingOverflow(by: unitsPerWire)
    guard !isOutOfRange else {
      return note("its last price, \(wirePrice) on the wire, is beyond any price", in: &statistics)
    }
    var tick = Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime,
      exchangeTime: Self.time(frame.littleEndian(at: AngelOneLayout.exchangeTime, as: Int64.self)),
      lastPrice: Price(units: units), dayVolume: 0, lastTradeSeconds: 0, lastQuantity: 0, openInterest: 0)
    if mode == .lastPrice || AngelOneLayout.indexTokens.contains(token.number) {
      // A volume of zero that only stands for none must not look like a fallen one.
      tick.flags = .withoutVolume
    }
    if mode != .lastPrice {
      tick.lastQuantity = UInt32(
        clamping: frame.littleEndian(at: AngelOneLayout.Quote.lastQuantity, as: Int64.self))
      tick.dayVolume = frame.littleEndian(at: AngelOneLayout.Quote.dayVolume, as: Int64.self)
    }
    if mode == .snapQuote {
      tick.lastTradeSeconds =
        UInt32(exactly: frame.littleEndian(at: AngelOneLayout.SnapQuote.lastTradeTime, as: Int64.self)) ?? 0
      tick.openInterest = UInt32(
        clamping: frame.littleEndian(at: AngelOneLayout.SnapQuote.openInterest, as: Int64.self))
    }
    if !tick.exchangeTime.isKnown { tick.flags.insert(.noExchangeTime) }
    let missing = sequences.missing(
      before: frame.littleEndian(at: AngelOneLayout.sequence, as: Int64.self), of: instrument)
    if missing > 0 {
      tick.flags.insert(.missedBefore)
      statistics.sequenceHoles += 1
      statistics.missedMessages &+= missing
    }
    ticks.append(tick)
    statistics.ticks += 1
  }

  private func note(_ flaw: String, in statistics: inout SourceStatistics) {
    statistics.badFrames += 1
    statistics.lastBadFrame = flaw
  }

  /// Zero and what no ``Timestamp`` can hold stand for a time that the venue does not know.
  @inline(__always)
  private static func time(_ milliseconds: Int64) -> Timestamp {
    let (nanoseconds, isOutOfRange) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return isOutOfRange ? .unknown : Timestamp(nanoseconds: nanoseconds)
  }
}
