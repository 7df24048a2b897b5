internal import Dispatch
internal import MarketData
internal import Synchronization

/// A scan on several cores: a plan from which each takes the next block, and a ring of places in which the blocks wait,
/// unpacked, until the caller has come to them. The caller's core is one of them: it unpacks a block itself whenever the
/// next one is not ready.
final class SharedScan: ScanSource, @unchecked Sendable {
  // @unchecked: only `wanted` and `holdsPlace` are changed, by the caller's thread alone.

  private struct Progress: Sendable {
    var plan: BlockPlan
    /// Blocks taken from the plan so far; each has its number.
    var claimed = 0
    var isEnded = false
  }

  private let progress: Mutex<Progress>
  private let filter: TickFilter
  private let places: [ScanPlace]
  /// One permit for each place that is free.
  private let room = DispatchSemaphore(value: 0)
  private let isStopped = Atomic<Bool>(false)
  private let helperCount: Int
  /// Number of the next block that the caller asks for.
  private var wanted = 0
  /// True while the caller holds the place of the block before.
  private var holdsPlace = false

  /// Places for each core: one that is being filled and one that waits.
  private static let placesPerCore = 2

  init(plan: BlockPlan, filter: TickFilter, cores: Int, kernels: TickKernels) {
    progress = Mutex(Progress(plan: plan))
    self.filter = filter
    helperCount = cores - 1
    places = (0..<cores * Self.placesPerCore).map { _ in ScanPlace(kernels: kernels) }
    // A semaphore that is freed below its first value traps, so it starts at zero.
    for _ in places { room.signal() }
    for number in 0..<helperCount {
      DispatchQueue(label: "tickring.scan-\(number)").async { [self] in help() }
    }
  }

  /// Sends the helpers home; what they are at is finished and thrown away.
  func stop() {
    isStopped.store(true, ordering: .relaxed)
    for _ in 0..<helperCount { room.signal() }
  }

  /// The outcome of the next block.
  func next() -> ScanOutcome {
    if holdsPlace { room.signal() }
    holdsPlace = true
    let place = places[wanted % places.count]
    wanted += 1
    while place.ready.wait(timeout: .now()) != .success {
      // A permit says that a place is free; without one, others are at work on this very block.
      guard room.wait(timeout: .now()) == .success else {
        place.ready.wait()
        break
      }
      if !unpackNext() {
        place.ready.wait()
        break
      }
    }
    return place.outcome
  }

  var ticks: UnsafeBufferPointer<Tick> { places[(wanted - 1) % places.count].ticks }

  private func help() {
    while true {
      room.wait()
      if isStopped.load(ordering: .relaxed) || !unpackNext() { return }
    }
  }

  /// Takes the next step of the plan and carries it out in its place, for which the caller has a permit; false when
  /// the plan has ended, the permit then being passed on.
  private func unpackNext() -> Bool {
    let claimed: (number: Int, step: Result<BlockPlan.Step?, Fault>)? = progress.withLock { progress in
      guard !progress.isEnded else { return nil }
      let number = progress.claimed
      progress.claimed += 1
      do throws(Fault) {
        let step = try progress.plan.next()
        progress.isEnded = step == nil
        return (number, .success(step))
      } catch {
        progress.isEnded = true
        return (number, .failure(error))
      }
    }
    guard let claimed else {
      room.signal()
      return false
    }
    let place = places[claimed.number % places.count]
    switch claimed.step {
    case .failure(let fault): place.outcome = .failed(fault)
    case .success(nil): place.outcome = .end
    case .success(.damage(let damaged)): place.outcome = .damaged(damaged)
    case .success(.block(let task)): place.unpack(task, filter)
    }
    place.ready.signal()
    return true
  }
}

/// A place for one unpacked block, with the memory to unpack it.
final class ScanPlace: @unchecked Sendable {
  // @unchecked: whoever has the permit for it writes it, then signals `ready`, upon which the caller reads it.

  let ready = DispatchSemaphore(value: 0)
  var outcome = ScanOutcome.nothing
  private let workspace: BlockWorkspace
  private var kept = 0..<0

  init(kernels: TickKernels) { workspace = .take(kernels: kernels) }

  // No thread has the place any more.
  deinit { workspace.giveBack() }

  var ticks: UnsafeBufferPointer<Tick> { workspace.decoder.decoded(kept) }

  func unpack(_ task: BlockTask, _ filter: TickFilter) {
    kept = 0..<0
    do throws(ScanFailure) {
      if try workspace.open(task, filter) { kept = try workspace.decode(of: task, filter) }
      outcome = kept.isEmpty ? .nothing : .ticks
    } catch {
      outcome = error.outcome(of: task)
    }
  }
}
