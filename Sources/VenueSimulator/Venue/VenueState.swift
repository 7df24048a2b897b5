import MarketData

/// All that changes at a simulated venue: the market, its clock, the connections and the counts.
///
/// It is a plain value machine: the time comes in with every call, frames go out, and nothing waits here.
struct VenueState {
  /// What a connection's writer is to do next.
  enum Step {
    case send(Outgoing)
    /// Wait for the connection's signal.
    case wait
    /// Wait for the client's close frame, then end.
    case awaitClose
    /// Write these bytes, which are the beginning of a frame, and drop the connection.
    case cut([UInt8])
    /// Drop the connection.
    case end
  }

  /// A websocket message to be written.
  enum Outgoing: Sendable {
    case binary([UInt8])
    case text(String)
    case pong([UInt8])
    case close(code: UInt16)
  }

  private(set) var market: any SimulatedMarket
  private(set) var clock: FeedClock?
  private(set) var minuteLog: MinuteLog
  private(set) var isDraining = false
  let configuration: SimulatedVenue.Configuration
  let faults: FaultBoard
  /// What is wrong now, as of the latest step or request.
  var effects: FaultEffects
  let indexByToken: [UInt32: Int]
  var book: any StreamBook
  /// The market by what Angel One calls its instruments.
  let directory: AngelOneDirectory
  /// Who is logged in at Angel One.
  var accounts: AngelOneAccounts
  var connections: [Int: Connection] = [:]
  var subscribers: [[Connection]]
  private var nextConnectionID = 1
  private var sentByIndex: [Int]
  var totals = SimulationReport()
  /// Ticks of the market queued so far, snapshots not counted.
  private var marketTicks = 0
  var garbage: SeededGenerator
  var historicalRequests: [Timestamp] = []

  /// Updates taken from the market in one step, so that the lock is free in between.
  private static let updatesPerStep = 500
  private static let goingAway: UInt16 = 1001

  init(configuration: SimulatedVenue.Configuration, market: any SimulatedMarket, faults: FaultBoard) {
    self.configuration = configuration
    self.faults = faults
    effects = faults.effects
    self.market = market
    let instruments = market.instruments
    indexByToken = Dictionary(
      instruments.enumerated().map { ($1.token, $0) }, uniquingKeysWith: { first, _ in first })
    directory = AngelOneDirectory(instruments)
    accounts = AngelOneAccounts(configuration.angelOne)
    switch configuration.vendor {
    case .kite: book = PacketBook(instruments: instruments)
    case .angelone: book = AngelOneBook(instruments: instruments, directory: directory)
    }
    minuteLog = MinuteLog(instrumentCount: instruments.count)
    subscribers = Array(repeating: [], count: instruments.count)
    sentByIndex = Array(repeating: 0, count: instruments.count)
    garbage = SeededGenerator(seed: configuration.faultSeed)
    for index in instruments.indices { book.update(index, to: market.quote(of: index)) }
  }

  // MARK: The clock

  /// Fixes the feed's origin if that has not happened yet.
  mutating func startClock(now: Timestamp) -> FeedClock {
    let clock = plannedClock(now: now)
    if self.clock == nil { faults.anchor(at: clock.wallOrigin) }
    self.clock = clock
    return clock
  }

  /// The clock as it is, or as it would be if it were started now.
  func plannedClock(now: Timestamp) -> FeedClock {
    clock
      ?? FeedClock(
        feedOrigin: market.start, wallOrigin: now + Int64(configuration.leadMilliseconds) * 1_000_000,
        speed: configuration.speed)
  }

  /// The feed's time, once it has begun to run.
  func runningFeedTime(now: Timestamp) -> Timestamp? {
    guard let clock, now >= clock.wallOrigin else { return nil }
    return clock.feedTime(at: now)
  }

  // MARK: The market

  private var mayTrade: Bool {
    !isDraining && !(configuration.ticksMax.map { marketTicks >= $0 } ?? false)
  }

  /// True when the last tick was sent to all that wanted it.
  var isFinished: Bool {
    let isOver = market.isFinished || (configuration.ticksMax.map { marketTicks >= $0 } ?? false)
    return isOver
      && connections.values.allSatisfy { $0.outbox.isEmpty && $0.inFlight == nil && $0.heldBack == nil }
  }

  /// Plays what is due, and sends heartbeats; true when more is due already.
  mutating func step(now: Timestamp) -> Bool {
    beginFaults(now: now)
    var played = 0
    if !configuration.isUnpaced, let time = runningFeedTime(now: now) {
      while played < Self.updatesPerStep, mayTrade, let index = market.nextUpdate(until: time) {
        publish(index)
        played += 1
      }
    }
    // Angel One says nothing by itself, it only answers pings.
    let heartbeatNanoseconds =
      configuration.vendor == .kite ? Int64(configuration.heartbeatMilliseconds) * 1_000_000 : .max
    for connection in connections.values where !effects.isSilent && !connection.isDeaf {
      if connection.isWaiting, connection.outbox.isEmpty, now - connection.lastWrite >= heartbeatNanoseconds {
        connection.outbox.append(.heartbeat)
      }
      let isHeldDue = connection.heldBack != nil && !effects.reorders
      if connection.isWaiting, isHeldDue || !connection.outbox.isEmpty { connection.signal.raise() }
    }
    return played == Self.updatesPerStep
  }

