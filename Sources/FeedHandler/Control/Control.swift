internal import Configuration
internal import FeedControl
internal import Glibc
internal import MarketData
internal import SharedRing
internal import Synchronization

/// Carries out the requests of the control socket: lanes come and go, and what they observe is asked of the venue.
///
/// Runs on the control server's threads, one request at a time; it never touches the receive thread's state, only
/// sends it commands.
final class Control: Sendable {
  struct Settings: Sendable {
    var feed: String
    var laneSlots: Int
    var lanesMax: Int
    var options: SegmentOptions
    /// Instruments that the venue accepts on its connections.
    var instrumentsMax: Int
  }

  struct State {
    /// How much of instruments is asked for unless somebody says otherwise.
    var modes = FeedConfiguration.Subscriptions()
    var subscriptions = Subscriptions()
    var instruments: [InstrumentID: Instrument] = [:]
    var lanes: [String: Lane] = [:]
    /// The version of the filter last sent to each lane.
    var filterVersions: [String: UInt64] = [:]
  }

  /// Symbols named in one sentence.
  private static let namedMax = 5

  let settings: Settings
  let segment: FeedSegment
  let backend: any FeedBackend
  let state: Mutex<State>
  /// What ends HALTs and reads the configuration again; nil for a replay, which has neither.
  let recovery: ControlRecovery?

  init(
    settings: Settings, segment: FeedSegment, backend: any FeedBackend, configured: [Instrument],
    modes: FeedConfiguration.Subscriptions = .init(), recovery: ControlRecovery? = nil
  ) {
    self.settings = settings
    self.segment = segment
    self.backend = backend
    self.recovery = recovery
    var initial = State()
    initial.modes = modes
    Self.observe(configured, by: .configuration, mode: nil, &initial)
    initial.instruments = Dictionary(uniqueKeysWithValues: configured.map { ($0.id, $0) })
    state = Mutex(initial)
    segment.set(.observed, UInt64(configured.count))
    backend.noteWanted(Self.wanted(initial))
  }

  /// What the venue is asked for at the start.
  var wanted: [Subscription] { state.withLock { Self.wanted($0) } }

  var feed: String { settings.feed }

  func attach(_ request: LaneRequest) throws(Fault) -> LaneAnswer {
    try SegmentNames.check(request.lane, what: "lane")
    guard request.lane != FeedHandler.recorderLane else {
      throw Fault(
        .usage, "the lane name '\(FeedHandler.recorderLane)' belongs to the feed handler; choose another")
    }
    return try state.withLock { state throws(Fault) in
      let instruments = try resolve(request.symbols, &state)
      try checkRoom(for: instruments, by: .lane(request.lane), state)
      // A lane that its consumer has cut short is of no use to anybody: the name begins anew.
      if state.lanes[request.lane]?.isTruncated == true { remove(request.lane, &state) }
      let lane: Lane
      let isExisting = state.lanes[request.lane] != nil
      if let existing = state.lanes[request.lane] {
        guard !existing.hasConsumer else {
          throw Fault(
            .held,
            "lane '\(request.lane)' of feed '\(settings.feed)' is being read by process \(existing.consumerPID); "
              + "choose another lane name")
        }
        lane = existing
      } else {
        lane = try makeLane(request.lane, slots: request.slots ?? settings.laneSlots, &state)
      }
      try observe(instruments, by: .lane(request.lane), &state)
      segment.add(.attaches)
      return LaneAnswer(
        isTakenOver: isExisting || lane.isTakenOver, filterVersion: state.filterVersions[request.lane] ?? 0)
    }
  }

