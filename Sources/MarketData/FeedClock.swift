/// The clock of a feed: the machine's wall clock, or one that runs from another origin at another speed.
///
/// A simulated or replayed session lives in its own time: with speed 20, one second of the machine is twenty
/// seconds of the market. Everything that stamps or seals asks this clock, so candles of a replayed day close
/// when that day's minutes end. A clock of speed 0 stands still, as a paused replay does.
public struct FeedClock: Sendable, Hashable {
  /// The feed's time at ``wallOrigin``.
  public let feedOrigin: Timestamp
  /// The machine's time at which the feed's time was ``feedOrigin``.
  public let wallOrigin: Timestamp
  /// Feed seconds in one second of the machine; 0 when the feed's time stands still.
  public let speed: Double

  /// The machine's own clock.
  public static let system = FeedClock(feedOrigin: .unknown, wallOrigin: .unknown, speed: 1)

  /// Makes a clock that shows `feedOrigin` at `wallOrigin` and runs `speed` times as fast as the machine's.
  public init(feedOrigin: Timestamp, wallOrigin: Timestamp, speed: Double) {
    precondition(speed >= 0 && speed.isFinite, "a clock runs forward or stands still")
    self.feedOrigin = feedOrigin
    self.wallOrigin = wallOrigin
    self.speed = speed
  }

  /// The feed's time now.
  @inlinable
  public func now() -> Timestamp { feedTime(at: .wallClock()) }

  /// The feed's time when the machine's clock shows `wall`.
  @inlinable
  public func feedTime(at wall: Timestamp) -> Timestamp {
    let elapsed = wall - wallOrigin
    return feedOrigin + (speed == 1 ? elapsed : Self.whole(Double(elapsed) * speed))
  }

  /// The machine's time when the feed's clock shows `feed`. A clock that stands still shows one instant only: for any
  /// other it answers with the machine's time at which it was stopped.
  @inlinable
  public func wallTime(at feed: Timestamp) -> Timestamp {
    guard speed > 0 else { return wallOrigin }
    let elapsed = feed - feedOrigin
    return wallOrigin + (speed == 1 ? elapsed : Self.whole(Double(elapsed) / speed))
  }

  /// The nearest whole number that Int64 holds: a clock from shared memory may say anything.
  @usableFromInline
  static func whole(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    return value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
  }
}
