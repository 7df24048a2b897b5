/// A set of instruments as one bit each: what a lane's consumer observes.
public struct InstrumentSet: Sendable, Equatable {
  @usableFromInline var words: [UInt64]

  /// The empty set.
  public init() {
    words = []
  }

  /// The set of these instruments.
  public init(_ instruments: some Sequence<InstrumentID>) {
    words = []
    for instrument in instruments { insert(instrument) }
  }

  /// True when the instrument is in the set. A few instructions, for the hot path.
  @inlinable
  public func contains(_ instrument: InstrumentID) -> Bool {
    let word = instrument.index &>> 6
    guard word < words.count else { return false }
    return words[word] &>> UInt64(instrument.index & 63) & 1 == 1
  }

  /// Adds an instrument; ``InstrumentID/all`` is not one.
  public mutating func insert(_ instrument: InstrumentID) {
    precondition(instrument != .all, "a set holds single instruments")
    let word = instrument.index >> 6
    while words.count <= word { words.append(0) }
    words[word] |= 1 << UInt64(instrument.index & 63)
  }

  /// Takes an instrument out.
  public mutating func remove(_ instrument: InstrumentID) {
    let word = instrument.index >> 6
    guard word < words.count else { return }
    words[word] &= ~(1 << UInt64(instrument.index & 63))
  }

  /// How many instruments are in the set.
  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
