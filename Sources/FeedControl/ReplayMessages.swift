public import MarketData

// What a feed that is replayed from an archive understands beside the requests of every feed:
//
//   GET    /replay                            -> ReplayStatus
//   POST   /replay/pause                      -> ReplayStatus
//   POST   /replay/resume                     -> ReplayStatus
//   POST   /replay/step     ReplayStepRequest -> ReplayStatus   go on by records or by time, then pause
//   POST   /replay/seek     ReplaySeekRequest -> ReplayStatus   go on from another time or sequence
//   POST   /replay/speed    ReplaySpeedRequest -> ReplayStatus
//   POST   /replay/stop                       -> ReplayStatus   end in good order
//
// The answer tells the state once the request has been carried out. A live feed refuses all of them.

/// How fast a replay goes: so many times as fast as it was recorded, or as fast as it can.
public enum ReplaySpeed: Sendable, Hashable, CustomStringConvertible {
  /// As fast as its consumers, or without any the machine, can take it.
  case max
  /// Seconds of the recording in one second; above 0.
  case times(Double)

  /// The range of speeds beside `max`.
  public static let timesRange = 0.001...1_000_000

  /// Reads `max` or a number within ``timesRange``.
  ///
  /// - Throws: ``Fault`` of kind `usage` for anything else.
  public init(_ text: String) throws(Fault) {
    if text == "max" {
      self = .max
    } else if let number = Double(text), Self.timesRange.contains(number) {
      self = .times(number)
    } else {
      throw Fault(
        .usage, "speed '\(text)' is neither 'max' nor a number from 0.001 to 1000000, as in 1, 20 or 0.5")
    }
  }

  /// `max`, `1`, `0.5`: what the initialiser reads.
  public var description: String {
    switch self {
    case .max: "max"
    case .times(let number): number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
  }
}

/// Asks a replay to go on by so much and then to pause; one of the two.
public struct ReplayStepRequest: Codable, Sendable {
  /// Records of the whole feed.
  public var records: Int?
  /// Nanoseconds of the recording.
  public var nanoseconds: Int64?

  /// Makes a request.
  public init(records: Int? = nil, nanoseconds: Int64? = nil) {
    self.records = records
    self.nanoseconds = nanoseconds
  }
}

/// Asks a replay to go on from elsewhere in its range; one of the two.
public struct ReplaySeekRequest: Codable, Sendable {
  /// The first record received at or after this, in nanoseconds since 1970 UTC.
  public var timeNanoseconds: Int64?
  /// The record of this sequence or the first after it.
  public var sequence: UInt64?

  /// Makes a request.
  public init(timeNanoseconds: Int64? = nil, sequence: UInt64? = nil) {
    self.timeNanoseconds = timeNanoseconds
    self.sequence = sequence
  }
}

/// Asks a replay to go on at another speed.
public struct ReplaySpeedRequest: Codable, Sendable {
  /// What ``ReplaySpeed`` reads.
  public var speed: String

  /// Makes a request.
  public init(speed: String) {
    self.speed = speed
  }
}

/// What a replay is doing.
public struct ReplayStatus: Codable, Sendable, Equatable {
  /// What it is at.
  public enum Activity: String, Codable, Sendable {
    /// Until the strategies have come that it was told to wait for.
    case waiting
    /// Publishing.
    case playing
    /// Until it is told to go on.
    case paused
    /// At its end.
    case ended
  }

  /// What it is at.
  public var activity: Activity
  /// Speed, as ``ReplaySpeed`` reads it.
  public var speed: String
  /// The feed's time, in nanoseconds since 1970 UTC: that of the newest record, or where the clock has come to.
  public var timeNanoseconds: Int64
  /// Sequence of the newest record published; 0 before the first.
  public var sequence: UInt64
  /// Records published since the start, or since the last seek.
  public var records: UInt64
  /// Fingerprint of those records.
  public var hash: String
  /// Records in the range that is replayed, at most.
  public var recordsMax: Int

  /// Makes a status.
  public init(
    activity: Activity, speed: String, timeNanoseconds: Int64, sequence: UInt64, records: UInt64,
    hash: String,
    recordsMax: Int
  ) {
    self.activity = activity
    self.speed = speed
    self.timeNanoseconds = timeNanoseconds
    self.sequence = sequence
    self.records = records
    self.hash = hash
    self.recordsMax = recordsMax
  }
}
