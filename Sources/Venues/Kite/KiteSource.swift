public import MarketData

/// The live ticks of Kite Connect v3 over one websocket.
public final class KiteSource: SocketSource {
  /// Where and how to connect.
  public struct Options: Sendable {
    /// The ticker's address without credentials.
    public var url = "wss://ws.kite.trade"
    /// Certificate authorities to trust instead of the system's, a PEM file.
    public var caFile: String?
    /// Address of a proxy instead of the environment's; empty for none.
    public var proxy: String?
    /// Longest time to dial, and again for the handshake; the vendor's clients allow 7 to 30 seconds.
    public var connectTimeoutMilliseconds = 10_000

    /// Makes options for the vendor's own server.
    public init() {}
  }

  /// Instruments that the vendor allows on one connection.
  public static let instrumentsMax = 3000
  /// Connections that the vendor allows one API key.
  public static let connectionsMax = 3
  /// Tokens in one subscription message: some 5 KB of text, far from any server's limit.
  static let tokensPerMessageMax = 500

  /// `kite`.
  public let name = "kite"
  /// Counts since the source was made.
  public private(set) var statistics = SourceStatistics()

  /// Is given every message as it came, with its receive time; nil when nobody wants them.
  public var frameSink: (any FrameSink)?

  private let options: Options
  private let credentials: KiteCredentialsProvider
  private let clock: FeedClock
  private var connection: WebSocketConnection?
  private var decoder = KiteDecoder(tellsDaySummaries: true)
  /// Tokens of the current subscriptions, and how much is asked for of each.
  private var modes: [UInt32: FeedMode] = [:]

  /// Makes a source that is not connected and asks for nothing. `clock` stamps the receive times.
  public init(
    options: Options = Options(), clock: FeedClock = .system, credentials: @escaping KiteCredentialsProvider
  ) {
    self.options = options
    self.clock = clock
    self.credentials = credentials
  }

  /// What it waits for; nil without a connection.
  public var socketInterest: SocketInterest? { connection?.socketInterest }

  /// Opens a connection with freshly read credentials.
  public var dialler: @Sendable () throws(Fault) -> WebSocketConnection {
    { [options, credentials] () throws(Fault) in
      let current = try credentials()
      var websocket = WebSocketConnection.Options(
        url: "\(options.url)?api_key=\(percentEncoded(current.apiKey))"
          + "&access_token=\(percentEncoded(current.accessToken))",
        headers: [KiteCredentials.versionHeader], caFile: options.caFile)
      websocket.proxy = options.proxy
      websocket.connectTimeoutMilliseconds = options.connectTimeoutMilliseconds
      let connection = WebSocketConnection(websocket)
      try connection.connect()
      return connection
    }
  }

  /// Goes on with a connection that was opened, and subscribes to everything again.
  ///
  /// - Throws: `Fault` of kind `unavailable` when it broke.
  public func adopt(_ connection: WebSocketConnection) throws(Fault) {
    self.connection = connection
    try subscribe(to: Array(modes.keys))
    try setModes(modes)
  }

  /// Asks for all there is of each instrument.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the subscriptions; before ``connect()`` they are only remembered.
  ///
  /// - Throws: `Fault` of kind `configuration`, changing nothing, when an instrument's venue token is no Kite
  ///   token or there are more than ``instrumentsMax``; `unavailable` when the connection broke.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    // What was asked for once stays known: ticks already on their way must not be lost when it is left.
    var table = decoder.tokens
    var wanted: [UInt32: FeedMode] = [:]
    for subscription in subscriptions {
      let instrument = subscription.instrument
      guard let token = UInt32(instrument.venueToken) else {
        throw Fault(
          .configuration,
          "\(instrument.symbol) has the venue token '\(instrument.venueToken)', where Kite's is a number up to "
            + "\(UInt32.max)")
      }
      table.insert(token, instrument.id)
      wanted[token] = subscription.mode
    }
    guard wanted.count <= Self.instrumentsMax else {
      throw Fault(
        .configuration,
        "\(wanted.count) instruments are more than the \(Self.instrumentsMax) that Kite allows on one connection"
      )
    }
    let before = modes
    modes = wanted
    decoder.tokens = table
    guard connection != nil else { return }
    try inBatches(before.keys.filter { wanted[$0] == nil }) { (list) throws(Fault) in
      try connection?.sendText("{\"a\":\"unsubscribe\",\"v\":[\(list)]}")
    }
    try subscribe(to: wanted.keys.filter { before[$0] == nil })
    try setModes(wanted.filter { before[$0.key] != $0.value })
  }

  /// Waits for ticks; text messages and heartbeats count as life.
  ///
  /// - Throws: as ``TickSource/receive(timeoutMilliseconds:into:)``.
  public func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    guard let connection else { throw Fault(.unavailable, "\(options.url): not connected") }
    let isAlive = try connection.receive(timeoutMilliseconds: timeoutMilliseconds) {
      opcode, payload, readTime in
      statistics.messages += 1
      statistics.bytes += UInt64(payload.byteCount)
      frameSink?.take(payload, isText: opcode == .text, receiveTime: clock.feedTime(at: readTime))
      switch opcode {
      case .binary:
        decoder.decode(
          payload, receiveTime: clock.feedTime(at: readTime), into: &ticks, statistics: &statistics)
      case .text:
        readText(payload.withUnsafeBytes { Array($0) })
      }
    }
    return isAlive ? .alive : .idle
  }

  /// Ends the connection in good order.
  public func close() {
    connection?.close()
    connection = nil
  }

  private func subscribe(to tokens: [UInt32]) throws(Fault) {
    try inBatches(tokens) { (list) throws(Fault) in
      try connection?.sendText("{\"a\":\"subscribe\",\"v\":[\(list)]}")
    }
  }

  /// `subscribe` alone means mode `quote`, so the mode is always set, as the vendor's clients do.
  private func setModes(_ modes: [UInt32: FeedMode]) throws(Fault) {
    for mode in FeedMode.allCases {
      try inBatches(modes.filter { $0.value == mode }.map(\.key)) { (list) throws(Fault) in
        try connection?.sendText("{\"a\":\"mode\",\"v\":[\"\(mode.rawValue)\",[\(list)]]}")
      }
    }
  }

  private func inBatches(_ tokens: [UInt32], _ send: (String) throws(Fault) -> Void) throws(Fault) {
    let tokens = tokens.sorted()
    for start in stride(from: 0, to: tokens.count, by: Self.tokensPerMessageMax) {
      let batch = tokens[start..<min(start + Self.tokensPerMessageMax, tokens.count)]
      try send(batch.map(String.init).joined(separator: ","))
    }
  }

  /// Keeps the text of `{"type":"error","data":"..."}`; order updates and unknown types are not ours to judge.
  private func readText(_ bytes: [UInt8]) {
    var scanner = JSONScanner(bytes)
    var type = ""
    var text = ""
    do {
      try scanner.object { (key, scanner) throws(Fault) in
        let isText = scanner.peek() == UInt8(ascii: "\"")
        switch key {
        case "type" where isText: type = try scanner.string()
        case "data" where isText: text = try scanner.words()
        default: try scanner.skipValue()
        }
      }
    } catch {
      statistics.badFrames += 1
      statistics.lastBadFrame = "a text message is \(error.message)"
      return
    }
    guard type == "error" else { return }
    statistics.complaints += 1
    statistics.lastComplaint = text
  }
}
