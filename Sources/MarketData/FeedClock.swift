/// The clock of a feed: the machine's wall clock, or one that runs from another origin at another speed.
///
/// A simulated or replayed session lives in its own time: with speed 20, one second of the machine is twenty
/// seconds of the market. Everything that stamps or seals asks this clock, so candles of a replayed day close
/// when that day's minutes end.
public struct FeedClock: Sendable, Hashable {
  /// The feed's time at ``wallOrigin``.
  public let feedOrigin: Timestamp
  /// The machine's time at which the feed's time was ``feedOrigin``.
  public let wallOrigin: Timestamp
  /// Feed seconds in one second of the machine; above 0.
  public let speed: Double

  /// The machine's own clock.
  public static let system = FeedClock(feedOrigin: .unknown, wallOrigin: .unknown, speed: 1)

  /// Makes a clock that shows `feedOrigin` at `wallOrigin` and runs `speed` times as fast as the machine's.
  public init(feedOrigin: Timestamp, wallOrigin: Timestamp, speed: Double) {
    precondition(speed > 0, "a clock runs forward")
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
    return feedOrigin + (speed == 1 ? elapsed : Int64(Double(elapsed) * speed))
  }

  /// The machine's time when the feed's clock shows `feed`.
  @inlinable
  public func wallTime(at feed: Timestamp) -> Timestamp {
    let elapsed = feed - feedOrigin
    return wallOrigin + (speed == 1 ? elapsed : Int64(Double(elapsed) / speed))
  }
}
