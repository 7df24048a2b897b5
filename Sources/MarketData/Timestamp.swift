import Glibc

/// An instant: nanoseconds since 1970-01-01 00:00:00 UTC. Zero means "not known".
///
/// The range of Int64 nanoseconds ends in 2262.
public struct Timestamp: Sendable, Hashable, Comparable, BitwiseCopyable {
  /// Nanoseconds since 1970 UTC.
  public var nanoseconds: Int64

  /// The value that stands for an instant that is not known.
  @inlinable public static var unknown: Timestamp { Timestamp(nanoseconds: 0) }

  /// Makes an instant from nanoseconds since 1970 UTC.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Makes an instant from whole seconds since 1970 UTC.
  @inlinable
  public init(seconds: Int64) {
    self.nanoseconds = seconds &* Self.nanosecondsPerSecond
  }

  /// Nanoseconds in a second.
  @inlinable public static var nanosecondsPerSecond: Int64 { 1_000_000_000 }

  /// Whole seconds since 1970 UTC, rounded towards the past.
  @inlinable
  public var seconds: Int64 {
    let quotient = nanoseconds / Self.nanosecondsPerSecond
    return nanoseconds % Self.nanosecondsPerSecond < 0 ? quotient - 1 : quotient
  }

  /// True unless the instant is ``unknown``.
  @inlinable
  public var isKnown: Bool { nanoseconds != 0 }

  /// Earlier instants come first.
  @inlinable
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The instant `nanoseconds` later (or earlier, when negative).
  @inlinable
  public static func + (instant: Timestamp, nanoseconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: instant.nanoseconds &+ nanoseconds)
  }

  /// The distance between two instants in nanoseconds.
  @inlinable
  public static func - (later: Timestamp, earlier: Timestamp) -> Int64 {
    later.nanoseconds &- earlier.nanoseconds
  }

  /// Nanoseconds of a clock that nobody sets (CLOCK_MONOTONIC): for durations and deadlines, never for dates.
  public static func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* nanosecondsPerSecond &+ Int64(time.tv_nsec)
  }

  /// The machine's wall clock (CLOCK_REALTIME).
  public static func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) &* nanosecondsPerSecond &+ Int64(time.tv_nsec))
  }
}
