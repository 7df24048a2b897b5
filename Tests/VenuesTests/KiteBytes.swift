/// Builds ticker messages byte by byte from the vendor's description, sharing nothing with the code under test.
enum KiteBytes {
  static func message(_ packets: [[UInt8]]) -> [UInt8] {
    packets.reduce(into: be16(packets.count)) { $0 += be16($1.count) + $1 }
  }

  static func words(_ values: [Int]) -> [UInt8] { values.flatMap { value -> [UInt8] in be32(value) } }

  static func ltp(_ token: Int, price: Int) -> [UInt8] { words([token, price]) }

  /// High, low, open, close; then the change, and the time where there is one.
  static func index(_ token: Int, price: Int, time: Int?) -> [UInt8] {
    words([token, price, price + 4, price - 4, price - 1, price + 1, -1]) + (time.map(be32) ?? [])
  }

  static func quote(_ token: Int, price: Int, volume: Int, lastQuantity: Int = 7) -> [UInt8] {
    words([
      token, price, lastQuantity, price + 3, volume, 400, 500, price - 1, price + 4, price - 4, price + 1,
    ])
  }

  static func full(_ token: Int, price: Int, volume: Int, time: Int, openInterest: Int = 900) -> [UInt8] {
    let depth = (0..<10).flatMap { level -> [UInt8] in
      words([100 + level, price + level]) + be16(level) + [0xAA, 0xBB]
    }
    return quote(token, price: price, volume: volume)
      + words([time - 1, openInterest, openInterest + 1, openInterest - 1, time]) + depth
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func be16(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }

  private static func be32(_ value: Int) -> [UInt8] { be16(value >> 16) + be16(value) }
}

/// A small random generator whose sequence is the same in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
