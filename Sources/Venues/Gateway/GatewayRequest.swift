import MarketData

/// The lines that TickRing writes to a gateway's standard input; see the article on gateways.
enum GatewayRequest {
  /// The version of the protocol that is spoken here.
  static let protocolVersion = 1
  /// Instruments named in one line.
  static let instrumentsPerLineMax = 500

  /// What a started gateway is there for.
  enum Role: String {
    case ticks
    case history
  }

  static func hello(_ role: Role) -> String {
    "{\"type\":\"hello\",\"protocol\":\(protocolVersion),\"role\":\"\(role.rawValue)\"}"
  }

  static func ping(_ id: Int) -> String { "{\"type\":\"ping\",\"id\":\(id)}" }

  static func instruments(_ id: Int) -> String { "{\"type\":\"instruments\",\"id\":\(id)}" }

  static func subscribe(_ subscriptions: [Subscription]) -> [String] {
    lines("subscribe", subscriptions.map { reference($0.instrument, mode: $0.mode) })
  }

  static func unsubscribe(_ instruments: [Instrument]) -> [String] {
    lines("unsubscribe", instruments.map { reference($0) })
  }

  private static func lines(_ type: String, _ references: [String]) -> [String] {
    stride(from: 0, to: references.count, by: instrumentsPerLineMax).map { start in
      let part = references[start..<min(start + instrumentsPerLineMax, references.count)]
      return "{\"type\":\"\(type)\",\"instruments\":[\(part.joined(separator: ","))]}"
    }
  }

  static func candles(
    _ id: Int, _ instrument: Instrument, _ interval: Interval, from: Timestamp, to: Timestamp
  )
    -> String
  {
    "{\"type\":\"candles\",\"id\":\(id),\"instrument\":\(reference(instrument)),\"interval\":\"\(interval)\","
      + "\"from\":\(from.seconds),\"to\":\(to.seconds)}"
  }

  private static func reference(_ instrument: Instrument, mode: FeedMode? = nil) -> String {
    let mode = mode.map { ",\"mode\":\"\($0.rawValue)\"" } ?? ""
    return "{\"symbol\":\(JSONText.quoted(instrument.symbol.text)),"
      + "\"token\":\(JSONText.quoted(instrument.venueToken))\(mode)}"
  }
}
