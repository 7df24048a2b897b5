import MarketData

/// From an instrument's name as bytes to the instrument, by open addressing, so that no String is made for a tick.
struct SymbolTable: Sendable {
  private struct Slot {
    var hash: UInt64
    var instrument: InstrumentID
    /// Where the name lies in ``names``.
    var start: Int
    var count: Int
  }

  private var slots: [Slot?]
  private var names: [UInt8] = []
  private(set) var count = 0

  private static let slotsMin = 16

  init() {
    slots = Array(repeating: nil, count: Self.slotsMin)
  }

  /// Sets the instrument of a name, replacing an earlier one.
  mutating func insert(_ name: String, _ instrument: InstrumentID) {
    // Twice as many slots as names at least, so that probing ends soon, and ends at all.
    if (count + 1) * 2 > slots.count { grow() }
    let bytes = Array(name.utf8)
    let hash = Self.hash(bytes)
    let index = place(of: bytes, hash: hash)
    if slots[index] == nil {
      slots[index] = Slot(hash: hash, instrument: instrument, start: names.count, count: bytes.count)
      names += bytes
      count += 1
    } else {
      slots[index]?.instrument = instrument
    }
  }

  /// The instrument of a name, or nil.
  func instrument(named name: [UInt8]) -> InstrumentID? {
    slots[place(of: name, hash: Self.hash(name))]?.instrument
  }

  /// The slot that holds the name, or the empty one where it would go.
  private func place(of name: [UInt8], hash: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while let slot = slots[index] {
      if slot.hash == hash, slot.count == name.count, isName(name, at: slot.start) { return index }
      index = (index + 1) & (slots.count - 1)
    }
    return index
  }

  private func isName(_ name: [UInt8], at start: Int) -> Bool {
    for position in 0..<name.count where names[start + position] != name[position] { return false }
    return true
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: nil, count: old.count * 2)
    for case let slot? in old {
      var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
      while slots[index] != nil { index = (index + 1) & (slots.count - 1) }
      slots[index] = slot
    }
  }

  /// FNV-1a, its halves folded, since the table looks at the low bits.
  private static func hash(_ name: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }
}
