public import MarketData

/// Turns binary messages of the Kite ticker into ticks. Pure: bytes, a table and a time go in, ticks come out; what it
/// remembers is each instrument's day summary, to tell it when it changed.
public struct KiteDecoder: Sendable {
  /// The instruments whose packets become ticks; packets of others are counted and skipped.
  public var tokens = TokenTable()

  /// Whether the day's open, high, low and previous close become a record of kind ``TickKind/daySummary`` before the
  /// tick with which they changed.
  public var tellsDaySummaries: Bool
  /// By instrument, as on the wire.
  private var summaries: [WireSummary] = []

  /// Makes a decoder that knows no instrument yet.
  public init(tellsDaySummaries: Bool = false) {
    self.tellsDaySummaries = tellsDaySummaries
  }

  /// Appends the ticks of one binary message to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted. A message shorter than it declares counts as one bad frame and
  /// keeps the packets before the break; a packet of unknown length counts as one bad frame and is skipped; bytes
  /// behind the last packet are ignored. A message of at most one byte is a heartbeat.
  public mutating func decode(
    _ message: RawSpan, receiveTime: Timestamp, into ticks: inout [Tick], statistics: inout SourceStatistics
  ) {
    guard message.byteCount > KiteLayout.heartbeatBytesMax else {
      statistics.heartbeats += 1
      return
    }
    var decoded: UInt64 = 0
    var cursor = KitePacketCursor(message)
    packets: while true {
      switch cursor.next(in: message) {
      case .packet(let offset, let length):
        guard Self.isKnown(packetLength: length) else {
          statistics.badFrames += 1
          statistics.lastBadFrame = cursor.unknownLengthDescription(length: length)
          continue
        }
        let token = message.bigEndian32(at: offset + KiteLayout.token)
        guard let instrument = tokens.instrument(ofToken: token) else {
          statistics.unknownInstruments += 1
          continue
        }
        if tellsDaySummaries {
          tellSummary(
            of: instrument, token: token, message: message, offset: offset, length: length,
            receiveTime: receiveTime, into: &ticks)
        }
        decoded &+= 1
        ticks.append(
          Self.tick(
            of: instrument, token: token, message: message, offset: offset, length: length,
            receiveTime: receiveTime))
      case .end:
        break packets
      case .broken:
        statistics.badFrames += 1
        statistics.lastBadFrame = cursor.breakDescription(in: message)
        break packets
      }
    }
    statistics.ticks += decoded
  }

  @inline(__always)
  private static func isKnown(packetLength: Int) -> Bool {
    switch packetLength {
    case KiteLayout.fullBytes, KiteLayout.quoteBytes, KiteLayout.indexFullBytes, KiteLayout.indexQuoteBytes,
      KiteLayout.ltpBytes:
      true
    default: false
    }
  }

  /// Reads the packet of `length` bytes at `offset`, which lies inside the message and has a known layout.
  @inline(__always)
  private static func tick(
    of instrument: InstrumentID, token: UInt32, message: RawSpan, offset: Int, length: Int,
    receiveTime: Timestamp
  ) -> Tick {
    var tick = Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime, exchangeTime: .unknown,
      lastPrice: price(
        message.bigEndian32(at: offset + KiteLayout.lastPrice),
        divisor: KiteLayout.priceDivisor(ofToken: token)),
      dayVolume: 0, lastTradeSeconds: 0, lastQuantity: 0, openInterest: 0)
    if length >= KiteLayout.quoteBytes {
      tick.lastQuantity = message.bigEndian32(at: offset + KiteLayout.Quote.lastQuantity)
      tick.dayVolume = Int64(message.bigEndian32(at: offset + KiteLayout.Quote.dayVolume))
      if KiteLayout.segment(ofToken: token) == KiteLayout.Segment.indices { tick.flags = .withoutVolume }
    } else {
      // Neither index packets nor last-price packets carry a volume; zero must not look like a fallen one.
      tick.flags = .withoutVolume
    }
    if length == KiteLayout.fullBytes {
      tick.lastTradeSeconds = message.bigEndian32(at: offset + KiteLayout.Full.lastTradeTime)
      tick.openInterest = message.bigEndian32(at: offset + KiteLayout.Full.openInterest)
      tick.exchangeTime = time(message.bigEndian32(at: offset + KiteLayout.Full.exchangeTime))
    } else if length == KiteLayout.indexFullBytes {
      tick.exchangeTime = time(message.bigEndian32(at: offset + KiteLayout.Index.exchangeTime))
    }
    if !tick.exchangeTime.isKnown { tick.flags.insert(.noExchangeTime) }
    return tick
  }

  /// Appends the day summary of the packet at `offset` when it has one that differs from the instrument's last.
  @inline(__always)
  private mutating func tellSummary(
    of instrument: InstrumentID, token: UInt32, message: RawSpan, offset: Int, length: Int,
    receiveTime: Timestamp, into ticks: inout [Tick]
  ) {
    guard length != KiteLayout.ltpBytes else { return }
    let isIndex = length == KiteLayout.indexFullBytes || length == KiteLayout.indexQuoteBytes
    let summary =
      isIndex
      ? WireSummary(
        open: message.bigEndian32(at: offset + KiteLayout.Index.open),
        high: message.bigEndian32(at: offset + KiteLayout.Index.high),
        low: message.bigEndian32(at: offset + KiteLayout.Index.low),
        close: message.bigEndian32(at: offset + KiteLayout.Index.close))
      : WireSummary(
        open: message.bigEndian32(at: offset + KiteLayout.Quote.open),
        high: message.bigEndian32(at: offset + KiteLayout.Quote.high),
        low: message.bigEndian32(at: offset + KiteLayout.Quote.low),
        close: message.bigEndian32(at: offset + KiteLayout.Quote.close))
    let index = instrument.index
    if index >= summaries.count {
      summaries.append(contentsOf: repeatElement(WireSummary(), count: index + 1 - summaries.count))
    }
    guard summary != summaries[index] else { return }
    summaries[index] = summary
    let divisor = KiteLayout.priceDivisor(ofToken: token)
    ticks.append(
      DaySummary(
        open: Self.price(summary.open, divisor: divisor), high: Self.price(summary.high, divisor: divisor),
        low: Self.price(summary.low, divisor: divisor),
        previousClose: Self.price(summary.close, divisor: divisor)
      ).record(of: instrument, receiveTime: receiveTime))
  }

  private struct WireSummary: Equatable, BitwiseCopyable {
    var open: UInt32 = 0
    var high: UInt32 = 0
    var low: UInt32 = 0
    var close: UInt32 = 0
  }

  @inline(__always)
  private static func price(_ bits: UInt32, divisor: Int64) -> Price {
    Price(wire: Int32(bitPattern: bits), divisor: divisor)
  }

  /// Zero seconds stand for a time that the venue does not know, and become ``Timestamp/unknown``.
  @inline(__always)
  private static func time(_ seconds: UInt32) -> Timestamp { Timestamp(seconds: Int64(seconds)) }
}
