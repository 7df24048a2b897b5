internal import CSharedRing

/// The counters of a feed segment; name and meaning come from the one table in `tickring_counters.h`.
///
/// Each counter is a 64-bit word written by one thread and readable by any process without touching the hot path.
/// Counters that different threads write lie in different groups of eight, that is, on different cache lines.
public enum FeedCounter: Int, Sendable, CaseIterable {
  // The process.
  case state = 0
  case instrumentCount = 1
  case instrumentVersion = 2
  case epoch = 3
  case halts = 4
  case session = 5

  // The receive thread.
  case sequence = 8
  case ticks = 9
  case bytes = 10
  case messages = 11
  case heartbeats = 12
  case badFrames = 13
  case unknownInstruments = 14
  case receiveTime = 15
  case connects = 16
  case gaps = 17
  case streamHash = 18
  case streamHashFirst = 19
  case receiveProcessorTime = 20
  case recorderWaits = 21
  case recorderDrops = 22
  case wallHeartbeat = 23
  case clockVersion = 24
  case truncatedLanes = 31

  // The recorder thread.
  case recorded = 32
  case sealed = 33
  case blocks = 34
  case archiveBytes = 35
  case candles = 36
  case revisions = 37
  case recorderProcessorTime = 38
  case recorderHeartbeat = 39

  // The repair thread.
  case repaired = 40
  case repairCandles = 41
  case repairWaiting = 42

  // The control thread.
  case lanes = 48
  case attaches = 49
  case detaches = 50
  case observed = 51
  case adoptions = 52
  case ticking = 53
  case mute = 54

  // The thread that fetches the venue's candles.
  case reconciled = 56
  case reconcileFaults = 57

  // The thread that deletes old candles.
  case pruned = 58

  /// Short stable name, for machines.
  public var name: String { text(tickring_feed_counter(Int32(rawValue)).name) }

  /// What it counts, for people.
  public var meaning: String { text(tickring_feed_counter(Int32(rawValue)).meaning) }
}

/// The counters of a lane; place, name and meaning come from the one table in `tickring_counters.h`.
public enum LaneCounter: Int, Sendable, CaseIterable {
  case published, released, epoch, dropped, fullEvents, highWater, laps, wakes, filterVersion, filterSequence
  case attaches, sleeps, skipped

  /// Short stable name, for machines.
  public var name: String { text(tickring_lane_counter(Int32(rawValue)).name) }

  /// What it counts, for people.
  public var meaning: String { text(tickring_lane_counter(Int32(rawValue)).meaning) }

  /// Where its word lies in the lane.
  var offset: Int { Int(tickring_lane_counter(Int32(rawValue)).offset) }
}

/// What a feed handler is doing, as its ``FeedCounter/state`` says.
public enum FeedState: UInt64, Sendable {
  /// Preparing: history, instruments, connection.
  case starting = 0
  /// Receiving.
  case running = 1
  /// Stopped in good order; what was published stays readable.
  case ended = 2
  /// Stopped for a reason that a person must look at.
  case halted = 3
}

private func text(_ characters: UnsafePointer<CChar>?) -> String {
  characters.map { String(cString: $0) } ?? ""
}
