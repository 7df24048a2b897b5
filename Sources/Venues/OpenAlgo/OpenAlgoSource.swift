public import MarketData

/// The live ticks of a self-hosted OpenAlgo server, which stands before some thirty Indian brokers.
public final class OpenAlgoSource: SocketSource {
  /// Where and how to connect.
  public struct Options: Sendable {
    /// The server's websocket.
    public var url = "ws://127.0.0.1:8765"
    /// Certificate authorities to trust instead of the system's, a PEM file.
    public var caFile: String?
    /// Address of a proxy instead of the environment's; empty for none.
    public var proxy: String?
    /// Longest time to dial, again for the handshake, and again for the server's answer to the API key; the server
    /// itself allows 15 s for the latter.
    public var connectTimeoutMilliseconds = 10_000

    /// Makes options for a server on this machine.
    public init() {}
  }

  /// Instruments that one server carries: three connections of a thousand to its broker.
  public static let instrumentsMax = 3000
  /// Symbols in one subscription message: some 25 KB of text.
  static let symbolsPerMessageMax = 500

  /// `openalgo`.
  public let name = "openalgo"
  /// Counts since the source was made.
  public private(set) var statistics = SourceStatistics()
  /// Is given every message as it came, with its receive time; nil when nobody wants them.
  public var frameSink: (any FrameSink)?

  private let options: Options
  private let clock: FeedClock
  private let apiKey: @Sendable () throws(Fault) -> String
  private var connection: WebSocketConnection?
  private var decoder = OpenAlgoDecoder()
  /// The current subscriptions with their modes.
  private var modes: [Symbol: OpenAlgoFrame.Mode] = [:]
  /// A message's bytes, in memory that is used again for each.
  private var message: [UInt8] = []

  /// Makes a source that is not connected and asks for nothing. `clock` stamps the receive times, `apiKey` is asked
  /// before each connection.
  public init(
    options: Options = Options(), clock: FeedClock = .system,
    apiKey: @escaping @Sendable () throws(Fault) -> String
  ) {
    self.options = options
    self.clock = clock
    self.apiKey = apiKey
  }

  /// What it waits for; nil without a connection.
  public var socketInterest: SocketInterest? { connection?.socketInterest }

  /// Opens a connection and authenticates with a freshly read API key.
  public var dialler: @Sendable () throws(Fault) -> WebSocketConnection {
    { [options, apiKey] () throws(Fault) in
      var websocket = WebSocketConnection.Options(url: options.url, caFile: options.caFile)
      websocket.proxy = options.proxy
      websocket.connectTimeoutMilliseconds = options.connectTimeoutMilliseconds
      let key = try apiKey()
      let connection = WebSocketConnection(websocket)
      try connection.connect()
      try connection.sendText("{\"action\":\"authenticate\",\"api_key\":\(JSONText.quoted(key))}")
      try Self.waitForAuthentication(connection, options)
      return connection
    }
  }

  /// Goes on with a connection that was opened, and subscribes to everything again.
  ///
  /// - Throws: `Fault` of kind `unavailable` when it broke.
  public func adopt(_ connection: WebSocketConnection) throws(Fault) {
    self.connection = connection
    try change("subscribe", modes)
  }

  private static func waitForAuthentication(
    _ connection: WebSocketConnection, _ options: Options
  ) throws(Fault) {
    let deadline = Deadline(afterMilliseconds: options.connectTimeoutMilliseconds)
    var isDone = false
    while !isDone {
      guard !deadline.isPast else {
        throw Fault(
          .unavailable,
          "\(options.url): no answer to the API key in \(options.connectTimeoutMilliseconds) ms")
      }
      _ = try connection.receive(timeoutMilliseconds: deadline.remainingMilliseconds) {
        (opcode, payload, _) throws(Fault) in
        guard opcode == .text else { return }
        let bytes = payload.withUnsafeBytes { Array($0) }
        var scanner = JSONScanner(bytes)
        let frame: OpenAlgoFrame
        do throws(Fault) {
          frame = try OpenAlgoFrame(&scanner)
        } catch {
          throw Fault(.protocolViolation, "\(options.url): the answer to the API key: \(error.message)")
        }
        switch frame.kind {
        case .authentication where frame.isSuccess(in: scanner): isDone = true
        case .authentication, .error:
          throw Fault(
            refusalKind(of: frame, in: scanner) ?? .refused,
            "\(options.url): the server does not accept the API key: "
              + OpenAlgoMessage.errorText(of: frame, in: scanner))
        default: break
        }
      }
    }
  }

