internal import Glibc

/// Time that only moves forward, for deadlines.
enum MonotonicClock {
  static func nowMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// An instant by which something must be done.
struct Deadline {
  private let instant: Int64

  init(afterMilliseconds milliseconds: Int) {
    instant = MonotonicClock.nowMilliseconds() + Int64(milliseconds)
  }

  /// What is left, at least zero.
  var remainingMilliseconds: Int { Int(max(0, instant - MonotonicClock.nowMilliseconds())) }

  var isPast: Bool { remainingMilliseconds == 0 }
}
