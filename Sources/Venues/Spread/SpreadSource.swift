internal import Glibc
public import MarketData

/// Several connections to one venue, which look like one: instruments are spread over them, and one thread waits for
/// all of them together.
///
/// When one is lost, the others go on: it says so, and its owner has that one restored; only without any is the source
/// lost. Between a socket and the tick nothing is allocated here.
public final class SpreadSource: TickSource {
  /// How many connections, and when one of them counts as dead.
  public struct Options: Sendable {
    /// Instruments that the venue allows on one connection.
    public var instrumentsPerConnection: Int
    /// Connections at most; there are no more than the instruments need.
    public var connectionsMax: Int
    /// A connection that brings nothing for so long while others do counts as dead.
    public var silenceMillisecondsMax = 15_000

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
    /// It was open and is to be opened again when the owner says so.
    var isLost = false
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
  /// Kept, so that no round allocates.
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

  /// Opens as many connections as the subscriptions need, one at least, spread anew.
  ///
  /// - Throws: as ``TickSource/connect()``; then none is open.
  public func connect() throws(Fault) {
    close()
    spread = Self.spread(options)
    do {
      try distribute()
      members.removeLast(members.count - shares.count)
      isConnected = true
      for index in members.indices where index == 0 || !shares[index].isEmpty { try connect(index) }
    } catch {
      close()
      throw error
    }
  }

  private func connect(_ index: Int) throws(Fault) {
    do {
      try members[index].source.connect()
    } catch {
      throw named(error, index)
    }
    members[index].isConnected = true
    members[index].isLost = false
    members[index].lastAlive = MonotonicClock.nowMilliseconds()
  }

  /// Asks for all there is of each instrument.
  ///
  /// - Throws: as ``subscribe(to:)-([Subscription])``.
  public func subscribe(to instruments: [Instrument]) throws(Fault) {
    try subscribe(to: instruments.map { Subscription($0) })
  }

  /// Replaces the subscriptions; opens a further connection where they need one. A connection that fails meanwhile
  /// counts as lost, and the others go on.
  ///
  /// - Throws: `Fault` of kind `configuration`, changing nothing, that names what is beyond the limits; otherwise as
  ///   the venue's own source.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    var trial = spread
    _ = try trial.place(subscriptions)
    self.subscriptions = subscriptions
    try distribute()
    guard isConnected else { return }
    for index in shares.indices
    where !members[index].isConnected && !members[index].isLost && !shares[index].isEmpty {
      do {
        try connect(index)
      } catch {
        members[index].lastAlive = MonotonicClock.nowMilliseconds()
        try lose(index, because: error)
      }
    }
  }

  /// Each member's share, as it was distributed last.
  private var shares: [[Subscription]] = []
  private var lost: [LostPart] = []

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
  private func lose(_ index: Int, because fault: Fault, isStalled: Bool = false) throws(Fault) {
    members[index].source.close()
    members[index].isConnected = false
    guard isConnected, members.contains(where: { $0.isConnected }) else { throw fault }
    members[index].isLost = true
    lost.append(
      LostPart(
        part: index, instruments: instruments(of: index), lastAlive: members[index].lastAlive * 1_000_000,
        isStalled: isStalled, fault: fault))
  }

  private func instruments(of index: Int) -> [InstrumentID] {
    index < shares.count ? shares[index].map(\.instrument.id) : []
  }

  /// The connections that were lost since this was last asked.
  public func takeLostParts() -> [LostPart] {
    guard !lost.isEmpty else { return [] }
    defer { lost = [] }
    return lost
  }

  /// What the lost connections are to carry.
  public var lostInstruments: [InstrumentID] {
    members.indices.filter { members[$0].isLost }.flatMap { instruments(of: $0) }
  }

  /// Opens a lost connection again, unless there is nothing left for it to carry.
  ///
  /// - Throws: as ``TickSource/restore(part:)``.
  public func restore(part: Int) throws(Fault) -> [InstrumentID] {
    guard members.indices.contains(part), members[part].isLost else { return [] }
    let carried = instruments(of: part)
    if carried.isEmpty {
      members[part].isLost = false
    } else {
      try connect(part)
    }
    return carried
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
    // TLS may hold decrypted bytes although a socket is silent, so reading comes before waiting.
    var activity = try receiveWithoutWaiting(into: &ticks)
    if activity == .idle, timeoutMilliseconds > 0, wait(milliseconds: timeoutMilliseconds) {
      activity = try receiveWithoutWaiting(into: &ticks)
    }
    return activity
  }

  private func receiveWithoutWaiting(into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
    var activity = SourceActivity.idle
    for index in members.indices where members[index].isConnected {
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
      try lose(index, because: named(fault, index), isStalled: true)
    }
  }

  private func wait(milliseconds: Int) -> Bool {
    entries.removeAll(keepingCapacity: true)
    for member in members {
      guard let interest = member.source.socketInterest else { continue }
      let events = interest.wantsToSend ? POLLIN | POLLOUT : POLLIN
      entries.append(pollfd(fd: interest.descriptor, events: Int16(events), revents: 0))
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
    }
    lost = []
  }
}
