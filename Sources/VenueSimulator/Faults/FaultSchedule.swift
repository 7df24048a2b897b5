import MarketData
import Synchronization

/// What is wrong at a venue at one instant.
struct FaultEffects: Sendable, Equatable {
  var isSilent = false
  var closesAtOnce = false
  var ticksBeforeCut: Int?
  var mutePercent = 0
  var sendsGarbage = false
  var sendsTwice = false
  var reorders = false
  var snapshotAgeSeconds = 0
  var skewSeconds = 0
  var status: Int?
  var isTokenDead = false
  var newToken: String?
  var slowBodyMilliseconds: Int?
  var hasWrongContentType = false

  mutating func add(_ kind: VenueFault.Kind) {
    switch kind {
    case .cut, .cutOne, .cutMidFrame, .halfOpen: break
    case .cutAfterTicks(let count): ticksBeforeCut = count
    case .closeAtOnce: closesAtOnce = true
    case .silence: isSilent = true
    case .mute(let percent): mutePercent = percent
    case .garbage: sendsGarbage = true
    case .duplicates: sendsTwice = true
    case .reordering: reorders = true
    case .staleSnapshot(let seconds): snapshotAgeSeconds = seconds
    case .clockSkew(let seconds): skewSeconds = seconds
    case .status(let code): status = code
    case .tokenExpiry(let token):
      isTokenDead = true
      newToken = token
    case .slowBody(let milliseconds): slowBodyMilliseconds = milliseconds
    case .wrongContentType: hasWrongContentType = true
    }
  }
}

/// Which faults are to come, which are there, and which have been. A value without a clock: time comes with each call.
struct FaultSchedule: Sendable {
  /// A fault and when it began, by the machine's clock.
  struct Fired: Sendable {
    var fault: VenueFault
    var time: Timestamp
  }

  /// Those that wait for the market's beginning, from which their start counts.
  private var unanchored: [VenueFault]
  /// Those with a time, the next one last.
  private var pending: [(start: Timestamp, fault: VenueFault)] = []
  private var active: [(end: Timestamp, fault: VenueFault)] = []
  private(set) var fired: [Fired] = []
  private(set) var effects = FaultEffects()

  private static let never = Timestamp(nanoseconds: .max)
  /// Faults remembered as having been.
  private static let firedMax = 20_000

  init(_ faults: [VenueFault]) {
    unanchored = faults.filter { $0.startSeconds != nil }
    active = faults.filter { $0.startSeconds == nil && !$0.isInstant }.map { (Self.never, $0) }
    // What happens once and has no time happens when the market begins.
    unanchored += faults.filter { $0.startSeconds == nil && $0.isInstant }
    renewEffects()
  }

  /// The market has begun: starts and durations count from here.
  mutating func anchor(at origin: Timestamp) {
    for fault in unanchored { add(fault, origin: origin) }
    unanchored = []
    for index in active.indices where active[index].end == Self.never {
      guard let seconds = active[index].fault.durationSeconds else { continue }
      active[index].end = origin + Self.nanoseconds(seconds)
    }
  }

  /// Adds a fault whose start counts from `origin`.
  mutating func add(_ fault: VenueFault, origin: Timestamp) {
    pending.append((origin + Self.nanoseconds(fault.startSeconds ?? 0), fault))
    pending.sort { $0.start > $1.start }
  }

  /// Ends every fault and forgets those to come.
  mutating func clear() {
    unanchored = []
    pending = []
    active = []
    renewEffects()
  }

  /// Lets time pass, and returns the faults that began.
  mutating func advance(to now: Timestamp) -> [VenueFault] {
    guard pending.last.map({ $0.start <= now }) ?? false || active.contains(where: { $0.end <= now }) else {
      return []
    }
    active.removeAll { $0.end <= now }
    var begun: [VenueFault] = []
    while let next = pending.last, next.start <= now {
      pending.removeLast()
      begun.append(next.fault)
      if fired.count < Self.firedMax { fired.append(Fired(fault: next.fault, time: now)) }
      if next.fault.isInstant { continue }
      let end = next.fault.durationSeconds.map { next.start + Self.nanoseconds($0) } ?? Self.never
      if end > now { active.append((end, next.fault)) }
    }
    renewEffects()
    return begun
  }

  /// True while faults are there or to come that end by themselves.
  var isOver: Bool { pending.isEmpty && unanchored.isEmpty && active.allSatisfy { $0.end == Self.never } }

  var activeFaults: [VenueFault] { active.map(\.fault) }

  private mutating func renewEffects() {
    effects = FaultEffects()
    for entry in active { effects.add(entry.fault.kind) }
  }

  private static func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
}

/// The faults of a venue, for all of its halves.
final class FaultBoard: Sendable {
  let schedule: Mutex<FaultSchedule>

  init(_ faults: [VenueFault]) { schedule = Mutex(FaultSchedule(faults)) }

  /// What is wrong now.
  var effects: FaultEffects { schedule.withLock { $0.effects } }

  func anchor(at origin: Timestamp) { schedule.withLock { $0.anchor(at: origin) } }
}
