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

  private struct State {
    var subscriptions = Subscriptions()
    var instruments: [InstrumentID: Instrument] = [:]
    var lanes: [String: Lane] = [:]
  }

  private let settings: Settings
  private let segment: FeedSegment
  private let backend: any FeedBackend
  private let state: Mutex<State>

  init(
    settings: Settings, segment: FeedSegment, backend: any FeedBackend, configured: [Instrument]
  ) {
    self.settings = settings
    self.segment = segment
    self.backend = backend
    var initial = State()
    _ = initial.subscriptions.observe(configured.map(\.id), by: .configuration)
    initial.instruments = Dictionary(uniqueKeysWithValues: configured.map { ($0.id, $0) })
    state = Mutex(initial)
    segment.set(.observed, UInt64(configured.count))
  }

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
      let isExisting = state.lanes[request.lane] != nil
      let lane: Lane
      if let existing = state.lanes[request.lane] {
        guard !existing.hasConsumer else {
          throw Fault(
            .held, "lane '\(request.lane)' of feed '\(settings.feed)' is being read; choose another lane name"
          )
        }
        lane = existing
      } else {
        guard state.lanes.count < settings.lanesMax else {
          throw Fault(
            .held,
            "feed '\(settings.feed)' already has \(settings.lanesMax) lanes, as shared_memory.lanes_max allows"
          )
        }
        let writer = try LaneWriter(
          feed: settings.feed, lane: request.lane, capacity: request.slots ?? settings.laneSlots,
          options: settings.options)
        lane = Lane(name: request.lane, writer: writer, observed: InstrumentSet(instruments.map(\.id)))
        state.lanes[request.lane] = lane
        backend.commands.post(.addLane(lane))
      }
      try observe(instruments, by: .lane(request.lane), &state)
      segment.add(.attaches)
      segment.set(.lanes, UInt64(state.lanes.count))
      return LaneAnswer(isTakenOver: isExisting || lane.isTakenOver)
    }
  }

  func detach(_ name: String) throws(Fault) {
    try state.withLock { state throws(Fault) in
      guard state.lanes.removeValue(forKey: name) != nil else { throw noLane(name) }
      backend.commands.post(.removeLane(name))
      SharedMapping.unlink(SegmentNames.lane(name, of: settings.feed))
      if state.subscriptions.remove(.lane(name)) { updateSource(&state) }
      segment.add(.detaches)
      segment.set(.lanes, UInt64(state.lanes.count))
    }
  }

  /// Adds symbols to what a lane observes, or, without a lane, to what is recorded.
  func observe(_ symbols: [String], lane: String?) throws(Fault) -> ObserveAnswer {
    try state.withLock { state throws(Fault) in
      let observer = try observer(lane, state)
      try observe(try resolve(symbols, &state), by: observer, &state)
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
      updateFilter(of: observer, state)
      if changed { updateSource(&state) }
      return answer(observer, state)
    }
  }

  func status() -> ControlStatus {
    let lanes = state.withLock { state in
      state.lanes.values.sorted { $0.name < $1.name }.map { lane in
        ControlStatus.Lane(
          name: lane.name, observed: state.subscriptions.instruments(of: .lane(lane.name)).count,
          hasConsumer: lane.hasConsumer)
      }
    }
    let badFrame = backend.lastBadFrame
    return ControlStatus(
      feed: settings.feed, pid: getpid(),
      state: FeedState(rawValue: segment.value(.state)).map { "\($0)" } ?? "unknown",
      lastBadFrame: badFrame.isEmpty ? nil : badFrame,
      counters: Dictionary(
        uniqueKeysWithValues: FeedCounter.allCases.map { ($0.name, segment.value($0)) }),
      lanes: lanes)
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

  private func observe(_ instruments: [Instrument], by observer: Subscriptions.Observer, _ state: inout State)
    throws(Fault)
  {
    try checkRoom(for: instruments, by: observer, state)
    let changed = state.subscriptions.observe(instruments.map(\.id), by: observer)
    updateFilter(of: observer, state)
    if changed { updateSource(&state) }
  }

  private func checkRoom(
    for instruments: [Instrument], by observer: Subscriptions.Observer, _ state: State
  ) throws(Fault) {
    var wanted = state.subscriptions
    _ = wanted.observe(instruments.map(\.id), by: observer)
    guard wanted.unionCount > settings.instrumentsMax else { return }
    throw Fault(
      .usage,
      "the venue takes \(settings.instrumentsMax) instruments and \(state.subscriptions.unionCount) are observed "
        + "already; unobserve some first")
  }

  private func resolve(_ symbols: [String], _ state: inout State) throws(Fault) -> [Instrument] {
    var parsed: [Symbol] = []
    for text in symbols { parsed.append(try Symbol(text)) }
    let instruments = try backend.instruments(for: parsed)
    let new = instruments.filter { state.instruments[$0.id] == nil }
    if !new.isEmpty {
      try segment.define(new)
      backend.define(new)
      for instrument in new { state.instruments[instrument.id] = instrument }
    }
    return instruments
  }

  private func updateFilter(of observer: Subscriptions.Observer, _ state: State) {
    guard case .lane(let name) = observer else { return }
    let observed = InstrumentSet(state.subscriptions.instruments(of: observer))
    backend.commands.post(.observe(lane: name, observed))
  }

  private func updateSource(_ state: inout State) {
    let wanted = state.subscriptions.union.compactMap { state.instruments[$0] }
    segment.set(.observed, UInt64(wanted.count))
    backend.commands.post(.subscribe(wanted))
  }

  private func observer(_ lane: String?, _ state: State) throws(Fault) -> Subscriptions.Observer {
    guard let lane else { return .control }
    guard state.lanes[lane] != nil else { throw noLane(lane) }
    return .lane(lane)
  }

  private func answer(_ observer: Subscriptions.Observer, _ state: State) -> ObserveAnswer {
    ObserveAnswer(
      observed: state.subscriptions.instruments(of: observer).count, union: state.subscriptions.unionCount)
  }

  private func noLane(_ name: String) -> Fault {
    Fault(.usage, "feed '\(settings.feed)' has no lane '\(name)'")
  }
}