  /// Takes up again the lanes whose feed handler died while their consumers lived: these go on in the very memory
  /// that they have mapped. Returns what happened, in sentences.
  ///
  /// What a lane says that it carried is a consumer's word: only instruments that `known` finds count, and the
  /// venue's limit holds for them as for a request.
  func adoptLanes(knowing known: (InstrumentSet) throws(Fault) -> [Instrument])
    -> [(message: String, isFault: Bool)]
  {
    SegmentDirectory.laneNames(of: settings.feed).filter { $0 != FeedHandler.recorderLane }.compactMap {
      name in
      guard let report = try? SegmentReport(lane: name, of: settings.feed), report.consumer.isHeld,
        report.attach == .staleProducer, let capacity = report.capacity
      else { return nil }
      do throws(Fault) {
        let count = try state.withLock { state throws(Fault) in
          let lane = try makeLane(name, slots: capacity, &state)
          try observe(try known(lane.filterLeft), by: .lane(name), &state)
          return lane.filterLeft.count
        }
        segment.add(.adoptions)
        return (
          "lane '\(name)' of process \(report.consumer.pid), observing \(count) instruments, goes on", false
        )
      } catch {
        return ("lane '\(name)' cannot be taken up again: \(error.message)", true)
      }
    }
  }

  private func makeLane(_ name: String, slots: Int, _ state: inout State) throws(Fault) -> Lane {
    guard state.lanes.count < settings.lanesMax else {
      throw Fault(
        .held,
        "feed '\(settings.feed)' already has \(settings.lanesMax) lanes, as shared_memory.lanes_max allows")
    }
    let writer = try LaneWriter(
      feed: settings.feed, lane: name, capacity: slots, options: settings.options)
    let lane = Lane(name: name, writer: writer)
    state.lanes[name] = lane
    state.filterVersions[name] = lane.firstVersion
    backend.commands.post(.addLane(lane))
    segment.set(.lanes, UInt64(state.lanes.count))
    return lane
  }

  func detach(_ name: String) throws(Fault) {
    try state.withLock { state throws(Fault) in
      guard state.lanes[name] != nil else { throw noLane(name) }
      remove(name, &state)
      if state.subscriptions.remove(.lane(name)) { updateSource(&state) }
      segment.add(.detaches)
      segment.set(.lanes, UInt64(state.lanes.count))
    }
  }

  private func remove(_ name: String, _ state: inout State) {
    state.lanes[name] = nil
    state.filterVersions[name] = nil
    backend.commands.post(.removeLane(name))
    SharedMapping.unlink(SegmentNames.lane(name, of: settings.feed))
  }

  /// Adds symbols to what a lane observes, or, without a lane, to what is recorded.
  ///
  /// - Parameter mode: how much of them; nil for what is configured.
  func observe(_ symbols: [String], lane: String?, mode: FeedMode? = nil) throws(Fault) -> ObserveAnswer {
    try state.withLock { state throws(Fault) in
      let observer = try observer(lane, state)
      try observe(try resolve(symbols, &state), by: observer, mode: mode, &state)
      return answer(observer, state)
    }
  }

  /// Takes symbols away from what a lane observes, or, without a lane, from what is recorded.
  func unobserve(_ symbols: [String], lane: String?) throws(Fault) -> ObserveAnswer {
    try state.withLock { state throws(Fault) in
      let observer = try observer(lane, state)
      let ids = try resolve(symbols, &state).map(\.id)
      var changed = state.subscriptions.unobserve(ids, by: observer)
      // Without a lane the request speaks for whoever wrote the configuration, too.
      if lane == nil { changed = state.subscriptions.unobserve(ids, by: .configuration) || changed }
      updateFilter(of: observer, &state)
      if changed { updateSource(&state) }
      return answer(observer, state)
    }
  }

  /// Records that found a lane full, of all lanes there are.
  func dropped() -> UInt64 {
    state.withLock { state in state.lanes.values.reduce(0) { $0 + $1.dropped } }
  }

  /// Removes every lane's name; consumers that have one mapped can still read it to its end.
  func removeLanes() {
    state.withLock { state in
      for name in state.lanes.keys { SharedMapping.unlink(SegmentNames.lane(name, of: settings.feed)) }
      state.lanes = [:]
    }
  }

  func observe(
    _ instruments: [Instrument], by observer: Subscriptions.Observer, mode: FeedMode? = nil,
    _ state: inout State
  ) throws(Fault) {
    try checkRoom(for: instruments, by: observer, state)
    try define(instruments, &state)
    let changed = Self.observe(instruments, by: observer, mode: mode, &state)
    updateFilter(of: observer, &state)
    if changed { updateSource(&state) }
  }

