public import MarketData

/// The live ticks of a gateway: a program of the user's that speaks one JSON object a line.
public final class GatewaySource: TickSource {
  /// Bad lines in a row after which a gateway counts as broken instead of as careless.
  static let badLinesMax = 100

  /// `gateway`.
  public let name = "gateway"
  /// Counts since the source was made.
  public private(set) var statistics = SourceStatistics()
  /// Is given every line as it came, with its receive time; nil when nobody wants them.
  public var frameSink: (any FrameSink)?

  private let options: GatewayOptions
  private let clock: FeedClock
  private var connection: GatewayConnection?
  private var decoder = GatewayDecoder()
  /// The current subscriptions.
  private var subscriptions: [InstrumentID: Subscription] = [:]
  private var badLines = 0
  private var lastLineMilliseconds: Int64 = 0
  private var isPingSent = false
  private var pings = 0

  /// Makes a source that is not connected and asks for nothing. `clock` stamps the receive times.
  public init(options: GatewayOptions, clock: FeedClock = .system) {
    self.options = options
    self.clock = clock
  }

  /// Starts the program, waits for its hello and subscribes to everything; an older process is ended first.
  ///
  /// - Throws: as ``TickSource/connect(until:)``; of kind `configuration` when there is no such program.
  public func connect(until shouldStop: () -> Bool) throws(Fault) {
    close()
    let connection = try GatewayConnection(options, role: .ticks, capability: "ticks", until: shouldStop)
    self.connection = connection
    badLines = 0
    noteLife()
    try send(GatewayRequest.subscribe(Self.ordered(subscriptions.values)))
  }

  /// Replaces the set of instruments, all with everything there is; before ``connect()`` it is only remembered.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the set of subscriptions; before ``connect()`` it is only remembered.
  ///
  /// - Throws: `Fault` of kind `unavailable` when the program does not listen.
  public func subscribe(to wanted: [Subscription]) throws(Fault) {
    let old = subscriptions
    subscriptions = Dictionary(wanted.map { ($0.instrument.id, $0) }, uniquingKeysWith: { _, last in last })
    // What was asked for once stays known: ticks already on their way must not be lost when it is left.
    for instrument in wanted.map(\.instrument) where old[instrument.id] == nil {
      decoder.instruments.insert(instrument.symbol.text, instrument.id)
    }
    let dropped = Self.ordered(old.values.filter { subscriptions[$0.instrument.id] == nil })
    let added = Self.ordered(subscriptions.values.filter { old[$0.instrument.id]?.mode != $0.mode })
    try send(GatewayRequest.unsubscribe(dropped.map(\.instrument)) + GatewayRequest.subscribe(added))
  }

  private static func ordered(_ subscriptions: some Sequence<Subscription>) -> [Subscription] {
    subscriptions.sorted { $0.instrument.id < $1.instrument.id }
  }

  private func send(_ lines: [String]) throws(Fault) {
    guard let connection else { return }
    for line in lines { try connection.process.send(line) }
  }

  /// Waits for ticks; every line of the protocol counts as life, anything else does not.
  ///
  /// - Throws: as ``TickSource/receive(timeoutMilliseconds:into:)``: of kind `unavailable` when the program ended or
  ///   says so, `refused` when it says that the venue refuses the credentials, `protocolViolation` when it writes
  ///   nonsense only.
  public func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    guard let connection else { throw Fault(.unavailable, "the gateway is not running") }
    var isAlive = false
    _ = try connection.process.receive(timeoutMilliseconds: timeoutMilliseconds) {
      (bytes, range, readTime) throws(Fault) in
      if try take(bytes, range, readTime, from: connection, into: &ticks) { isAlive = true }
      return true
    }
    if isAlive { noteLife() } else { try pingIfSilent(connection) }
    return isAlive ? .alive : .idle
  }

  /// Takes one line; returns whether it is of the protocol.
  private func take(
    _ bytes: [UInt8], _ range: Range<Int>, _ readTime: Timestamp, from connection: GatewayConnection,
    into ticks: inout [Tick]
  ) throws(Fault) -> Bool {
    guard !range.isEmpty else { return false }
    let receiveTime = clock.feedTime(at: readTime)
    statistics.messages += 1
    statistics.bytes += UInt64(range.count)
    frameSink?.take(bytes.span.extracting(range).bytes, isText: true, receiveTime: receiveTime)
    switch decoder.decode(bytes, range, receiveTime: receiveTime, into: &ticks, statistics: &statistics) {
    case .tick: break
    case .bad:
      badLines += 1
      guard badLines < Self.badLinesMax else {
        throw connection.process.fault(
          .protocolViolation,
          "wrote \(badLines) lines in a row that are not of the protocol; in the last one \(statistics.lastBadFrame)"
        )
      }
      return false
    case .message(let message): try take(message, from: connection)
    }
    badLines = 0
    return true
  }

  private func take(_ message: GatewayMessage, from connection: GatewayConnection) throws(Fault) {
    switch message {
    case .alive: statistics.heartbeats += 1
    case .log(let level, let text): options.log(level, text)
    case .error(_, let kind, let text):
      let fault = GatewayConnection.fault(kind: kind, text, of: connection.process)
      // Anything but these concerns a request alone, such as one instrument that does not exist.
      guard !["refused", "configuration", "unavailable"].contains(kind) else { throw fault }
      statistics.complaints += 1
      statistics.lastComplaint = text
    case .unknown(let type): options.log("debug", "the gateway wrote a line of the unknown type '\(type)'")
    case .hello, .candles, .instruments: break
    }
  }

  private func noteLife() {
    lastLineMilliseconds = MonotonicClock.nowMilliseconds()
    isPingSent = false
  }

  private func pingIfSilent(_ connection: GatewayConnection) throws(Fault) {
    guard !isPingSent,
      MonotonicClock.nowMilliseconds() - lastLineMilliseconds >= Int64(options.pingMilliseconds)
    else { return }
    isPingSent = true
    pings += 1
    try connection.process.send(GatewayRequest.ping(pings))
  }

  /// Ends the program, at the latest by force; harmless when there is none.
  public func close() {
    connection?.process.stop()
    connection = nil
  }
}
