/// A 64-bit fingerprint of a stream of ticks, which depends on every byte but the stamp and on their order.
///
/// Two equal hashes mean, for practical purposes, that the same records came in the same order; it is a check
/// against faults, not against an adversary. `fold(a, b)` multiplies to 128 bits and returns
/// `a ^ low ^ b ^ high`, as wyhash's protected mode does (Wang Yi, 2019), so that no operand is lost when the other is
/// zero. Each record is folded by itself, in four products that do not wait for each other:
///
/// `record = fold(sequence ^ k1, receive ^ k2) + fold(exchange ^ k3, price ^ k4) + fold(volume ^ k5, seconds and quantity
/// ^ k6) + fold(interest, flags, kind ^ k7, instrument ^ k8)`, modulo 2^64; then `state = fold(state ^ record, k0)`, the
/// one step in which a record waits for the one before.
public struct TickStreamHash: Sendable, Equatable {
  @usableFromInline var state: UInt64 = 0x243F_6A88_85A3_08D3

  /// Records taken in so far.
  public var count: UInt64 { records }
  @usableFromInline var records: UInt64 = 0

  // Odd constants from the digits of pi, e and the golden ratio: nothing up the sleeve.
  @usableFromInline static let k0: UInt64 = 0x9E37_79B9_7F4A_7C15
  @usableFromInline static let k1: UInt64 = 0x1319_8A2E_0370_7345
  @usableFromInline static let k2: UInt64 = 0xA409_3822_299F_31D1
  @usableFromInline static let k3: UInt64 = 0x082E_FA98_EC4E_6C89
  @usableFromInline static let k4: UInt64 = 0x4528_21E6_38D0_1377
  @usableFromInline static let k5: UInt64 = 0xBE54_66CF_34E9_0C6D
  @usableFromInline static let k6: UInt64 = 0xC0AC_29B7_C97C_50DD
  @usableFromInline static let k7: UInt64 = 0xB7E1_5162_8AED_2A6B
  @usableFromInline static let k8: UInt64 = 0x3F84_D5B5_B547_0917

  /// Makes the hash of an empty stream.
  public init() {}

  /// Takes in one record.
  @inlinable
  public mutating func update(_ tick: Tick) {
    let quantities = UInt64(tick.lastTradeSeconds) | UInt64(tick.lastQuantity) << 32
    let rest =
      UInt64(tick.openInterest) | UInt64(tick.flags.rawValue) << 32 | UInt64(tick.kind.rawValue) << 48
      | UInt64(tick.reserved) << 56
    let record =
      Self.fold(tick.sequence ^ Self.k1, UInt64(bitPattern: tick.receiveTime.nanoseconds) ^ Self.k2)
      &+ Self.fold(
        UInt64(bitPattern: tick.exchangeTime.nanoseconds) ^ Self.k3,
        UInt64(bitPattern: tick.lastPrice.units) ^ Self.k4)
      &+ Self.fold(UInt64(bitPattern: tick.dayVolume) ^ Self.k5, quantities ^ Self.k6)
      &+ Self.fold(rest ^ Self.k7, UInt64(tick.instrument.rawValue) ^ Self.k8)
    state = Self.fold(state ^ record, Self.k0)
    records &+= 1
  }

  /// Takes in records one after the other.
  @inlinable
  public mutating func update(_ ticks: Span<Tick>) {
    for index in ticks.indices { update(ticks[index]) }
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

  @inlinable @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return left ^ product.low ^ right ^ product.high
  }
}
