public import MarketData

/// Turns binary messages of the Kite ticker into ticks. Pure: bytes, a table and a time go in, ticks come out.
public struct KiteDecoder: Sendable {
  /// The instruments whose packets become ticks; packets of others are counted and skipped.
  public var tokens = TokenTable()

  /// Makes a decoder that knows no instrument yet.
  public init() {}

  /// Appends the ticks of one binary message to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted. A message shorter than it declares counts as one bad frame and
  /// keeps the packets before the break; a packet of unknown length counts as one bad frame and is skipped; bytes
  /// behind the last packet are ignored. A message of at most one byte is a heartbeat.
  public func decode(
    _ message: RawSpan, receiveTime: Timestamp, into ticks: inout [Tick], statistics: inout SourceStatistics
  ) {
    guard message.byteCount > KiteLayout.heartbeatBytesMax else {
      statistics.heartbeats += 1
      return
    }
    let countBefore = ticks.count
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
    statistics.ticks += UInt64(ticks.count - countBefore)
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

  @inline(__always)
  private static func price(_ bits: UInt32, divisor: Int64) -> Price {
    Price(wire: Int32(bitPattern: bits), divisor: divisor)
  }

  /// Zero seconds stand for a time that the venue does not know, and become ``Timestamp/unknown``.
  @inline(__always)
  private static func time(_ seconds: UInt32) -> Timestamp { Timestamp(seconds: Int64(seconds)) }
}