  private mutating func publish(_ index: Int) {
    let quote = market.quote(of: index)
    book.advance(index)
    book.update(index, to: quote.skewed(bySeconds: effects.skewSeconds))
    if quote.lastTradeSeconds == quote.exchangeSeconds {
      minuteLog.record(quote, of: index)
    }
    for connection in subscribers[index] where mayTrade {
      queue(index, for: connection, isSnapshot: false)
    }
  }

  private mutating func queue(_ index: Int, for connection: Connection, isSnapshot: Bool) {
    for mode in connection.modes[index].all {
      queue(index, mode: mode, for: connection, isSnapshot: isSnapshot)
    }
  }

  mutating func queue(_ index: Int, mode: TickerMode, for connection: Connection, isSnapshot: Bool) {
    guard !effects.isSilent, !connection.isDeaf, !connection.muted.contains(index) else { return }
    guard connection.outbox.queuedBytes < configuration.queuedBytesMax else {
      totals.ticksDropped += 1
      return
    }
    guard connection.admitsTick() else { return }
    if isSnapshot, effects.snapshotAgeSeconds > 0 {
      let quote = market.quote(of: index)
      book.update(index, to: quote.skewed(bySeconds: effects.skewSeconds - effects.snapshotAgeSeconds))
      connection.outbox.append(index, mode: mode, from: book, isSnapshot: true)
      book.update(index, to: quote.skewed(bySeconds: effects.skewSeconds))
    } else {
      connection.outbox.append(index, mode: mode, from: book, isSnapshot: isSnapshot)
    }
    if !isSnapshot { marketTicks += 1 }
  }

  /// A frame of fresh trades for one connection, each of its instruments in turn.
  private mutating func unpacedFrame(for connection: Connection, time: Timestamp) -> DataFrame? {
    let packetsMax = configuration.packetsPerMessageMax
    var frame = DataFrame(reserving: packetsMax, head: book.frameHead)
    while frame.packetCount < packetsMax, mayTrade,
      let (index, mode) = connection.nextInTurn(), connection.admitsTick()
    {
      market.trade(index, at: time)
      book.advance(index)
      book.update(index, to: market.quote(of: index))
      frame.append(index, mode: mode, from: book)
      marketTicks += 1
    }
    return frame.packetCount > 0 ? frame : nil
  }

  // MARK: Connections

  /// Admits a client, unless the venue is about to stop.
  mutating func connect(signal: Signal, now: Timestamp) -> Int? {
    guard !isDraining else { return nil }
    let id = nextConnectionID
    nextConnectionID += 1
    totals.connections += 1
    connections[id] = Connection(
      id: id, signal: signal, instrumentCount: sentByIndex.count, configuration: configuration,
      ticksBeforeCut: effects.ticksBeforeCut, now: now)
    return id
  }

  /// Carries out a client's message; nil stands for one that could not be read.
  mutating func handle(_ message: ClientMessage?, from id: Int, now: Timestamp) {
    guard let connection = connections[id], case .open = connection.phase, !isDraining, !connection.isDeaf
    else { return }
    switch message {
    case .subscribe(let tokens): subscribe(connection, to: tokens, now: now)
    case .unsubscribe(let tokens):
      let indices = Set(tokens.compactMap { indexByToken[$0] })
      connection.unsubscribe(indices)
      for index in indices { subscribers[index].removeAll { $0 === connection } }
    case .mode(let mode, let tokens):
      for index in tokens.compactMap({ indexByToken[$0] }) where connection.setMode(mode, of: index) {
        queue(index, for: connection, isSnapshot: true)
      }
    case nil:
      refuse(connection, "the message is not one of subscribe, unsubscribe and mode in JSON")
    }
    connection.signal.raise()
  }

  private mutating func subscribe(_ connection: Connection, to tokens: [UInt32], now: Timestamp) {
    _ = startClock(now: now)
    let limit = configuration.instrumentsPerConnectionMax
    guard connection.requestCount + tokens.count <= limit else {
      refuse(connection, "a connection can subscribe to at most \(limit) instruments")
      return
    }
    for token in tokens {
      guard let index = indexByToken[token] else {
        refuse(connection, "there is no instrument with token \(token)")
        continue
      }
      guard connection.subscribe(index) else { continue }
      if staysMute(index) { connection.muted.insert(index) }
      subscribers[index].append(connection)
      queue(index, for: connection, isSnapshot: true)
    }
  }

  private func refuse(_ connection: Connection, _ reason: String) {
    connection.outbox.append(.text(TickerText.error(reason)))
  }

