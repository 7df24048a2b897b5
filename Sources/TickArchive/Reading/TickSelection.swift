public import MarketData

/// Which records of an archive are wanted. What a block cannot hold is never unpacked.
public struct TickSelection: Sendable {
  /// Only records received at or after this.
  public var from: Timestamp?
  /// Only records received before this.
  public var to: Timestamp?
  /// Only records of this sequence and later ones.
  public var fromSequence: UInt64?
  /// Only records up to and including this sequence.
  public var throughSequence: UInt64?
  /// Only records of these instruments; note that gaps of the whole feed are records of ``MarketData/InstrumentID/all``.
  public var instruments: Set<InstrumentID>?
  /// The fields that are of use; the others are zero in what is read, and mostly cost nothing.
  public var fields = TickFields.all
  /// What to do about a block that cannot be read.
  public var damage = DamagePolicy.fail

  /// Selects what all of the conditions hold for; nil is no condition.
  public init(
    from: Timestamp? = nil, to: Timestamp? = nil, fromSequence: UInt64? = nil, throughSequence: UInt64? = nil,
    instruments: Set<InstrumentID>? = nil, damage: DamagePolicy = .fail
  ) {
    self.from = from
    self.to = to
    self.fromSequence = fromSequence
    self.throughSequence = throughSequence
    self.instruments = instruments
    self.damage = damage
  }
}

/// A selection as the scanning of blocks needs it.
struct TickFilter: Sendable {
  let selection: TickSelection
  /// The wanted instruments as bits, where their numbers are small enough; asking it takes a nanosecond, a set ten.
  private let bits: InstrumentSet?
  private let wantsWholeFeed: Bool

  private static let bitsMax: UInt32 = 1 << 20

  init(_ selection: TickSelection) {
    self.selection = selection
    let wanted = selection.instruments ?? []
    wantsWholeFeed = wanted.contains(.all)
    let single = wanted.filter { $0 != .all }
    bits = single.allSatisfy { $0.rawValue < Self.bitsMax } ? InstrumentSet(single) : nil
  }

  /// True when a block with these bounds can hold a wanted record, as far as its bounds tell.
  func admits(_ entry: IndexEntry) -> Bool {
    if let from = selection.from, entry.latest < from { return false }
    if let to = selection.to, entry.earliest >= to { return false }
    if let first = selection.fromSequence, entry.lastSequence < first { return false }
    if let last = selection.throughSequence, entry.firstSequence > last { return false }
    return true
  }

  /// True when every record of a block with these bounds is wanted, if only its instrument is.
  func takesAll(of entry: IndexEntry) -> Bool {
    if let from = selection.from, entry.earliest < from { return false }
    if let to = selection.to, entry.latest >= to { return false }
    if let first = selection.fromSequence, entry.firstSequence < first { return false }
    if let last = selection.throughSequence, entry.lastSequence > last { return false }
    return true
  }

  /// True when damage may have cost a wanted record.
  func admits(_ damaged: DamagedBlock) -> Bool {
    if let from = selection.from, let latest = damaged.latest, latest < from { return false }
    if let to = selection.to, let earliest = damaged.earliest, earliest >= to { return false }
    if let first = selection.fromSequence, let last = damaged.lastSequence, last < first { return false }
    if let last = selection.throughSequence, let first = damaged.firstSequence, first > last { return false }
    return true
  }

  /// True when the record is within the bounds, whatever its instrument.
  func admits(_ tick: Tick) -> Bool {
    if let from = selection.from, tick.receiveTime < from { return false }
    if let to = selection.to, tick.receiveTime >= to { return false }
    if let first = selection.fromSequence, tick.sequence < first { return false }
    if let last = selection.throughSequence, tick.sequence > last { return false }
    return true
  }

  /// True when the instrument's records are wanted.
  func wants(_ instrument: InstrumentID) -> Bool {
    guard let instruments = selection.instruments else { return true }
    if instrument == .all { return wantsWholeFeed }
    return bits?.contains(instrument) ?? instruments.contains(instrument)
  }
}