  /// True when the union, or a mode in it, changed.
  @discardableResult
  private static func observe(
    _ instruments: [Instrument], by observer: Subscriptions.Observer, mode: FeedMode?, _ state: inout State
  ) -> Bool {
    let configured = state.modes.modes
    let byMode = Dictionary(grouping: instruments) { mode ?? configured[$0.symbol] ?? state.modes.mode }
    var changed = false
    for (mode, instruments) in byMode
    where state.subscriptions.observe(instruments.map(\.id), by: observer, mode: mode) { changed = true }
    return changed
  }

  func checkRoom(
    for instruments: [Instrument], by observer: Subscriptions.Observer, _ state: State
  ) throws(Fault) {
    var wanted = state.subscriptions
    _ = wanted.observe(instruments.map(\.id), by: observer)
    guard wanted.unionCount > settings.instrumentsMax else { return }
    let new = instruments.filter { state.subscriptions.mode(of: $0.id) == nil }
    let surplus = new.suffix(wanted.unionCount - settings.instrumentsMax).map(\.symbol.text)
    let named = surplus.prefix(Self.namedMax).joined(separator: ", ")
    throw Fault(
      .usage,
      "the venue takes \(settings.instrumentsMax) instruments and \(state.subscriptions.unionCount) are observed "
        + "already, so there is no room for \(named)"
        + (surplus.count > Self.namedMax ? " and \(surplus.count - Self.namedMax) more" : "")
        + "; nothing of the request was taken, unobserve some first")
  }

  func resolve(_ symbols: [String], _ state: inout State) throws(Fault) -> [Instrument] {
    var parsed: [Symbol] = []
    for text in symbols { parsed.append(try Symbol(text)) }
    let instruments = try backend.instruments(for: parsed)
    try define(instruments, &state)
    return instruments
  }

  private func define(_ instruments: [Instrument], _ state: inout State) throws(Fault) {
    let new = instruments.filter { state.instruments[$0.id] == nil }
    guard !new.isEmpty else { return }
    try segment.define(new)
    backend.define(new)
    for instrument in new { state.instruments[instrument.id] = instrument }
  }

  private func updateFilter(of observer: Subscriptions.Observer, _ state: inout State) {
    guard case .lane(let name) = observer else { return }
    let version = (state.filterVersions[name] ?? 0) &+ 1
    state.filterVersions[name] = version
    let instruments = InstrumentSet(state.subscriptions.instruments(of: observer))
    backend.commands.post(.observe(lane: name, Lane.Filter(instruments: instruments, version: version)))
  }

  func updateSource(_ state: inout State) {
    let wanted = Self.wanted(state)
    segment.set(.observed, UInt64(wanted.count))
    backend.noteWanted(wanted)
    backend.commands.post(.subscribe(wanted))
  }

  private static func wanted(_ state: State) -> [Subscription] {
    state.subscriptions.union.compactMap { id in
      guard let instrument = state.instruments[id], let mode = state.subscriptions.mode(of: id) else {
        return nil
      }
      return Subscription(instrument, mode: mode)
    }
  }

  private func observer(_ lane: String?, _ state: State) throws(Fault) -> Subscriptions.Observer {
    guard let lane else { return .control }
    guard state.lanes[lane] != nil else { throw noLane(lane) }
    return .lane(lane)
  }

  private func answer(_ observer: Subscriptions.Observer, _ state: State) -> ObserveAnswer {
    var filterVersion: UInt64?
    if case .lane(let name) = observer { filterVersion = state.filterVersions[name] }
    return ObserveAnswer(
      observed: state.subscriptions.instruments(of: observer).count, union: state.subscriptions.unionCount,
      filterVersion: filterVersion)
  }

  private func noLane(_ name: String) -> Fault {
    Fault(.usage, "feed '\(settings.feed)' has no lane '\(name)'")
  }
}
