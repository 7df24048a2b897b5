internal import MarketData

/// For which lanes a replay waits when they are full: for those that are read, however slowly, and for a new one until
/// its consumer has come. A lane whose consumer died must not stop everybody else.
struct ConsumerPatience {
  /// Lanes that have been read.
  private var seen: Set<String> = []
  /// Since when a lane that nobody reads has been full.
  private var fullSince: [String: Timestamp] = [:]
  private var waits = 0

  /// How long a strategy may take from asking for its lane to opening it.
  private static let arrivalNanosecondsMax: Int64 = 5_000_000_000
  /// In so many parts at most a lap of a full lane is handed out.
  private static let refillsPerLap = 4
  /// Looks at a full lane before the thread sleeps between two.
  private static let spinsMax = 2_000
  private static let sleepNanoseconds: Int64 = 50_000

  /// How many of `count` records may go into every lane that is waited for: none, as long as less than a part of a lane is
  /// free and more is to come. Handing out slots one by one, as a slow consumer frees them, would cost both sides more than
  /// the records.
  mutating func room(for count: Int, in broadcaster: borrowing Broadcaster, _ now: Timestamp) -> Int {
    var room = count
    for lane in broadcaster.lanes {
      let free = lane.room(for: count)
      // Asking the kernel who reads costs a system call, so it is asked only about lanes that are full.
      guard free < count, !isAbandoned(lane, now) else { continue }
      room = min(room, free < lane.capacity / Self.refillsPerLap ? 0 : free)
    }
    waits = room == 0 ? waits + 1 : 0
    return room
  }

  /// How long to sleep before looking again.
  var pauseNanoseconds: Int64 { waits < Self.spinsMax ? 0 : Self.sleepNanoseconds }

  private mutating func isAbandoned(_ lane: Lane, _ now: Timestamp) -> Bool {
    if lane.hasConsumer {
      seen.insert(lane.name)
      fullSince[lane.name] = nil
      return false
    }
    if seen.contains(lane.name) { return true }
    let since = fullSince[lane.name] ?? now
    fullSince[lane.name] = since
    return now - since > Self.arrivalNanosecondsMax
  }
}
