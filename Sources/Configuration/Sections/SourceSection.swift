extension FeedConfiguration {
  /// Where ticks and past candles come from. Credentials are no part of it: they come from the environment.
  public struct Source: Sendable, Hashable {
    /// The broker or exchange that is asked.
    public enum Venue: String, Sendable, Hashable, CaseIterable {
      /// Zerodha's Kite Connect.
      case kite
      /// Angel One's SmartAPI.
      case angelone
      /// A self-hosted OpenAlgo server before one of some thirty brokers.
      case openalgo
      /// A program of the user's that speaks one JSON object a line.
      case gateway
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
    /// What the file says about ``websocketURL``; nil where it says nothing.
    public var websocketURLGiven: String?
    /// What the file says about ``apiURL``; nil where it says nothing.
    public var apiURLGiven: String?
    /// Root of the server that has the list of instruments, for vendors that keep it elsewhere than at ``apiURL``; nil
    /// for ``apiURLGiven``, or the vendor's own where that is nil too.
    public var instrumentsURL: String?
    /// PEM file with the certificates to trust instead of the system's.
    public var caFile: String?
    /// Address of a proxy to the venue; nil leaves it to the environment's `https_proxy` and `no_proxy`.
    public var proxy: String?
    /// Most connections to open at once; nil for as many as the venue allows.
    public var connectionsMax: Int?
    /// The feed's clock.
    public var clock = Clock.system
    /// The program that ``Venue/gateway`` starts, and its arguments; empty for other venues.
    public var gatewayCommand: [String] = []

    /// Words of ``gatewayCommand``.
    public static let gatewayCommandCountMax = 100

    /// Bounds of ``connectionsMax``.
    public static let connectionsMaxBounds = 1...3

    /// Makes the section with its defaults.
    public init() {}

    /// Root of the venue's websocket, `wss` or, for a server on this machine, `ws`: the vendor's own unless given.
    public var websocketURL: String {
      get { websocketURLGiven ?? venue.websocketURL }
      set { websocketURLGiven = newValue }
    }

    /// Root of the venue's REST interface, `https` or, for a server on this machine, `http`: the vendor's own unless
    /// given.
    public var apiURL: String {
      get { apiURLGiven ?? venue.apiURL }
      set { apiURLGiven = newValue }
    }
  }
}

extension FeedConfiguration.Source.Venue {
  /// Where the vendor's websocket is; empty where the venue has none.
  public var websocketURL: String {
    switch self {
    case .kite: "wss://ws.kite.trade"
    case .angelone: "wss://smartapisocket.angelone.in/smart-stream"
    case .openalgo: "ws://127.0.0.1:8765"
    case .gateway: ""
    }
  }

  /// Where the vendor's REST interface is; empty where the venue has none.
  public var apiURL: String {
    switch self {
    case .kite: "https://api.kite.trade"
    case .angelone: "https://apiconnect.angelone.in"
    case .openalgo: "http://127.0.0.1:5000"
    case .gateway: ""
    }
  }
}

extension FeedConfiguration.Source: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("venue", \.venue, .word, "Whose feed is read"),
    ConfigurationKey(
      "websocket_url", \.websocketURLGiven,
      .optional(.url(schemes: ["wss", "ws"], example: "wss://ws.kite.trade")),
      "Where live ticks come from; the venue's own unless given"),
    ConfigurationKey(
      "api_url", \.apiURLGiven,
      .optional(.url(schemes: ["https", "http"], example: "https://api.kite.trade")),
      "Where the list of instruments and past candles come from; the venue's own unless given"),
    ConfigurationKey(
      "instruments_url", \.instrumentsURL,
      .optional(.url(schemes: ["https", "http"], example: "https://margincalculator.angelbroking.com")),
      "Where angelone's list of instruments comes from; api_url where that is given, else the vendor's own"),
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
    ConfigurationKey(
      "gateway_command", \.gatewayCommand,
      .texts(countMax: gatewayCommandCountMax, example: "[python3, my_broker.py]"),
      "The program that venue: gateway starts and its arguments, without a shell; a relative path in the program's name "
        + "is relative to this file"),
  ]
}
