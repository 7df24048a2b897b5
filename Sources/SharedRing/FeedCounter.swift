/// The counters of a feed segment: one table gives index, name and meaning.
///
/// Each counter is a 64-bit word written by one thread and readable by any process without touching the hot path.
/// Counters that different threads write lie in different groups of eight, that is, on different cache lines.
public enum FeedCounter: Int, Sendable, CaseIterable {
  // The process.
  case state = 0
  case instrumentCount = 1
  case instrumentVersion = 2

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

  // The recorder thread.
  case recorded = 32
  case sealed = 33
  case blocks = 34
  case archiveBytes = 35
  case candles = 36
  case revisions = 37
  case recorderProcessorTime = 38
  case recorderHeartbeat = 39

  // The control thread.
  case lanes = 48
  case attaches = 49
  case detaches = 50
  case observed = 51

  /// Short stable name, for machines.
  public var name: String { Self.table[self]?.name ?? "counter-\(rawValue)" }

  /// What it counts, for people.
  public var meaning: String { Self.table[self]?.meaning ?? "" }

  private static let table: [FeedCounter: (name: String, meaning: String)] = [
    .state: ("state", "state of the feed handler: 0 starting, 1 running, 2 ended, 3 halted"),
    .instrumentCount: ("instruments", "instruments in the table"),
    .instrumentVersion: ("instrument-version", "changes of the instrument table"),
    .sequence: ("sequence", "sequence of the newest record published"),
    .ticks: ("ticks", "ticks decoded and published since the process started"),
    .bytes: ("bytes", "payload bytes received"),
    .messages: ("messages", "websocket messages received"),
    .heartbeats: ("heartbeats", "heartbeats received"),
    .badFrames: ("bad-frames", "frames or packets skipped because they could not be decoded"),
    .unknownInstruments: ("unknown-instruments", "ticks skipped because nobody knows their token"),
    .receiveTime: ("receive-time", "feed time of the latest record, ns since 1970"),
    .connects: ("connects", "connections made to the venue"),
    .gaps: ("gaps", "outages recorded"),
    .streamHash: ("stream-hash", "fingerprint of all records published since the process started"),
    .streamHashFirst: ("stream-hash-first", "sequence of the first record in the fingerprint"),
    .receiveProcessorTime: ("receive-cpu", "processor time of the receive thread, ns"),
    .recorderWaits: ("recorder-waits", "times the receive thread waited for room in the recorder's lane"),
    .recorderDrops: ("recorder-drops", "records the recorder lost because its lane stayed full"),
    .wallHeartbeat: ("heartbeat", "machine time at which the receive thread last went round, ns since 1970"),
    .recorded: ("recorded", "records taken over by the recorder"),
    .sealed: ("sealed", "sequence up to which the archive file holds everything"),
    .blocks: ("blocks", "archive blocks written"),
    .archiveBytes: ("archive-bytes", "bytes of archive written since the process started"),
    .candles: ("candles", "candle rows written"),
    .revisions: ("revisions", "candle rows changed after sealing"),
    .recorderProcessorTime: ("recorder-cpu", "processor time of the recorder thread, ns"),
    .recorderHeartbeat: ("recorder-heartbeat", "machine time at which the recorder last went round, ns"),
    .lanes: ("lanes", "lanes that exist"),
    .attaches: ("attaches", "lanes attached since the process started"),
    .detaches: ("detaches", "lanes detached since the process started"),
    .observed: ("observed", "instruments that the venue is asked for"),
  ]
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
