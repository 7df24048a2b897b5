internal import Glibc
public import MarketData

/// Several connections to one venue, which look like one: instruments are spread over them, and one thread waits for
/// all of them together.
///
/// When one is lost, or does not come with the others, they go on: it says so, and its owner has that one restored, which
/// keeps nobody waiting, see ``Dial``. Only without any is the source lost. Between a socket and the tick nothing is
/// allocated here.
public final class SpreadSource: TickSource {
  /// How many connections, and when one of them counts as dead.
  public struct Options: Sendable {
    /// Instruments that the venue allows on one connection.
    public var instrumentsPerConnection: Int
    /// Connections at most; there are no more than the instruments need.
    public var connectionsMax: Int
    /// A connection that brings nothing for so long while others do counts as dead.
    public var silenceMillisecondsMax = 15_000
    /// A connection that takes longer to open is no longer waited for while there is another one.
    public var patienceMilliseconds = 250

    /// Makes options for a venue's limits.
    public init(instrumentsPerConnection: Int, connectionsMax: Int) {
      self.instrumentsPerConnection = instrumentsPerConnection
      self.connectionsMax = connectionsMax
    }

    /// Instruments on all connections together.
    public var instrumentsMax: Int { instrumentsPerConnection * connectionsMax }
  }

  private struct Member {
    let source: any SocketSource
    var isConnected = false
    /// It is to be opened again when the owner says so.
    var isLost = false
    /// The attempt to open it that is under way.
    var dial: Dial?
    /// In monotonic milliseconds.
    var lastAlive = Int64.min
    var statistics = SourceStatistics()
  }

  /// The venue's word.
  public let name: String
  /// Counts of all connections since the source was made.
  public private(set) var statistics = SourceStatistics()

  private let options: Options
  private let makeSource: () -> any SocketSource
  private var members: [Member] = []
  private var spread: InstrumentSpread
  private var subscriptions: [Subscription] = []
  private var isConnected = false
  private var changes: [PartChange] = []
  /// Longest time between two looks at the attempts that are under way.
  private static let dialMilliseconds = 5
  /// Kept, so that no round allocates; the entries of all members, whose descriptor is -1 where there is none.
  private var entries: [pollfd] = []

  /// Makes a source that is not connected; `makeSource` makes one connection of it.
  public init(name: String, options: Options, makeSource: @escaping () -> any SocketSource) {
    self.name = name
    self.options = options
    self.makeSource = makeSource
    spread = Self.spread(options)
  }

  private static func spread(_ options: Options) -> InstrumentSpread {
    InstrumentSpread(
      InstrumentSpread.Limits(
        instrumentsPerConnection: options.instrumentsPerConnection, connections: options.connectionsMax))
  }

  /// Connections that are open.
  public var connectionCount: Int { members.count { $0.isConnected } }

  // MARK: Connecting and subscribing

  /// Opens as many connections as the subscriptions need, one at least, spread anew. One that fails or takes too long
  /// while another is open counts as lost.
  ///
  /// - Throws: as ``TickSource/connect(until:)`` when none can be opened, or one of them is refused in a manner that
  ///   concerns all; then none is open.
  public func connect(until shouldStop: () -> Bool) throws(Fault) {
    close()
    spread = Self.spread(options)
    do {
      try distribute()
      members.removeLast(members.count - shares.count)
      try openAll(members.indices.filter { $0 == 0 || !shares[$0].isEmpty }, until: shouldStop)
    } catch {
      close()
      throw error
    }
  }