  /// Answers a ping.
  func ping(_ payload: [UInt8], from id: Int) {
    guard let connection = connections[id], !connection.isDeaf else { return }
    connection.outbox.append(.pong(payload))
    connection.signal.raise()
  }

  /// Notes that the client's close frame arrived.
  func clientClosed(_ id: Int, code: UInt16) {
    guard let connection = connections[id] else { return }
    if case .open = connection.phase, !connection.isDeaf {
      connection.phase = .closedByClient(code: code)
    } else {
      connection.phase = .over
    }
    connection.signal.raise()
  }

  /// Notes that nothing more can be read from the client.
  func clientGone(_ id: Int) {
    connections[id]?.phase = .over
    connections[id]?.signal.raise()
  }

  /// Forgets the connection; what was being written does not count as sent.
  mutating func remove(_ id: Int) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    for index in connection.subscribed { subscribers[index].removeAll { $0 === connection } }
  }

  /// What the connection's writer is to do now that everything before has been handed to the kernel.
  mutating func nextStep(for id: Int, now: Timestamp) -> Step {
    guard let connection = connections[id] else { return .end }
    settle(connection)
    connection.isWaiting = false
    switch connection.phase {
    case .over: return .end
    case .cutMidFrame:
      connection.phase = .over
      return .cut(Self.brokenFrame)
    case .closeSent: return .awaitClose
    case .closedByClient(let code):
      connection.phase = .over
      return .send(.close(code: code))
    case .open: break
    }
    if effects.closesAtOnce { return .end }
    if effects.isSilent || connection.isDeaf, !isDraining {
      connection.isWaiting = true
      return .wait
    }
    if let outgoing = nextMessage(for: connection, now: now) {
      connection.lastWrite = now
      return .send(outgoing)
    }
    if isDraining {
      connection.phase = .closeSent
      return .send(.close(code: Self.goingAway))
    }
    if connection.ticksLeft == 0 { return .end }
    connection.isWaiting = true
    return .wait
  }

  private mutating func nextMessage(for connection: Connection, now: Timestamp) -> Outgoing? {
    if connection.isGarbageDue {
      connection.isGarbageDue = false
      return .binary(garbageFrame())
    }
    if let again = connection.repeated {
      connection.repeated = nil
      return sending(again, on: connection, isRepetition: true)
    }
    if let held = connection.heldBack, held.isDue || isDraining {
      connection.heldBack = nil
      return sending(held.frame, on: connection, isRepetition: false)
    }
    if let message = connection.outbox.take() {
      switch message {
      case .data(let frame):
        guard effects.reorders else { return sending(frame, on: connection) }
        if connection.heldBack == nil {
          connection.heldBack = (frame, isDue: false)
          return nextMessage(for: connection, now: now)
        }
        connection.heldBack?.isDue = true
        return sending(frame, on: connection)
      case .heartbeat:
        totals.heartbeats += 1
        totals.bytes += 1
        return .binary([0])
      case .text(let text): return .text(text)
      case .pong(let payload): return .pong(payload)
      }
    }
    if !effects.reorders, let held = connection.heldBack {
      connection.heldBack = nil
      return sending(held.frame, on: connection)
    }
    if configuration.isUnpaced, let time = runningFeedTime(now: now),
      let frame = unpacedFrame(for: connection, time: time)
    {
      return sending(frame, on: connection)
    }
    return nil
  }

  private mutating func sending(_ frame: DataFrame, on connection: Connection, isRepetition: Bool = false)
    -> Outgoing
  {
    connection.inFlight = frame
    if effects.sendsGarbage { connection.isGarbageDue = true }
    if effects.sendsTwice, !isRepetition { connection.repeated = frame }
    return .binary(frame.payload)
  }

  private mutating func settle(_ connection: Connection) {
    guard let frame = connection.inFlight else { return }
    connection.inFlight = nil
    totals.frames += 1
    totals.bytes += frame.payload.count
    totals.ticks += frame.packetCount
    totals.snapshotTicks += frame.snapshotCount
    for index in frame.instruments { sentByIndex[Int(index)] += 1 }
  }

  // MARK: The end, and what was sent

  /// Stops trading; every connection ends in order once what waits for it is written.
  mutating func drain() {
    isDraining = true
    for connection in connections.values where connection.isDeaf { connection.phase = .over }
    for connection in connections.values { connection.signal.raise() }
  }

  /// True when no connection is left.
  var hasNoConnections: Bool { connections.isEmpty }

  /// What was sent up to now.
  var report: SimulationReport {
    var report = totals
    report.isFinished = isFinished
    for (index, instrument) in market.instruments.enumerated() where sentByIndex[index] > 0 {
      report.ticksByToken[Int(instrument.token)] = sentByIndex[index]
      report.ticksByVenueToken[venueToken(of: index)] = sentByIndex[index]
    }
    return report
  }
}
