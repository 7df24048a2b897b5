/// A small generator of pseudo-random numbers that gives the same sequence for the same seed on every machine:
/// SplitMix64 by Sebastiano Vigna.
struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mixed(state)
  }

  /// A number in [0, 1).
  mutating func unit() -> Double { Self.unit(next()) }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The finishing permutation: a good hash of one word.
  static func mixed(_ word: UInt64) -> UInt64 {
    var value = word
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// A hash of several words, in their order.
  static func hash(_ words: UInt64...) -> UInt64 {
    var state: UInt64 = 0
    for word in words { state = mixed(state &+ increment &+ word) }
    return state
  }

  /// The upper 53 bits as a number in [0, 1).
  static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
}