  /// One after the other, so that the venue sees no rush, but with little patience for each.
  private func openAll(_ wanted: [Int], until shouldStop: () -> Bool) throws(Fault) {
    for index in wanted {
      open(index)
      try members[index].dial?.wait(milliseconds: options.patienceMilliseconds, until: shouldStop)
    }
    // The last resort is waited for as long as it takes.
    while !wanted.contains(where: { members[$0].dial?.standing == .connected }),
      let index = wanted.first(where: { members[$0].dial?.standing == .underWay })
    { try members[index].dial?.wait(milliseconds: options.patienceMilliseconds, until: shouldStop) }

    var unopened: [(index: Int, fault: Fault)] = []
    for index in wanted {
      switch settle(index) {
      case .success: break
      case .failure(let fault):
        guard [.unavailable, .protocolViolation].contains(fault.kind) else { throw fault }
        unopened.append((index, fault))
      case nil:
        let fault = Fault(.unavailable, "is not open after \(options.patienceMilliseconds) ms")
        unopened.append((index, named(fault, index)))
      }
    }
    if connectionCount == 0, let first = unopened.first { throw first.fault }
    isConnected = true
    for (index, fault) in unopened { try lose(index, because: fault, .unopened) }
  }

  /// Begins to open a connection.
  private func open(_ index: Int) {
    members[index].lastAlive = MonotonicClock.nowMilliseconds()
    members[index].dial = Dial(members[index].source.dialler)
  }

  /// What an attempt has come to; nil while it is under way, and when there is none.
  private func settle(_ index: Int) -> Result<Void, Fault>? {
    guard let outcome = members[index].dial?.outcome else { return nil }
    members[index].dial = nil
    do throws(Fault) {
      try members[index].source.adopt(try outcome.get())
    } catch {
      members[index].source.close()
      return .failure(named(error, index))
    }
    members[index].isConnected = true
    members[index].isLost = false
    members[index].lastAlive = MonotonicClock.nowMilliseconds()
    return .success(())
  }

