extension SimulatedVenue {
  /// How a simulated venue behaves, apart from what trades there.
  public struct Configuration: Sendable {
    /// Whose interfaces it has.
    public var vendor = Vendor.kite
    /// The customer and the limits of Angel One.
    public var angelOne = AngelOneConfiguration()
    /// The port on 127.0.0.1; 0 takes any free one.
    public var port: UInt16 = 0
    /// The only `api_key` that is let in.
    public var apiKey = "simkey"
    /// The only `access_token` that is let in.
    public var accessToken = "simtoken"
    /// The secret of the application, which a login proves to know.
    public var apiSecret = "simsecret"
    /// Feed seconds in one second of the machine; above 0.
    public var speed: Double = 1
    /// From the moment the first client asks for the clock or subscribes to the feed's origin.
    public var leadMilliseconds = 1500
    /// Time between two looks at what is due; at least 1.
    public var stepMilliseconds = 2
    /// A heartbeat is sent on a connection after so many idle milliseconds; at least 1.
    public var heartbeatMilliseconds = 2000
    /// Most packets in one binary message, 1 to 65 535.
    public var packetsPerFrameMax = 250
    /// Most instruments on one connection; repeated requests for one instrument count again.
    public var instrumentsPerConnectionMax = 3000
    /// Updates for a connection are dropped, and counted, while so many bytes wait for its client to read.
    public var queuedBytesMax = 256 << 20
    /// Sends as fast as each client reads, round-robin over its instruments, instead of in the market's time.
    public var isUnpaced = false
    /// The market stands still for good after so many ticks, snapshots not counted, were sent to all connections
    /// together; nil for no limit.
    public var ticksMax: Int? = nil
    /// Requests for historical candles in any second beyond which the venue answers 429; nil for no limit.
    public var historicalRequestsPerSecondMax: Int? = nil
    /// How long an orderly stop waits for clients to read what is queued and to close.
    public var drainTimeoutMilliseconds = 10_000
    /// What goes wrong.
    public var faults: [VenueFault] = []
    /// Seed of what the faults draw: garbage, and which instruments stay mute.
    public var faultSeed: UInt64 = 0

    /// A venue in good order on any free port.
    public init() {}
  }
}

extension SimulatedVenue.Configuration {
  /// Most packets in one message, by the vendor's rules: Angel One's messages hold one.
  var packetsPerMessageMax: Int { vendor == .angelone ? 1 : packetsPerFrameMax }
}
