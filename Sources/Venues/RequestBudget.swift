internal import Glibc
internal import Synchronization

/// Spaces requests evenly so that a venue's limit per second is kept, by however many threads share it.
public final class RequestBudget: Sendable {
  private let spacingNanoseconds: Int64
  private let now: @Sendable () -> Int64
  private let sleep: @Sendable (_ nanoseconds: Int64) -> Void
  /// The earliest time for the next request.
  private let nextTurn = Mutex<Int64>(.min)

  /// Makes a budget of so many requests a second, 0 for no limit. `now` is a clock of nanoseconds that only moves
  /// forward, and `sleep` waits by it.
  public init(
    requestsPerSecond: Int, now: @escaping @Sendable () -> Int64 = RequestBudget.monotonicNanoseconds,
    sleep: @escaping @Sendable (_ nanoseconds: Int64) -> Void = RequestBudget.sleepThread
  ) {
    spacingNanoseconds = requestsPerSecond > 0 ? 1_000_000_000 / Int64(requestsPerSecond) : 0
    self.now = now
    self.sleep = sleep
  }

  /// Takes the next turn, and sleeps until it comes.
  public func waitForTurn() {
    let present = now()
    let turn = nextTurn.withLock { next in
      let turn = max(present, next)
      next = turn + spacingNanoseconds
      return turn
    }
    if turn > present { sleep(turn - present) }
  }

  /// Lets nobody have a turn for so long, because the venue said that it has enough.
  public func postpone(nanoseconds: Int64) {
    let resumption = now() + nanoseconds
    nextTurn.withLock { $0 = max($0, resumption) }
  }

  /// The machine's monotonic clock.
  public static let monotonicNanoseconds: @Sendable () -> Int64 = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Puts the calling thread to sleep, also across signals.
  public static let sleepThread: @Sendable (Int64) -> Void = { nanoseconds in
    var rest = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    var unslept = timespec()
    while nanosleep(&rest, &unslept) == -1, errno == EINTR { rest = unslept }
  }
}
