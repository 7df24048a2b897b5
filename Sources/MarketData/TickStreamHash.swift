/// A 64-bit fingerprint of a stream of ticks, which depends on every byte but the stamp and on their order.
///
/// Two equal hashes mean, for practical purposes, that the same records came in the same order; it is a check
/// against faults, not against an adversary. For each record the seven 64-bit words after the first eight bytes,
/// then the instrument, are folded in: `state = (rotate_left(state, 29) ^ word) * 0x9E3779B97F4A7C15`. The value is
/// the state, finished by two xor-shift-multiply rounds.
public struct TickStreamHash: Sendable, Equatable {
  @usableFromInline var state: UInt64 = 0x243F_6A88_85A3_08D3

  /// Records taken in so far.
  public private(set) var count: UInt64 = 0

  /// Makes the hash of an empty stream.
  public init() {}

  /// Takes in one record.
  public mutating func update(_ tick: Tick) {
    mix(tick.sequence)
    mix(UInt64(bitPattern: tick.receiveTime.nanoseconds))
    mix(UInt64(bitPattern: tick.exchangeTime.nanoseconds))
    mix(UInt64(bitPattern: tick.lastPrice.units))
    mix(UInt64(bitPattern: tick.dayVolume))
    mix(UInt64(tick.lastTradeSeconds) | UInt64(tick.lastQuantity) << 32)
    mix(
      UInt64(tick.openInterest) | UInt64(tick.flags.rawValue) << 32 | UInt64(tick.kind.rawValue) << 48
        | UInt64(tick.reserved) << 56)
    mix(UInt64(tick.instrument.rawValue))
    count &+= 1
  }

  /// The fingerprint of what was taken in.
  public var value: UInt64 {
    var result = state
    result = (result ^ (result >> 32)) &* 0xD6E8_FEB8_6659_FD93
    result = (result ^ (result >> 29)) &* 0xD6E8_FEB8_6659_FD93
    return result ^ (result >> 32)
  }

  /// The fingerprint as 16 hexadecimal digits.
  public var text: String { Self.text(of: value) }

  /// A fingerprint as 16 hexadecimal digits.
  public static func text(of value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  @inline(__always)
  private mutating func mix(_ word: UInt64) {
    state = ((state << 29 | state >> 35) ^ word) &* 0x9E37_79B9_7F4A_7C15
  }
}
