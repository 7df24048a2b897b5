/// How long a failed request waits before it is sent again: growing, bounded, and drawn from the upper half, so that
/// requests that failed at one instant do not come back at one instant. A pure value; randomness is passed in.
public struct RetrySchedule: Sendable, Hashable {
  /// How often a request is sent before it fails.
  public var attemptsMax = 5
  /// The pause after the first failure; it doubles with each.
  public var firstPauseMilliseconds = 500
  /// The longest pause.
  public var pauseMillisecondsMax = 30_000

  /// Makes the default schedule.
  public init() {}

  /// The pause after so many attempts, in milliseconds; nil when no more is due.
  public func pauseMilliseconds(
    afterAttempts attempts: Int, using generator: inout some RandomNumberGenerator
  ) -> Int? {
    guard attempts < attemptsMax else { return nil }
    let full = min(firstPauseMilliseconds << min(attempts - 1, 20), pauseMillisecondsMax)
    return Int.random(in: full / 2...max(full, 1), using: &generator)
  }
}
