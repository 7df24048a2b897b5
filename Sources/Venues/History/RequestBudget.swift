internal import Glibc
public import MarketData
internal import Synchronization

/// Most requests that a venue allows within any span of a length.
public struct RateLimit: Sendable, Hashable {
  /// So many, at least one,
  public var requests: Int
  /// within any span of this length.
  public var span: Duration

  /// Makes a limit.
  public init(requests: Int, per span: Duration) {
    precondition(requests > 0 && span > .zero, "a limit allows something within some time")
    self.requests = requests
    self.span = span
  }
}

/// A venue's limits on how often it may be asked, kept by however many threads share it.
///
/// A turn is granted when it breaks none of the limits, counted over every span that ends now. Those who want one
/// and are more urgent go first.
public final class RequestBudget: Sendable {
  private let now: @Sendable () -> Int64
  private let state: Mutex<State>

  /// Requests that left evenly may arrive bunched, so a span is taken this much longer than the venue says:
  /// a twentieth, at most a tenth of a second.
  private static let marginShare = 20
  private static let marginNanosecondsMax: Int64 = 100_000_000
  /// How long somebody who was sent to wait still counts as waiting without having asked again.
  private static let patienceNanoseconds: Int64 = 250_000_000

  private struct State {
    var windows: [Window]
    /// Nobody has a turn before.
    var resumption = Int64.min
    /// By urgency, until when somebody counts as waiting.
    var waiting = [Int64](repeating: .min, count: CandleUrgency.allCases.count)
  }

  /// Makes a budget of limits that all hold; none, and there is no limit. `now` is a clock of nanoseconds that only
  /// moves forward.
  public init(
    _ limits: [RateLimit], now: @escaping @Sendable () -> Int64 = RequestBudget.monotonicNanoseconds
  ) {
    self.now = now
    state = Mutex(State(windows: limits.map(Window.init)))
  }

  /// Takes a turn if there is one.
  ///
  /// - Returns: Zero when the turn is taken; otherwise how long to wait before asking again, in nanoseconds.
  public func takeTurn(_ urgency: CandleUrgency) -> Int64 {
    let present = now()
    return state.withLock { state in
      let earliest = max(state.resumption, state.windows.map(\.nextTurn).max() ?? .min)
      let isOutranked = state.waiting[(urgency.rawValue + 1)...].contains { $0 > present }
      if earliest <= present && !isOutranked {
        for index in state.windows.indices { state.windows[index].note(present) }
        state.waiting[urgency.rawValue] = .min
        return 0
      }
      let pause = max(earliest - present, isOutranked ? Self.patienceNanoseconds / 10 : 1)
      state.waiting[urgency.rawValue] = present + min(pause, Int64.max / 4) + Self.patienceNanoseconds
      return pause
    }
  }

  /// Takes a turn, and puts the calling thread to sleep until there is one; for what is asked now and then.
  public func waitForTurn(_ urgency: CandleUrgency = .repair) {
    while case let pause = takeTurn(urgency), pause > 0 {
      usleep(UInt32(clamping: pause / 1000 + 1))
    }
  }

  /// Lets nobody have a turn for so long, because the venue said that it has enough.
  public func postpone(nanoseconds: Int64) {
    let resumption = now() + nanoseconds
    state.withLock { $0.resumption = max($0.resumption, resumption) }
  }

  /// The turns of one limit that lie not long enough ago.
  private struct Window {
    let spanNanoseconds: Int64
    /// The times of the latest turns, as many as the limit allows, in a ring that starts at `oldest`.
    private var turns: [Int64]
    private var oldest = 0

    init(_ limit: RateLimit) {
      let span = Int64(limit.span / .nanoseconds(1))
      spanNanoseconds =
        span + min(span / Int64(RequestBudget.marginShare), RequestBudget.marginNanosecondsMax)
      turns = Array(repeating: .min / 2, count: limit.requests)
    }

    /// The instant from which one more turn keeps the limit.
    var nextTurn: Int64 { turns[oldest] + spanNanoseconds }

    mutating func note(_ turn: Int64) {
      turns[oldest] = turn
      oldest = (oldest + 1) % turns.count
    }
  }

  /// The machine's monotonic clock.
  public static let monotonicNanoseconds: @Sendable () -> Int64 = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
