public import MarketData

/// The live ticks of Angel One's SmartStream over one websocket.
public final class AngelOneSource: SocketSource {
  /// Where and how to connect, and what to ask for.
  public struct Options: Sendable {
    /// The stream's address; credentials go into header fields.
    public var url = "wss://smartapisocket.angelone.in/smart-stream"
    /// Certificate authorities to trust instead of the system's, a PEM file.
    public var caFile: String?
    /// Address of a proxy instead of the environment's; empty for none.
    public var proxy: String?
    /// Longest time to dial, and again for the handshake.
    public var connectTimeoutMilliseconds = 10_000
    /// Time between two pings; the venue's JavaScript client has 10 seconds, its documentation 30.
    public var pingMilliseconds = AngelOneSource.pingMillisecondsDefault
    /// Time between two messages of subscription.
    public var messageSpacingMilliseconds = 50

    /// Makes options for the vendor's own server.
    public init() {}
  }

  /// Instruments that the vendor allows on one connection, each in one mode.
  public static let instrumentsMax = 1000
  /// Connections that the vendor allows one customer.
  public static let connectionsMax = 3
  /// Ten seconds.
  public static let pingMillisecondsDefault = 10_000

  /// `angelone`.
  public let name = "angelone"
  /// Counts since the source was made.
  public private(set) var statistics = SourceStatistics()
  /// Is given every message as it came, with its receive time; nil when nobody wants them.
  public var frameSink: (any FrameSink)?

  private let options: Options
  private let session: AngelOneSession
  private let clock: FeedClock
  private var connection: WebSocketConnection?
  private var decoder = AngelOneDecoder()
  private var subscription = AngelOneSubscription()
  /// What is still to be sent, one message at a time.
  private var outgoing: ArraySlice<String> = []
  /// Instruments that these messages ask for anew, or in another mode.
  private var beginning: [InstrumentID] = []
  private var nextMessage = MonotonicClock.nowMilliseconds()
  private var nextPing = Int64.max

  private static let ping = "ping"
  private static let pong = Array("pong".utf8)

  /// Makes a source that is not connected and asks for nothing. `clock` stamps the receive times.
  public init(options: Options = Options(), clock: FeedClock = .system, session: AngelOneSession) {
    self.options = options
    self.session = session
    self.clock = clock
  }

  /// What it waits for; nil without a connection.
  public var socketInterest: SocketInterest? { connection?.socketInterest }

  // MARK: Connecting

  /// Opens a connection, after a login where one is needed. Tokens that the venue refuses are replaced by a new login
  /// once.
  public var dialler: @Sendable () throws(Fault) -> WebSocketConnection {
    { [options, session] () throws(Fault) in
      let tokens = try session.tokens()
      do throws(Fault) {
        return try Self.dial(tokens, session, options)
      } catch {
        guard error.kind == .refused else { throw error }
        session.discard(tokens)
        return try Self.dial(try session.tokens(), session, options)
      }
    }
  }

  /// Goes on with a connection that was opened, and subscribes to everything again.
  ///
  /// - Throws: `Fault` of kind `unavailable` when it broke.
  public func adopt(_ connection: WebSocketConnection) throws(Fault) {
    self.connection = connection
    outgoing = []
    beginning = []
    nextPing = MonotonicClock.nowMilliseconds() + Int64(options.pingMilliseconds)
    decoder.forgetSequences()
    try send(subscription.messages(since: AngelOneSubscription()))
  }

  private static func dial(_ tokens: AngelOneTokens, _ session: AngelOneSession, _ options: Options)
    throws(Fault)
    -> WebSocketConnection
  {
    let credentials = try session.credentials()
    var websocket = WebSocketConnection.Options(
      url: options.url,
      headers: [
        (name: "Authorization", value: "Bearer \(tokens.jwt)"),
        (name: "x-api-key", value: credentials.apiKey),
        (name: "x-client-code", value: credentials.clientCode),
        (name: "x-feed-token", value: tokens.feed),
      ], caFile: options.caFile)
    websocket.proxy = options.proxy
    websocket.connectTimeoutMilliseconds = options.connectTimeoutMilliseconds
    let connection = WebSocketConnection(websocket)
    try connection.connect()
    return connection
  }

