extension SimulatedVenue {
  /// Whose interfaces a simulated venue has.
  public enum Vendor: String, Sendable, Hashable, CaseIterable {
    /// Zerodha's Kite Connect.
    case kite
    /// Angel One's SmartAPI.
    case angelone

    /// Where its websocket is, behind host and port; empty for the root.
    public var websocketPath: String {
      switch self {
      case .kite: ""
      case .angelone: "/smart-stream"
      }
    }
  }

  /// The customer of a simulated Angel One, and its limits.
  public struct AngelOneConfiguration: Sendable {
    /// The only customer that is let in.
    public var clientCode = "DEMO"
    /// The customer's PIN.
    public var pin = "0000"
    /// The base32 secret of the customer's one-time passwords.
    public var totpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    /// Keeps the documented limits: one login a second; 3 requests for candles a second, 500 a minute, 5000 an hour.
    public var keepsRateLimits = false
    /// Connections of the customer to the stream.
    public var connectionsMax = 3
    /// Pairs of token and mode on one connection.
    public var pairsPerConnectionMax = 1000
    /// Tokens with depth on one connection.
    public var depthTokensMax = 50

    /// The limits that the vendor documents.
    public init() {}
  }
}
