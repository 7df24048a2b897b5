// The requests and answers of the control socket: HTTP with JSON bodies over a Unix-domain socket, so that
// `curl --unix-socket` speaks it too.
//
//   GET    /status                     -> ControlStatus
//   POST   /lanes          LaneRequest -> LaneAnswer       attach: make or take over a lane, observe its symbols
//   DELETE /lanes/NAME                 -> Acknowledgement  detach: the lane and its observations go
//   POST   /lanes/NAME/observe    SymbolsRequest -> ObserveAnswer
//   POST   /lanes/NAME/unobserve  SymbolsRequest -> ObserveAnswer
//   POST   /observe        SymbolsRequest -> ObserveAnswer for the recorder alone, without a lane
//   POST   /unobserve      SymbolsRequest -> ObserveAnswer
//   GET    /subscriptions              -> SubscriptionsAnswer
//   POST   /resume                     -> ResumeAnswer     end what HALTs there are
//   POST   /configuration/reload       -> ReloadAnswer     read the configuration file again
//
// A refused request answers 4xx with Refusal.

/// Asks for a lane.
public struct LaneRequest: Codable, Sendable {
  /// Name of the lane: small letters, digits, hyphens.
  public var lane: String
  /// Symbols to observe from the start.
  public var symbols: [String]
  /// Slots, a power of two; nil for the configured number.
  public var slots: Int?

  /// Makes a request.
  public init(lane: String, symbols: [String], slots: Int? = nil) {
    self.lane = lane
    self.symbols = symbols
    self.slots = slots
  }
}

/// What became of a request for a lane.
public struct LaneAnswer: Codable, Sendable {
  /// True when the lane existed and still holds what its consumer had not released.
  public var isTakenOver: Bool
  /// The lane carries what was asked for once its counter `filter-version` has come so far.
  public var filterVersion: UInt64

  /// Makes an answer.
  public init(isTakenOver: Bool, filterVersion: UInt64) {
    self.isTakenOver = isTakenOver
    self.filterVersion = filterVersion
  }
}

/// Names symbols to observe or to leave.
public struct SymbolsRequest: Codable, Sendable {
  /// Symbols of the form `EXCHANGE:SYMBOL`.
  public var symbols: [String]
  /// `ltp`, `quote` or `full`: how much of them; nil for what is configured.
  public var mode: String?

  /// Makes a request.
  public init(symbols: [String], mode: String? = nil) {
    self.symbols = symbols
    self.mode = mode
  }
}

/// How many instruments are observed now.
public struct ObserveAnswer: Codable, Sendable {
  /// Instruments that the asker observes.
  public var observed: Int
  /// Instruments that the venue is asked for on behalf of everybody.
  public var union: Int
  /// The lane carries what was asked for once its counter `filter-version` has come so far; nil without a lane.
  public var filterVersion: UInt64?

  /// Makes an answer.
  public init(observed: Int, union: Int, filterVersion: UInt64? = nil) {
    self.observed = observed
    self.union = union
    self.filterVersion = filterVersion
  }
}

/// Confirms a request that has nothing else to say.
public struct Acknowledgement: Codable, Sendable {
  /// Always true.
  public var done = true

  /// Makes an acknowledgement.
  public init() {}
}

/// Why a request was refused.
public struct Refusal: Codable, Sendable {
  /// One sentence.
  public var error: String
  /// The kind of fault, as in ``MarketData/Fault/Kind``.
  public var kind: Int32

  /// Makes a refusal.
  public init(error: String, kind: Int32) {
    self.error = error
    self.kind = kind
  }
}

/// What the feed handler is doing.
public struct ControlStatus: Codable, Sendable {
  /// One lane.
  public struct Lane: Codable, Sendable {
    /// Its name.
    public var name: String
    /// Instruments it observes.
    public var observed: Int
    /// True while a process reads it.
    public var hasConsumer: Bool
    /// True once its consumer has cut the lane's shared memory short, and must attach again.
    public var isTruncated: Bool

    /// Makes a lane's status.
    public init(name: String, observed: Int, hasConsumer: Bool, isTruncated: Bool) {
      self.name = name
      self.observed = observed
      self.hasConsumer = hasConsumer
      self.isTruncated = isTruncated
    }
  }

  /// The feed's name.
  public var feed: String
  /// Process identifier of the feed handler.
  public var pid: Int32
  /// `starting`, `running`, `ended` or `halted`.
  public var state: String
  /// What was wrong with the latest frame that could not be decoded; nil when all were good.
  public var lastBadFrame: String?
  /// All counters by name.
  public var counters: [String: UInt64]
  /// The strategies' lanes.
  public var lanes: [Lane]
  /// What a person should see to before it becomes a fault, such as the end of the trading calendar; nil for nothing.
  public var notices: [String]?
  /// The HALTs that are latched, oldest first; nil from a replay.
  public var halts: [HaltLine]?
  /// Subscriptions by how far they have come: `requested`, `sent`, `ticking`, `mute`; nil from a replay.
  public var subscriptions: [String: Int]?

  /// Makes a status.
  public init(
    feed: String, pid: Int32, state: String, lastBadFrame: String?,
    counters: [String: UInt64], lanes: [Lane], notices: [String]? = nil, halts: [HaltLine]? = nil,
    subscriptions: [String: Int]? = nil
  ) {
    self.notices = notices
    self.halts = halts
    self.subscriptions = subscriptions
    self.feed = feed
    self.pid = pid
    self.state = state
    self.lastBadFrame = lastBadFrame
    self.counters = counters
    self.lanes = lanes
  }
}
