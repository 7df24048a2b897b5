internal import FeedControl
internal import MarketData

/// When a replayed record is due: the feed's clock, and what pausing, seeking and another speed make of it. Pure: the
/// machine's time is passed in.
struct ReplayPacer {
  private(set) var speed: ReplaySpeed
  private(set) var isPaused = false
  /// The clock that strategies see. While records are not paced by it, because the replay is paused, steps, or goes
  /// as fast as it can, it stands still at the newest record.
  private(set) var clock: FeedClock

  /// Starts at the feed's time `start`.
  init(speed: ReplaySpeed, start: Timestamp, now: Timestamp) {
    self.speed = speed
    clock = Self.clock(speed, at: start, now)
  }

  /// The latest receive time that is due; nil when everything is.
  func due(_ now: Timestamp) -> Timestamp? {
    speed == .max ? nil : clock.feedTime(at: now)
  }

  /// Nanoseconds of the machine until a record of this time is due; 0 when it is, or when nothing is paced.
  func delay(until time: Timestamp, _ now: Timestamp) -> Int64 {
    speed == .max ? 0 : max(0, clock.wallTime(at: time) - now)
  }

  mutating func pause(_ now: Timestamp) {
    stand(at: clock.feedTime(at: now), now)
    isPaused = true
  }

  mutating func resume(_ now: Timestamp) {
    isPaused = false
    clock = Self.clock(speed, at: clock.feedTime(at: now), now)
  }

  mutating func set(_ speed: ReplaySpeed, _ now: Timestamp) {
    self.speed = speed
    if !isPaused { clock = Self.clock(speed, at: clock.feedTime(at: now), now) }
  }

  /// Goes on from another time, at the same speed.
  mutating func move(to time: Timestamp, _ now: Timestamp) {
    if isPaused { stand(at: time, now) } else { clock = Self.clock(speed, at: time, now) }
  }

  /// Notes the newest record published, where the clock does not run by itself.
  mutating func note(_ time: Timestamp, _ now: Timestamp) {
    if isPaused || speed == .max { stand(at: time, now) }
  }

  private mutating func stand(at time: Timestamp, _ now: Timestamp) {
    clock = FeedClock(feedOrigin: time, wallOrigin: now, speed: 0)
  }

  private static func clock(_ speed: ReplaySpeed, at time: Timestamp, _ now: Timestamp) -> FeedClock {
    switch speed {
    case .max: FeedClock(feedOrigin: time, wallOrigin: now, speed: 0)
    case .times(let factor): FeedClock(feedOrigin: time, wallOrigin: now, speed: factor)
    }
  }
}
