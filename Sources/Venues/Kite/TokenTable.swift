public import MarketData

/// From a venue's 32-bit token to the instrument, by open addressing: one cache line a lookup, nearly always.
///
/// `Dictionary` hashes with SipHash, which costs more than decoding the packet does. Tokens come from our own
/// subscriptions, not from an adversary, so a multiplicative hash is enough.
public struct TokenTable: Sendable {
  /// One slot: the token in the high half, the instrument in the low half; ``emptySlot`` where there is none.
  private var slots: [UInt64]
  private var mask: Int
  private var shift: UInt32
  /// Tokens held.
  public private(set) var count = 0

  private static let emptySlot = UInt64(InstrumentID.all.rawValue)
  private static let slotsMin = 16

  /// Makes an empty table.
  public init() {
    self.init(slotCount: Self.slotsMin)
  }

  private init(slotCount: Int) {
    slots = Array(repeating: Self.emptySlot, count: slotCount)
    mask = slotCount - 1
    shift = UInt32(64 - slotCount.trailingZeroBitCount)
  }

  /// Sets the instrument of a token, replacing an earlier one; `instrument` must not be ``InstrumentID/all``.
  public mutating func insert(_ token: UInt32, _ instrument: InstrumentID) {
    precondition(instrument != .all, "the whole feed has no token")
    // Twice as many slots as tokens at least, so that probing ends soon, and ends at all.
    if (count + 1) * 2 > slots.count {
      var larger = TokenTable(slotCount: slots.count * 2)
      for slot in slots where !Self.isEmpty(slot) { larger.place(slot) }
      self = larger
    }
    place(UInt64(token) << 32 | UInt64(instrument.rawValue))
  }

  private mutating func place(_ slot: UInt64) {
    var index = home(of: UInt32(truncatingIfNeeded: slot >> 32))
    while !Self.isEmpty(slots[index]) {
      if slots[index] >> 32 == slot >> 32 {
        slots[index] = slot
        return
      }
      index = (index + 1) & mask
    }
    slots[index] = slot
    count += 1
  }

  /// The instrument of a token, or nil.
  @inline(__always)
  public func instrument(ofToken token: UInt32) -> InstrumentID? {
    var index = home(of: token)
    while true {
      let slot = slots[index]
      if Self.isEmpty(slot) { return nil }
      if slot >> 32 == UInt64(token) { return InstrumentID(rawValue: UInt32(truncatingIfNeeded: slot)) }
      index = (index + 1) & mask
    }
  }

  @inline(__always)
  private static func isEmpty(_ slot: UInt64) -> Bool { UInt32(truncatingIfNeeded: slot) == .max }

  /// The top bits of a Fibonacci hash: the low byte of a token is its segment and nearly constant.
  @inline(__always)
  private func home(of token: UInt32) -> Int {
    Int(truncatingIfNeeded: (UInt64(token) &* 0x9E37_79B9_7F4A_7C15) >> UInt64(shift))
  }
}
