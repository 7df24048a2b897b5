internal import MarketData

/// Ticks like those of a day at the NSE: many instruments, few of them busy, prices in steps of 0.05.
enum SyntheticTicks {
  private static let start = Timestamp(seconds: 1_700_000_100)

  /// The same ticks for the same seed.
  ///
  /// - Parameter meanGapNanoseconds: From one tick to the next; 50 000 ticks a second unless told.
  static func make(count: Int, instruments: Int, seed: UInt64, meanGapNanoseconds: UInt64 = 20_000) -> [Tick]
  {
    var generator = SplitMix(state: seed)
    var prices = (0..<instruments).map { _ in Int64(2_000 + generator.next() % 40_000) }
    var volumes = [Int64](repeating: 0, count: instruments)
    var time = start
    return (0..<count).map { position in
      // The product of two draws favours small numbers: a few instruments make most of the ticks.
      let draw = (generator.next() % UInt64(instruments)) * (generator.next() % UInt64(instruments))
      let instrument = Int(draw / UInt64(instruments))
      prices[instrument] = max(1, prices[instrument] + Int64(generator.next() % 3) - 1)
      let quantity = Int64(1 + generator.next() % 400)
      volumes[instrument] += quantity
      time = time + Int64(generator.next() % (2 * meanGapNanoseconds))
      return Tick(
        instrument: InstrumentID(rawValue: UInt32(instrument)), sequence: UInt64(position + 1),
        receiveTime: time,
        exchangeTime: Timestamp(seconds: time.seconds),
        lastPrice: Price(units: prices[instrument] * 50_000_000),
        dayVolume: volumes[instrument], lastTradeSeconds: UInt32(time.seconds),
        lastQuantity: UInt32(quantity),
        openInterest: 0)
    }
  }

  /// One message of full packets (184 bytes each), built from the protocol's offset table.
  static func kiteMessage(packets: Int) -> [UInt8] {
    var bytes = bigEndian(UInt16(packets))
    for token in 0..<packets {
      var packet = [UInt8](repeating: 0, count: 184)
      packet.replaceSubrange(0..<4, with: bigEndian(UInt32(token) << 8 | 1))
      packet.replaceSubrange(4..<8, with: bigEndian(UInt32(150_000 + token)))
      packet.replaceSubrange(16..<20, with: bigEndian(UInt32(1_000_000 + token)))
      packet.replaceSubrange(44..<48, with: bigEndian(UInt32(start.seconds)))
      packet.replaceSubrange(60..<64, with: bigEndian(UInt32(start.seconds)))
      bytes += bigEndian(UInt16(packet.count)) + packet
    }
    return bytes
  }

  private static func bigEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}

/// A small seeded generator (SplitMix64, Steele, Lea and Flood 2014): the same numbers on every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
