extension FeedConfiguration {
  /// Where ticks and past candles come from. Credentials are no part of it: see ``KiteSecrets``.
  public struct Source: Sendable, Hashable {
    /// The broker or exchange that is asked.
    public enum Venue: String, Sendable, Hashable, CaseIterable {
      /// Zerodha's Kite Connect.
      case kite
    }

    /// What time the feed lives in.
    public enum Clock: String, Sendable, Hashable, CaseIterable {
      /// The machine's own.
      case system
      /// The simulated venue's, which is asked for it before the feed starts.
      case simulator
    }

    /// The venue.
    public var venue = Venue.kite
    /// Root of the venue's websocket, `wss` or, for a simulator, `ws`.
    public var websocketURL = "wss://ws.kite.trade"
    /// Root of the venue's REST interface, `https` or, for a simulator, `http`.
    public var apiURL = "https://api.kite.trade"
    /// PEM file with the certificates to trust instead of the system's.
    public var caFile: String?
    /// Address of a proxy to the venue; nil leaves it to the environment's `https_proxy` and `no_proxy`.
    public var proxy: String?
    /// Most connections to open at once; nil for as many as the venue allows.
    public var connectionsMax: Int?
    /// The feed's clock.
    public var clock = Clock.system

    /// Bounds of ``connectionsMax``.
    public static let connectionsMaxBounds = 1...3

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Source: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("venue", \.venue, .word, "The broker whose feed is read"),
    ConfigurationKey(
      "websocket_url", \.websocketURL, .url(schemes: ["wss", "ws"], example: "wss://ws.kite.trade"),
      "Where live ticks come from"),
    ConfigurationKey(
      "api_url", \.apiURL, .url(schemes: ["https", "http"], example: "https://api.kite.trade"),
      "Where the list of instruments and past candles come from"),
    ConfigurationKey(
      "ca_file", \.caFile, .optional(.path(bytesMax: FeedConfiguration.pathBytesMax)),
      "PEM file with the certificates to trust instead of the system's"),
    ConfigurationKey(
      "proxy", \.proxy,
      .optional(.url(schemes: ["http", "https", "socks5h"], example: "http://proxy.example:3128")),
      "Proxy to the venue; the environment's https_proxy and no_proxy unless given"),
    ConfigurationKey(
      "connections_max", \.connectionsMax, .optional(.wholeNumber(connectionsMaxBounds)),
      "Most connections to open at once: instruments are spread over as many as they need; as many as the venue allows "
        + "unless given"),
    ConfigurationKey(
      "clock", \.clock, .word, "The machine's clock, or that of a simulated venue, which is asked for it"),
  ]
}
