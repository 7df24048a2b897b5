public import MarketData

/// Turns the frames of any venue into ticks, as its source does, for frames that were captured.
public struct FrameDecoder: Sendable {
  /// Whose frames they are, by the names of the configuration.
  public enum Venue: String, Sendable, CaseIterable {
    case kite
    case angelone
    case openalgo
    case gateway
  }

  private let venue: Venue
  private var kite = KiteDecoder(tellsDaySummaries: true)
  private var angelOne = AngelOneDecoder()
  private var openAlgo = OpenAlgoDecoder()
  private var gateway = GatewayDecoder()

  /// Makes a decoder that knows the instruments; those that the venue cannot have are left out.
  public init(_ venue: Venue, instruments: [Instrument]) {
    self.venue = venue
    for instrument in instruments {
      switch venue {
      case .kite:
        if let token = UInt32(instrument.venueToken) { kite.tokens.insert(token, instrument.id) }
      case .angelone:
        if let token = try? AngelOneToken(venueToken: instrument.venueToken) {
          angelOne.insert(token, instrument.id)
        }
      case .openalgo: openAlgo.insert(instrument.symbol, instrument.id)
      case .gateway: gateway.instruments.insert(instrument.symbol.text, instrument.id)
      }
    }
  }

  /// Appends the ticks of one frame to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted. Messages that are no ticks are skipped.
  public mutating func decode(
    _ frame: [UInt8], isText: Bool, receiveTime: Timestamp, into ticks: inout [Tick],
    statistics: inout SourceStatistics
  ) {
    switch venue {
    case .kite where !isText:
      kite.decode(frame.span.bytes, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
    case .angelone where !isText:
      angelOne.decode(frame.span.bytes, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
    case .kite, .angelone: break
    case .openalgo:
      _ = openAlgo.decode(frame, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
    case .gateway:
      _ = gateway.decode(
        frame, frame.indices, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
    }
  }
}
