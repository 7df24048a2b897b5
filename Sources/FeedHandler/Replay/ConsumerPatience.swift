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
  /// Looks at a full lane before the thread sleeps between two.
  private static let spinsMax = 2_000
  private static let sleepNanoseconds: Int64 = 50_000

  /// How many of `count` records fit into every lane that is waited for.
  mutating func room(for count: Int, in broadcaster: borrowing Broadcaster, _ now: Timestamp) -> Int {
    var room = count
    for lane in broadcaster.lanes {
      let free = lane.room(for: count)
      // Asking the kernel who reads costs a system call, so it is asked only about lanes that are full.
      if free < count, !isAbandoned(lane, now) { room = min(room, free) }
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
