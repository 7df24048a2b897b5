internal import CTickCodec

/// The directory of a block of ticks: its instruments in ascending order, with the values that their columns start
/// from, as word streams one after the other.
enum InstrumentDirectory {
  /// Word streams in a directory: instrument, price unit, lot, price (low, high), volume (low, high), open
  /// interest, last trade.
  static let streamCount = 9

  /// The words of one stream for all entries. `earliestSeconds` is the block's earliest receive time in seconds,
  /// which last trade times are near.
  static func words(
    ofStream stream: Int, in entries: UnsafeMutableBufferPointer<tickcodec_instrument>,
    earliestSeconds: UInt32,
    into words: UnsafeMutableBufferPointer<UInt32>
  ) {
    var next: UInt32 = 0
    for (index, entry) in entries.enumerated() {
      switch stream {
      case 0:
        words[index] = entry.instrument &- next
        next = entry.instrument &+ 1
      case 1: words[index] = entry.price_unit
      case 2: words[index] = entry.lot
      case 3: words[index] = UInt32(truncatingIfNeeded: zigzag(entry.price))
      case 4: words[index] = UInt32(truncatingIfNeeded: zigzag(entry.price) >> 32)
      case 5: words[index] = UInt32(truncatingIfNeeded: entry.volume)
      case 6: words[index] = UInt32(truncatingIfNeeded: entry.volume >> 32)
      case 7: words[index] = entry.open_interest
      default: words[index] = zigzag(earliestSeconds &- entry.last_trade_seconds)
      }
    }
  }

  /// Sets in all entries what one stream carries.
  ///
  /// - Throws: ``BadBlock`` when the instruments do not ascend, or a price unit or lot is zero.
  static func apply(
    _ words: UnsafeMutableBufferPointer<UInt32>, ofStream stream: Int, earliestSeconds: UInt32,
    to entries: UnsafeMutableBufferPointer<tickcodec_instrument>
  ) throws(BadBlock) {
    var next: UInt64 = 0
    for index in entries.indices {
      let word = words[index]
      switch stream {
      case 0:
        let instrument = next + UInt64(word)
        guard instrument <= UInt64(UInt32.max) else { throw BadBlock("its instruments do not ascend") }
        entries[index] = tickcodec_instrument()
        entries[index].instrument = UInt32(instrument)
        next = instrument + 1
      case 1:
        guard word > 0 else { throw BadBlock("it has a price unit of zero") }
        entries[index].price_unit = word
      case 2:
        guard word > 0 else { throw BadBlock("it has a lot of zero") }
        entries[index].lot = word
      case 3: entries[index].price = UInt64(word)
      case 4: entries[index].price = unzigzag(entries[index].price | UInt64(word) << 32)
      case 5: entries[index].volume = UInt64(word)
      case 6: entries[index].volume |= UInt64(word) << 32
      case 7: entries[index].open_interest = word
      default: entries[index].last_trade_seconds = earliestSeconds &- unzigzag(word)
      }
    }
  }

  /// Maps small magnitudes of either sign to small numbers: 0, -1, 1, -2 to 0, 1, 2, 3.
  static func zigzag<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) -> Value {
    value << 1 ^ (value >> Value(Value.bitWidth - 1) == 0 ? 0 : .max)
  }

  static func unzigzag<Value: FixedWidthInteger & UnsignedInteger>(_ code: Value) -> Value {
    code >> 1 ^ (code & 1 == 0 ? 0 : .max)
  }
}

/// Why a block cannot be decoded, as the end of a sentence. The caller adds file and bounds.
struct BadBlock: Error {
  let cause: String

  init(_ cause: String) { self.cause = cause }
}