  /// Replaces the set of instruments, all with everything there is; before ``connect()`` it is only remembered.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the set of subscriptions; before ``connect()`` it is only remembered.
  ///
  /// - Throws: `Fault` of kind `configuration`, changing nothing, when there are more than ``instrumentsMax``;
  ///   `unavailable` when the connection broke.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    let wanted = Dictionary(
      subscriptions.map { ($0.instrument.symbol, OpenAlgoFrame.Mode($0.mode)) },
      uniquingKeysWith: { _, last in last })
    guard wanted.count <= Self.instrumentsMax else {
      throw Fault(
        .configuration,
        "\(wanted.count) instruments are more than the \(Self.instrumentsMax) that OpenAlgo carries")
    }
    // What was asked for once stays known: ticks already on their way must not be lost when it is left.
    for subscription in subscriptions where modes[subscription.instrument.symbol] == nil {
      decoder.insert(subscription.instrument.symbol, subscription.instrument.id)
    }
    let old = modes
    modes = wanted
    // Another mode is another subscription there.
    try change("unsubscribe", old.filter { wanted[$0.key] != $0.value })
    try change("subscribe", wanted.filter { old[$0.key] != $0.value })
  }

  /// Asks for the beginning or the end of instruments; the server takes the mode from the message when it subscribes
  /// and from each symbol when it unsubscribes.
  private func change(_ action: String, _ modes: [Symbol: OpenAlgoFrame.Mode]) throws(Fault) {
    guard let connection else { return }
    for mode in OpenAlgoFrame.Mode.allCases {
      let list = modes.filter { $0.value == mode }.keys.sorted()
      for start in stride(from: 0, to: list.count, by: Self.symbolsPerMessageMax) {
        let batch = list[start..<min(start + Self.symbolsPerMessageMax, list.count)].map { symbol in
          let name = symbol.text.dropFirst(symbol.exchange.count + 1)
          return "{\"symbol\":\(JSONText.quoted(name)),\"exchange\":\(JSONText.quoted(symbol.exchange)),"
            + "\"mode\":\(mode.rawValue)}"
        }
        try connection.sendText(
          "{\"action\":\"\(action)\",\"symbols\":[\(batch.joined(separator: ","))],\"mode\":\(mode.rawValue)}"
        )
      }
    }
  }

  /// Waits for ticks; every message and ping counts as life.
  ///
  /// - Throws: as ``TickSource/receive(timeoutMilliseconds:into:)``; of kind `refused` when the server no longer
  ///   accepts the API key.
  public func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    guard let connection else { throw Fault(.unavailable, "\(options.url): not connected") }
    let isAlive = try connection.receive(timeoutMilliseconds: timeoutMilliseconds) {
      (opcode, payload, readTime) throws(Fault) in
      let receiveTime = clock.feedTime(at: readTime)
      statistics.messages += 1
      statistics.bytes += UInt64(payload.byteCount)
      frameSink?.take(payload, isText: opcode == .text, receiveTime: receiveTime)
      message.removeAll(keepingCapacity: true)
      payload.withUnsafeBytes { message.append(contentsOf: $0) }
      let other = decoder.decode(message, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
      if let other { try take(other) }
    }
    return isAlive ? .alive : .idle
  }

  /// Takes a message that is no tick.
  private func take(_ frame: OpenAlgoFrame) throws(Fault) {
    let scanner = JSONScanner(message)
    switch frame.kind {
    case .pong: statistics.heartbeats += 1
    case .error:
      let text = OpenAlgoMessage.errorText(of: frame, in: scanner)
      if let kind = Self.refusalKind(of: frame, in: scanner) {
        throw Fault(kind, "\(options.url): the server says: \(text)")
      }
      noteComplaint(text)
    case .subscription, .unsubscription:
      guard !frame.isSuccess(in: scanner) else { return }
      noteComplaint(
        "not every instrument was \(frame.kind == .subscription ? "" : "un")subscribed: "
          + excerpt(of: message))
    case .authentication, .marketData, .other: break
    }
  }

  private func noteComplaint(_ text: String) {
    statistics.complaints += 1
    statistics.lastComplaint = text
  }

  /// What an error of the server means for the connection; nil when it concerns one request alone.
  private static func refusalKind(of frame: OpenAlgoFrame, in scanner: JSONScanner) -> Fault.Kind? {
    switch frame.code.map(scanner.text(of:)) {
    case "NOT_AUTHENTICATED"?, "AUTHENTICATION_ERROR"?: .refused
    case "BROKER_ERROR"?, "BROKER_INIT_ERROR"?, "BROKER_CONNECTION_ERROR"?, "SERVER_ERROR"?: .unavailable
    default: nil
    }
  }

  /// Ends the connection in good order.
  public func close() {
    connection?.close()
    connection = nil
  }
}

extension OpenAlgoFrame.Mode {
  /// Depth would bring nothing that a tick carries.
  fileprivate init(_ mode: FeedMode) {
    switch mode {
    case .ltp: self = .lastPrice
    case .quote, .full: self = .quote
    }
  }
}
