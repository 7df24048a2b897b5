/// What a simulated venue has sent. A tick counts once the whole frame that holds it was handed to the kernel.
public struct SimulationReport: Codable, Sendable, Equatable {
  /// Ticks sent over all connections, snapshots included.
  public var ticks = 0
  /// Those among ``ticks`` that were snapshots, sent on subscribing or changing the mode.
  public var snapshotTicks = 0
  /// Ticks by instrument token, snapshots included; tokens without any are left out.
  public var ticksByToken: [Int: Int] = [:]
  /// Ticks by what the vendor's clients call the instrument, snapshots included: Kite's token in decimal digits, Angel
  /// One's exchange and token as in `1/2885`.
  public var ticksByVenueToken: [String: Int] = [:]
  /// Binary frames of ticks sent.
  public var frames = 0
  /// Heartbeats sent.
  public var heartbeats = 0
  /// Payload bytes of all binary frames sent, heartbeats included.
  public var bytes = 0
  /// Websocket connections accepted since the start.
  public var connections = 0
  /// Ticks that were not queued because a client did not read.
  public var ticksDropped = 0
  /// True when the market's last update was sent to all that wanted it.
  public var isFinished = false

  /// All zero.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case ticks
    case snapshotTicks = "snapshot_ticks"
    case ticksByToken = "ticks_by_token"
    case ticksByVenueToken = "ticks_by_venue_token"
    case frames
    case heartbeats
    case bytes
    case connections
    case ticksDropped = "ticks_dropped"
    case isFinished = "finished"
  }
}
