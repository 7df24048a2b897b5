internal import Dispatch
public import MarketData
internal import Synchronization

/// One pass over an archive that its caller drives: block after block, on one core or several, in order.
///
/// ```swift
/// var scan = try archive.scan(TickSelection(from: open), cores: 2)
/// while try scan.advance() {
///   scan.withTicks { ticks in for index in ticks.indices { print(ticks[index].lastPrice) } }
/// }
/// ```
///
/// Memory is a few blocks, however long the archive. With several cores the caller's own is one of them: it unpacks
/// a block itself whenever the next one is not ready.
public struct ArchiveScan: ~Copyable {
  private let core: ScanCore
  private let policy: DamagePolicy
  /// Number of the block that ``ticks`` are of.
  private var current: Int?
  private var next = 0
  private var isAtEnd = false
  /// The unreadable blocks that were left out so far, where the selection says to skip them.
  public private(set) var skipped: [DamagedBlock] = []

  init(plan: BlockPlan, filter: TickFilter, cores: Int, usesPortableKernels: Bool) {
    policy = filter.selection.damage
    core = ScanCore(
      plan: plan, filter: filter, cores: max(1, cores), usesPortableKernels: usesPortableKernels)
  }

  deinit { core.stop() }

  /// Goes on to the next block that holds a wanted record; false at the end, or where a writer is still at work.
  ///
  /// - Throws: ``Fault`` of kind `badData` on damage unless it is to be skipped, `missingInput` or `inputOutput`
  ///   when files cannot be read.
  public mutating func advance() throws(Fault) -> Bool {
    if current != nil { core.giveBack() }
    current = nil
    while !isAtEnd {
      let outcome = core.take(next)
      defer { next += 1 }
      switch outcome {
      case .ticks:
        current = next
        return true
      case .nothing: core.giveBack()
      case .damaged(let damaged):
        if policy == .fail {
          isAtEnd = true
          throw Fault(.badData, damaged.description)
        }
        skipped.append(damaged)
        core.giveBack()
      case .failed(let fault):
        isAtEnd = true
        throw fault
      case .end: isAtEnd = true
      }
    }
    return false
  }

  /// Lends the wanted records of the current block, of which there is at least one after ``advance()`` was true.
  public func withTicks<Failure: Error>(_ body: (Span<Tick>) throws(Failure) -> Void) throws(Failure) {
    let run = ticks
    try body(run.span)
  }

  /// The records of the current block, which stay where they are until the next ``advance()``.
  var ticks: UnsafeBufferPointer<Tick> {
    current.map { core.ticks(of: $0) } ?? UnsafeBufferPointer(start: nil, count: 0)
  }
}

/// What became of one step of a scan's plan.
enum ScanOutcome {
  case ticks
  case nothing
  case damaged(DamagedBlock)
  case failed(Fault)
  case end
}

/// The part of a scan that its threads share: a plan from which each takes the next block, and a ring of places in
/// which the blocks wait, unpacked, until the caller has come to them.
final class ScanCore: Sendable {
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

  /// Places for each core: one that is being filled and one that waits.
  private static let placesPerCore = 2

  init(plan: BlockPlan, filter: TickFilter, cores: Int, usesPortableKernels: Bool) {
    progress = Mutex(Progress(plan: plan))
    self.filter = filter
    helperCount = cores - 1
    places = (0..<(cores == 1 ? 1 : cores * Self.placesPerCore)).map { _ in
      ScanPlace(usesPortableKernels: usesPortableKernels)
    }
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

  /// The outcome of the block of a number; the caller asks for one after the other.
  func take(_ number: Int) -> ScanOutcome {
    let place = places[number % places.count]
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

  /// Frees the place of the block that the caller is done with.
  func giveBack() { room.signal() }

  func ticks(of number: Int) -> UnsafeBufferPointer<Tick> { places[number % places.count].ticks }

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
  private var decoder: BlockDecoder
  private var payload: [UInt8] = []
  private var kept = 0..<0

  init(usesPortableKernels: Bool) { decoder = BlockDecoder(usesPortableKernels: usesPortableKernels) }

  var ticks: UnsafeBufferPointer<Tick> { decoder.decoded(kept) }

  func unpack(_ task: BlockTask, _ filter: TickFilter) {
    kept = 0..<0
    do throws(Fault) {
      let header = try task.file.input.readBlock(task.entry, into: &payload)
      do throws(BadBlock) {
        guard let header else { throw BadBlock("its header is not the one that was indexed") }
        kept = try unpackWanted(header, task.entry, filter)
        outcome = kept.isEmpty ? .nothing : .ticks
      } catch {
        outcome =
          task.mayBeUnfinished
          ? .nothing
          : .damaged(DamagedBlock(task.entry, file: task.file.input.path, cause: error.cause))
      }
    } catch {
      outcome = .failed(error)
    }
  }

  private func unpackWanted(_ header: BlockHeader, _ entry: IndexEntry, _ filter: TickFilter)
    throws(BadBlock) -> Range<Int>
  {
    try decoder.open(header, payload: payload)
    if let instruments = filter.selection.instruments, !decoder.holds(anyOf: instruments) { return 0..<0 }
    let count = try decoder.decode()
    return filter.takesAll(of: entry) ? 0..<count : decoder.keep(count, filter)
  }
}
