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

  /// The set whose bits are these words, instrument 0 the lowest bit of the first.
  public init(words: [UInt64]) {
    self.words = words
    while self.words.last == 0 { self.words.removeLast() }
  }

  /// Word `index` of the set's bits; 0 beyond its end.
  public func word(_ index: Int) -> UInt64 { index < words.count ? words[index] : 0 }

  /// The instruments, in the order of their numbers.
  public var instruments: [InstrumentID] {
    words.indices.flatMap { index in
      (0..<64).filter { words[index] >> UInt64($0) & 1 == 1 }.map {
        InstrumentID(rawValue: UInt32(index * 64 + $0))
      }
    }
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
