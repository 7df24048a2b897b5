public import MarketData

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
  private let source: any ScanSource
  private let policy: DamagePolicy
  private var isAtEnd = false
  /// The unreadable blocks that were left out so far, where the selection says to skip them.
  public private(set) var skipped: [DamagedBlock] = []

  init(plan: BlockPlan, filter: TickFilter, cores: Int, kernels: TickKernels) {
    policy = filter.selection.damage
    source =
      cores > 1
      ? SharedScan(plan: plan, filter: filter, cores: cores, kernels: kernels)
      : SoloScan(plan: plan, filter: filter, kernels: kernels)
  }

  deinit { source.stop() }

  /// Goes on to the next records that are wanted; false at the end, or where a writer is still at work.
  ///
  /// - Throws: ``Fault`` of kind `badData` on damage unless it is to be skipped, `missingInput` or `inputOutput`
  ///   when files cannot be read.
  public mutating func advance() throws(Fault) -> Bool {
    while !isAtEnd {
      switch source.next() {
      case .ticks: return true
      case .nothing: break
      case .damaged(let damaged):
        if policy == .fail {
          isAtEnd = true
          throw Fault(.badData, damaged.description)
        }
        skipped.append(damaged)
      case .failed(let fault):
        isAtEnd = true
        throw fault
      case .end: isAtEnd = true
      }
    }
    return false
  }

  /// Lends the current records, of which there is at least one after ``advance()`` was true: those of a block, or of a
  /// part of one.
  public func withTicks<Failure: Error>(_ body: (Span<Tick>) throws(Failure) -> Void) throws(Failure) {
    let run = ticks
    try body(run.span)
  }

  /// The current records, which stay where they are until the next ``advance()``.
  var ticks: UnsafeBufferPointer<Tick> { source.ticks }
}

/// Where a scan's ticks come from: a step of its plan after the other, in order.
protocol ScanSource: AnyObject, Sendable {
  /// Goes on by one step; the ticks of the step before are no longer needed.
  func next() -> ScanOutcome
  /// The wanted ticks of the last step, while its outcome was ``ScanOutcome/ticks``.
  var ticks: UnsafeBufferPointer<Tick> { get }
  /// Nothing more will be asked for.
  func stop()
}

/// What became of one step of a scan's plan.
enum ScanOutcome {
  case ticks
  case nothing
  case damaged(DamagedBlock)
  case failed(Fault)
  case end
}

/// A scan on its caller's core alone. It unpacks a block a piece at a time, so that the ticks are still in the nearer
/// caches when they are looked at.
final class SoloScan: ScanSource, @unchecked Sendable {
  // @unchecked: it is in its caller's hands alone.

  private var plan: BlockPlan
  private let filter: TickFilter
  private let workspace: BlockWorkspace
  /// The block that is being unpacked.
  private var current: BlockTask?
  private var kept = 0..<0
  private var isEnded = false

  /// Ticks that are unpacked at a time: 256 KiB.
  private static let pieceTicks = 4096

  init(plan: BlockPlan, filter: TickFilter, kernels: TickKernels) {
    self.plan = plan
    self.filter = filter
    workspace = .take(kernels: kernels)
  }

  var ticks: UnsafeBufferPointer<Tick> { workspace.decoder.decoded(kept) }

  func stop() { workspace.giveBack() }

  func next() -> ScanOutcome {
    kept = 0..<0
    if let task = current { return unpack(task) }
    guard !isEnded else { return .end }
    do throws(Fault) {
      switch try plan.next() {
      case nil:
        isEnded = true
        return .end
      case .damage(let damaged)?: return .damaged(damaged)
      case .block(let task)?:
        do throws(ScanFailure) {
          guard try workspace.open(task, filter) else { return .nothing }
        } catch {
          return error.outcome(of: task)
        }
        current = task
        return unpack(task)
      }
    } catch {
      isEnded = true
      return .failed(error)
    }
  }

  private func unpack(_ task: BlockTask) -> ScanOutcome {
    do throws(ScanFailure) {
      kept = try workspace.decode(Self.pieceTicks, of: task, filter)
    } catch {
      current = nil
      return error.outcome(of: task)
    }
    if workspace.decoder.left == 0 { current = nil }
    return kept.isEmpty ? .nothing : .ticks
  }
}