  /// Asks for all there is of each instrument.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the subscriptions; begins to open a further connection where they need one. A connection that fails
  /// meanwhile counts as lost, and the others go on.
  ///
  /// - Throws: `Fault` of kind `configuration`, changing nothing, that names what is beyond the limits; otherwise as
  ///   the venue's own source.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    var trial = spread
    _ = try trial.place(subscriptions)
    self.subscriptions = subscriptions
    try distribute()
    guard isConnected else { return }
    for index in shares.indices where !shares[index].isEmpty {
      let member = members[index]
      if !member.isConnected, !member.isLost, member.dial == nil { open(index) }
    }
  }

  /// Each member's share, as it was distributed last.
  private var shares: [[Subscription]] = []

  private func distribute() throws(Fault) {
    shares = try spread.place(subscriptions)
    while members.count < shares.count { members.append(Member(source: makeSource())) }
    for index in members.indices {
      do {
        try members[index].source.subscribe(to: index < shares.count ? shares[index] : [])
      } catch {
        try lose(index, because: named(error, index))
      }
    }
  }

  // MARK: Losing and restoring one connection

  /// Gives one connection up, while there are others.
  ///
  /// - Throws: `fault` when there is no other.
  private func lose(_ index: Int, because fault: Fault, _ manner: LostPart.Manner = .broken) throws(Fault) {
    members[index].source.close()
    members[index].isConnected = false
    guard isConnected, members.contains(where: { $0.isConnected }) else { throw fault }
    noteLost(index, because: fault, manner)
  }

  private func noteLost(_ index: Int, because fault: Fault, _ manner: LostPart.Manner) {
    members[index].isLost = true
    changes.append(
      .lost(
        LostPart(
          part: index, instruments: instruments(of: index), lastAlive: members[index].lastAlive * 1_000_000,
          manner: manner, fault: fault)))
  }

  private func instruments(of index: Int) -> [InstrumentID] {
    index < shares.count ? shares[index].map(\.instrument.id) : []
  }

  /// What became of connections since this was last asked.
  public func takePartChanges() -> [PartChange] {
    guard !changes.isEmpty else { return [] }
    defer { changes = [] }
    return changes
  }

  /// Goes on with what attempts have come to; true while one is under way.
  private func tendDials() -> Bool {
    var isUnderWay = false
    for index in members.indices where members[index].dial != nil {
      switch settle(index) {
      case nil: isUnderWay = true
      case .success: changes.append(.opened(part: index, instruments: instruments(of: index)))
      case .failure(let fault) where members[index].isLost: changes.append(.failed(part: index, fault: fault))
      case .failure(let fault): noteLost(index, because: fault, .unopened)
      }
    }
    return isUnderWay
  }

  /// What is to be carried by connections that are not open.
  public var lostInstruments: [InstrumentID] {
    members.indices.filter { !members[$0].isConnected }.flatMap { instruments(of: $0) }
  }

  /// Begins to open a lost connection again, unless there is nothing left for it to carry or an attempt is under way.
  public func restore(part: Int) {
    guard members.indices.contains(part), members[part].isLost, members[part].dial == nil else { return }
    guard instruments(of: part).isEmpty else { return open(part) }
    members[part].isLost = false
    changes.append(.opened(part: part, instruments: []))
  }

  // MARK: Receiving

  /// Waits for bytes on any connection.
  ///
  /// - Throws: as ``TickSource/receive(timeoutMilliseconds:into:)``, for the connection that it names.
  public func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    guard isConnected else { throw Fault(.unavailable, "\(name): not connected") }
    if members.count == 1 {
      return try receive(0, timeoutMilliseconds: timeoutMilliseconds, into: &ticks)
    }
    let timeout = tendDials() ? min(timeoutMilliseconds, Self.dialMilliseconds) : timeoutMilliseconds
    // TLS may hold decrypted bytes although a socket is silent, so reading comes before waiting.
    let activity = try receiveWithoutWaiting(into: &ticks) { _ in true }
    guard activity == .idle, timeout > 0, wait(milliseconds: timeout) else {
      return activity
    }
    return try receiveWithoutWaiting(into: &ticks) { entries[$0].revents != 0 }
  }

  private func receiveWithoutWaiting(into ticks: inout [Tick], from isMeant: (Int) -> Bool) throws(Fault)
    -> SourceActivity
  {
    var activity = SourceActivity.idle
    for index in members.indices where members[index].isConnected && isMeant(index) {
      do {
        if try receive(index, timeoutMilliseconds: 0, into: &ticks) == .alive { activity = .alive }
      } catch {
        try lose(index, because: error)
      }
    }
    if activity == .alive { try checkSilence() }
    return activity
  }

  private func receive(_ index: Int, timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault)
    -> SourceActivity
  {
    let activity: SourceActivity
    do {
      activity = try members[index].source.receive(timeoutMilliseconds: timeoutMilliseconds, into: &ticks)
    } catch {
      note(index)
      throw named(error, index)
    }
    guard activity == .alive else { return .idle }
    note(index)
    members[index].lastAlive = MonotonicClock.nowMilliseconds()
    return .alive
  }

  /// Adds what a member has counted since it was looked at last.
  private func note(_ index: Int) {
    let now = members[index].source.statistics
    statistics.add(now, since: members[index].statistics)
    members[index].statistics = now
  }

  /// A connection can die without a word; the others tell that it is not the venue that is silent.
  private func checkSilence() throws(Fault) {
    let now = MonotonicClock.nowMilliseconds()
    for index in members.indices where members[index].isConnected {
      let silence = now - members[index].lastAlive
      guard silence > Int64(options.silenceMillisecondsMax) else { continue }
      let fault = Fault(
        .unavailable, "brought nothing, not even a heartbeat, for \(silence) ms while others did")
      try lose(index, because: named(fault, index), .stalled)
    }
  }

  private func wait(milliseconds: Int) -> Bool {
    entries.removeAll(keepingCapacity: true)
    for member in members {
      let interest = member.source.socketInterest
      let events = interest?.wantsToSend == true ? POLLIN | POLLOUT : POLLIN
      entries.append(pollfd(fd: interest?.descriptor ?? -1, events: Int16(events), revents: 0))
    }
    return poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds)) != 0
  }

  private func named(_ fault: Fault, _ index: Int) -> Fault {
    members.count == 1
      ? fault : Fault(fault.kind, "connection \(index + 1) of \(members.count): \(fault.message)")
  }

  // MARK: Ending

  /// Ends all connections in good order.
  public func close() {
    isConnected = false
    for index in members.indices {
      members[index].source.close()
      members[index].isConnected = false
      members[index].isLost = false
      members[index].dial?.abandon()
      members[index].dial = nil
    }
    changes = []
  }
}