  // MARK: Subscribing

  /// Replaces the set of instruments, all with everything there is; before ``connect()`` it is only remembered.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the set of subscriptions; before ``connect()`` it is only remembered.
  ///
  /// - Throws: `Fault` of kind `configuration`, changing nothing, when an instrument's venue token is no Angel One
  ///   token or there are more than ``instrumentsMax``; `unavailable` when the connection broke.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    // What was asked for once stays known: ticks already on their way must not be lost when it is left.
    var decoder = decoder
    var wanted = AngelOneSubscription()
    var added: [InstrumentID] = []
    for subscription in subscriptions {
      let instrument = subscription.instrument
      let token: AngelOneToken
      do {
        token = try AngelOneToken(venueToken: instrument.venueToken)
      } catch {
        throw Fault(error.kind, "\(instrument.symbol): \(error.message)")
      }
      decoder.insert(token, instrument.id)
      wanted.modes[token] = subscription.mode
      if self.subscription.modes[token] != subscription.mode { added.append(instrument.id) }
    }
    guard wanted.modes.count <= Self.instrumentsMax else {
      throw Fault(
        .configuration,
        "\(wanted.modes.count) instruments are more than the \(Self.instrumentsMax) that Angel One allows on one "
          + "connection")
    }
    let messages = wanted.messages(since: subscription)
    subscription = wanted
    self.decoder = decoder
    guard connection != nil else { return }
    beginning += added
    try send(messages)
  }

  private func send(_ messages: [String]) throws(Fault) {
    outgoing += messages
    try sendWhatIsDue()
  }

  /// Sends the next message of subscription and the next ping when their time has come.
  private func sendWhatIsDue() throws(Fault) {
    guard let connection else { return }
    let now = MonotonicClock.nowMilliseconds()
    if now >= nextMessage, let message = outgoing.popFirst() {
      nextMessage = now + Int64(options.messageSpacingMilliseconds)
      try connection.sendText(message)
      // What was numbered while nobody asked for it was not missed.
      decoder.forgetSequences(of: beginning)
      if outgoing.isEmpty { beginning = [] }
    }
    if now >= nextPing {
      nextPing = now + Int64(options.pingMilliseconds)
      try connection.sendText(Self.ping)
    }
  }

  // MARK: Receiving

  /// Waits for ticks, pings the venue when it is time, and sends what waits; texts and control frames count as life.
  ///
  /// - Throws: as ``TickSource/receive(timeoutMilliseconds:into:)``.
  public func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    guard let connection else { throw Fault(.unavailable, "\(options.url): not connected") }
    try sendWhatIsDue()
    let timeout =
      outgoing.isEmpty ? timeoutMilliseconds : min(timeoutMilliseconds, options.messageSpacingMilliseconds)
    let isAlive = try connection.receive(timeoutMilliseconds: timeout) { opcode, payload, readTime in
      statistics.messages += 1
      statistics.bytes += UInt64(payload.byteCount)
      let receiveTime = clock.feedTime(at: readTime)
      frameSink?.take(payload, isText: opcode == .text, receiveTime: receiveTime)
      switch opcode {
      case .binary:
        decoder.decode(payload, receiveTime: receiveTime, into: &ticks, statistics: &statistics)
      case .text: readText(payload.withUnsafeBytes { Array($0) })
      }
    }
    return isAlive ? .alive : .idle
  }

  /// A pong is a heartbeat; anything else is a complaint of the venue, or not understood.
  private func readText(_ text: [UInt8]) {
    if text == Self.pong {
      statistics.heartbeats += 1
    } else if let complaint = AngelOneMessage.errorText(text) {
      statistics.complaints += 1
      statistics.lastComplaint = complaint
    } else {
      statistics.badFrames += 1
      statistics.lastBadFrame =
        "the text '\(excerpt(of: text))' is no message of the venue"
    }
  }

  /// Ends the connection in good order.
  public func close() {
    connection?.close()
    connection = nil
    outgoing = []
    beginning = []
  }
}
