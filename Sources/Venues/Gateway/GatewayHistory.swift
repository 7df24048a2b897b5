public import MarketData
internal import Synchronization

/// Past candles and the list of instruments from a gateway, which runs in a process of its own beside the one that
/// brings the ticks. The process is started by the first request, and again after it failed. Any number of threads may
/// ask; they are served one after the other.
public final class GatewayHistory: CandleSource, @unchecked Sendable {
  // @unchecked: connection and number are only touched by whoever holds the turn.

  private let options: GatewayOptions
  private let turn = Mutex(())
  private var connection: GatewayConnection?
  private var lastID: Int64 = 0

  /// Makes a history that has not started anything.
  public init(options: GatewayOptions) {
    self.options = options
  }

  deinit { end() }

  /// Ends the process; the next request starts another.
  public func close() {
    turn.withLock { _ in end() }
  }

  private func end() {
    connection?.process.stop()
    connection = nil
  }

  /// Fetches the candles of one instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Throws: ``Fault`` of the kind that the gateway gives its error (`refused`, `configuration`, `usage`, else
  ///   `unavailable`), `unavailable` when it does not answer in time, `protocolViolation` when its answer is wrong.
  public func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    let request = CandleRequest(instrument, interval: interval, from: from, to: to)
    return try candles(request, until: { false })
  }

  /// One request after the other, as a gateway takes them.
  ///
  /// - Throws: as ``CandleSource/fetch(_:urgency:until:deliver:)``.
  public func fetch(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    for (index, request) in requests.enumerated() {
      if shouldStop() { return }
      let outcome: Result<[Candle], Fault>
      do throws(Fault) {
        outcome = .success(try candles(request, until: shouldStop))
      } catch {
        if error.kind == .refused { throw error }
        outcome = .failure(error)
      }
      // An answer that was given up is no failure of the gateway's.
      if shouldStop(), case .failure = outcome { return }
      try deliver(CandleDelivery(part: request, requestIndex: index, outcome: outcome))
    }
  }

  private func candles(_ wanted: CandleRequest, until shouldStop: () -> Bool) throws(Fault) -> [Candle] {
    try turn.withLock { (_) throws(Fault) in try fetchCandles(wanted, until: shouldStop) }
  }

  private func fetchCandles(_ wanted: CandleRequest, until shouldStop: () -> Bool) throws(Fault) -> [Candle] {
    let (instrument, interval, from, to) = (wanted.instrument, wanted.interval, wanted.from, wanted.to)
    var candles: [Candle] = []
    try request("candles of \(instrument.symbol)", capability: "candles", until: shouldStop) { id in
      GatewayRequest.candles(Int(id), instrument, interval, from: from, to: to)
    } onPart: { (message, process) throws(Fault) -> Bool? in
      guard case .candles(_, let rows, let isLast) = message else { return nil }
      for row in rows where row.start >= from && row.start < to {
        guard candles.last.map({ $0.start < row.start }) ?? true else {
          throw process.fault(
            .protocolViolation,
            "answers with \(interval) candles of \(instrument.symbol) that are not ascending at \(row.start.rfc3339)"
          )
        }
        candles.append(
          Candle(
            instrument: instrument.id, interval: interval, start: row.start, open: row.open, high: row.high,
            low: row.low, close: row.close, volume: row.volume, openInterest: row.openInterest, origin: .venue
          ))
      }
      return isLast
    }
    return candles
  }

  /// Fetches the list of instruments; nil when the gateway keeps none.
  ///
  /// - Throws: as ``candles(of:interval:from:to:)``.
  public func instruments() throws(Fault) -> [InstrumentListing]? {
    try turn.withLock { (_) throws(Fault) in try fetchInstruments() }
  }

  private func fetchInstruments() throws(Fault) -> [InstrumentListing]? {
    let connection = try startedConnection()
    guard connection.hello.capabilities.contains("instruments") else { return nil }
    var instruments: [InstrumentListing] = []
    try request("list of instruments", capability: "instruments") { id in
      GatewayRequest.instruments(Int(id))
    } onPart: { (message, _) throws(Fault) -> Bool? in
      guard case .instruments(_, let rows, let isLast) = message else { return nil }
      instruments += rows
      return isLast
    }
    return instruments
  }

  private func startedConnection(until shouldStop: () -> Bool = { false }) throws(Fault) -> GatewayConnection
  {
    if let connection { return connection }
    let started = try GatewayConnection(options, role: .history, capability: nil, until: shouldStop)
    connection = started
    return started
  }

  /// Sends one request and takes the parts of its answer until `onPart` says that it was the last; nil from it means
  /// that the message is no such part. A process that failed, or is not waited for any longer, is ended.
  private func request(
    _ title: String, capability: String, until shouldStop: () -> Bool = { false }, _ line: (Int64) -> String,
    onPart: (GatewayMessage, GatewayProcess) throws(Fault) -> Bool?
  ) throws(Fault) {
    do throws(Fault) {
      let connection = try startedConnection(until: shouldStop)
      guard connection.hello.capabilities.contains(capability) else {
        throw connection.process.fault(
          .usage,
          "does not list \"\(capability)\" among the capabilities of its hello, so there is no \(title)")
      }
      lastID += 1
      let id = lastID
      try connection.process.send(line(id))
      try wait(for: id, title, connection, until: shouldStop, onPart: onPart)
    } catch {
      // An error that the gateway reported in good order leaves it usable.
      if error.kind == .unavailable || error.kind == .protocolViolation { end() }
      throw error
    }
  }

  private func wait(
    for id: Int64, _ title: String, _ connection: GatewayConnection, until shouldStop: () -> Bool,
    onPart: (GatewayMessage, GatewayProcess) throws(Fault) -> Bool?
  ) throws(Fault) {
    let process = connection.process
    var deadline = Deadline(afterMilliseconds: options.answerTimeoutMilliseconds)
    var outcome: Result<Void, Fault>?
    while outcome == nil {
      if shouldStop() { throw process.fault(.unavailable, "is not waited for any longer") }
      guard !deadline.isPast else {
        throw process.fault(
          .unavailable,
          "has not answered the request for the \(title) in \(options.answerTimeoutMilliseconds) ms")
      }
      let slice = min(deadline.remainingMilliseconds, GatewayConnection.stopLookMilliseconds)
      _ = try process.receive(timeoutMilliseconds: slice) { (bytes, range, _) in
        if range.isEmpty { return true }
        do throws(Fault) {
          let message = try read(bytes, range, title, process)
          guard message.id == id else {
            noteOther(message)
            return true
          }
          deadline = Deadline(afterMilliseconds: options.answerTimeoutMilliseconds)
          if case .error(_, let kind, let text) = message {
            throw GatewayConnection.fault(kind: kind, text, of: process)
          }
          if try onPart(message, process) == true { outcome = .success(()) }
        } catch {
          outcome = .failure(error)
        }
        return outcome == nil
      }
    }
    try outcome?.get()
  }

  private func read(_ bytes: [UInt8], _ range: Range<Int>, _ title: String, _ process: GatewayProcess)
    throws(Fault) -> GatewayMessage
  {
    do {
      var scanner = JSONScanner(bytes, in: range)
      return try GatewayMessage(try GatewayLine(&scanner), scanner)
    } catch {
      throw process.fault(
        .protocolViolation, "answers the request for the \(title) with a line that is wrong: \(error.message)"
      )
    }
  }

  private func noteOther(_ message: GatewayMessage) {
    switch message {
    case .log(let level, let text): options.log(level, text)
    case .error(nil, _, let text): options.log("error", text)
    default: break
    }
  }
}

extension GatewayMessage {
  /// The request that it answers, where it answers one.
  fileprivate var id: Int64? {
    switch self {
    case .candles(let id, _, _), .instruments(let id, _, _): id
    case .error(let id, _, _): id
    default: nil
    }
  }
}
