public import MarketData

/// The beginning of a consumer that joins a running feed: the last values of its instruments, and from then on
/// every tick of its lane that is newer, with no hole and none twice.
///
/// Taken after the lane's filter is in force (``LaneReader/waitForFilter(version:nanosecondsMax:)``): the producer
/// writes a tick into the last values before it writes it into the lanes, so whatever is published after a row was
/// read comes through the lane; and what the row held already is known by its sequence.
public struct LateJoin: Sendable {
  /// The last values, in the order of their sequences.
  public let ticks: [Tick]
  private var sequences: [InstrumentID: UInt64]
  private let newest: UInt64

  /// Reads the last values of `instruments` by `latest`; those that never ticked have none.
  public init(of instruments: some Sequence<InstrumentID>, latest: (InstrumentID) -> Tick?) {
    let found = instruments.compactMap(latest)
    ticks = found.sorted { $0.sequence < $1.sequence }
    sequences = Dictionary(found.map { ($0.instrument, $0.sequence) }, uniquingKeysWith: max)
    newest = ticks.last?.sequence ?? 0
  }

  /// False for a tick that the last values held already.
  public func isNew(_ tick: Tick) -> Bool {
    guard tick.sequence <= newest, let known = sequences[tick.instrument] else { return true }
    return tick.sequence > known
  }

  /// True once a lane has come so far that every later tick is new: the snapshot can then be forgotten.
  public func isBehind(_ tick: Tick) -> Bool { tick.sequence > newest }
}
