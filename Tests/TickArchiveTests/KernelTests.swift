import CTickCodec
import MarketData
import Testing
import TickArchive

/// Checksums of test files, by the kernel that is itself tested against published values below.
enum Checksums {
  static func of(_ bytes: some Collection<UInt8>) -> UInt32 {
    Array(bytes).withUnsafeBufferPointer { tickcodec_crc32c($0.baseAddress, $0.count) }
  }

  /// Writes the checksum of a range right behind it.
  static func reseal(_ bytes: inout [UInt8], _ range: Range<Int>) {
    let checksum = of(bytes[range])
    for index in 0..<4 {
      bytes[range.upperBound + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
    }
  }
}

@Suite struct KernelTests {
  private static let readingKernels = [
    UInt32(tickcodec_kernels_best), UInt32(tickcodec_kernels_avx2), UInt32(tickcodec_kernels_portable),
  ]

  @Test func theChecksumIsTheCastagnoliOne() {
    // Check value of the CRC catalogue, and the 32 zero bytes of RFC 3720, appendix B.4.
    #expect(Checksums.of("123456789".utf8) == 0xE306_9283)
    #expect(Checksums.of(repeatElement(0, count: 32)) == 0x8A91_36AA)
  }

  @Test func theChecksumByInstructionAndByTableAgree() {
    var random = SeededGenerator(seed: 7)
    // Beyond three times three parts that the instruction takes in beside each other.
    for length in Array(0..<300) + (0..<60).map({ _ in Int.random(in: 3000...10_000, using: &random) }) {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let portable = bytes.withUnsafeBufferPointer { tickcodec_crc32c_portable($0.baseAddress, length) }
      #expect(Checksums.of(bytes) == portable)
    }
  }

  @Test(arguments: 0..<80 as Range<UInt64>)
  func wordStreamsAreReadAlikeWithAndWithoutVectors(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let words = (0..<Int(seed)).map { _ in
      UInt32.random(in: 0...UInt32.max, using: &random) >> (8 * UInt32.random(in: 0...4, using: &random))
    }
    var stream = [UInt8](repeating: 0, count: tickcodec_words_bound(UInt32(words.count)))
    let length = tickcodec_encode_words(words, UInt32(words.count), &stream, stream.count)
    #expect(length > 0)
    for portable in [false, true] {
      // Just the stream, and with one byte less, so that an over-read would not go unnoticed by a sanitizer.
      for given in [length, length - 1] {
        var decoded = [UInt32](repeating: 0, count: words.count)
        let taken = Array(stream[..<given]).withUnsafeBufferPointer {
          tickcodec_decode_words(
            tickcodec_bytes(start: $0.baseAddress, length: $0.count, coding: 0), &decoded,
            UInt32(words.count), portable)
        }
        #expect(taken == (given == length ? length : 0))
        if given == length { #expect(decoded == words) }
      }
    }
  }

  /// Words of every length in bits, few of them long, around a base, so that tiles of one to three levels come up.
  private static func unevenWords(_ count: Int, _ random: inout SeededGenerator) -> [UInt32] {
    let base: UInt32 = Bool.random(using: &random) ? 0 : UInt32.random(in: 0...UInt32.max, using: &random)
    let widths = (0..<3).map { _ in UInt32.random(in: 0...32, using: &random) }
    let rarity = Int.random(in: 1...40, using: &random)
    return (0..<count).map { _ in
      let level = (0..<2).prefix { _ in Int.random(in: 0..<rarity, using: &random) == 0 }.count
      return base
        &+ UInt32(truncatingIfNeeded: UInt64.random(in: 0..<(1 << UInt64(widths[level])), using: &random))
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func packedColumnsAreWrittenAndReadAlikeWithAndWithoutVectors(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = seed < 60 ? Int(seed) : Int.random(in: 0...3000, using: &random)
    let words = Self.unevenWords(count, &random)
    var columns: [[UInt8]] = []
    for portable in [false, true] {
      var column = [UInt8](repeating: 0, count: tickcodec_packed_capacity(UInt32(count)))
      let length = tickcodec_pack_words(words, UInt32(count), portable, &column, column.count)
      #expect(length <= tickcodec_packed_bound(UInt32(count)))
      columns.append(Array(column[..<length]))
    }
    #expect(columns[0] == columns[1])
    let length = columns[0].count
    for kernels in Self.readingKernels {
      // Just the column, with bytes behind it that may be loaded, and with one byte less.
      for (given, slack) in [(length, 0), (length, 64), (length - 1, 0)] where given >= 0 {
        var decoded = [UInt32](repeating: 0, count: count)
        let bytes = Array(columns[0][..<given]) + [UInt8](repeating: 0xFF, count: slack)
        let taken = bytes.withUnsafeBufferPointer {
          tickcodec_unpack_words(
            tickcodec_bytes(start: $0.baseAddress, length: $0.count, coding: 1), &decoded, UInt32(count),
            kernels)
        }
        #expect(taken == (given == length ? length : 0))
        if given == length { #expect(decoded == words) }
      }
    }
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func packedColumnsOfAnyBytesAreRefusedOrReadAlike(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = UInt32.random(in: 1...1500, using: &random)
    var bytes = (0..<Int.random(in: 0...6000, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    // Sane headers come up more often than one in many.
    if !bytes.isEmpty, seed % 2 == 0 {
      bytes[0] = UInt8.random(in: 0...20, using: &random) | (seed % 4 == 0 ? 0x80 : 0)
    }
    if bytes.count > 1, seed % 2 == 0 { bytes[1] = UInt8.random(in: 1...12, using: &random) }
    var results: [(Int, [UInt32])] = []
    for kernels in Self.readingKernels {
      var decoded = [UInt32](repeating: 0, count: Int(count))
      let taken = bytes.withUnsafeBufferPointer {
        tickcodec_unpack_words(
          tickcodec_bytes(start: $0.baseAddress, length: $0.count, coding: 1), &decoded, count, kernels)
      }
      results.append((taken, taken == 0 ? [] : decoded))
    }
    for result in results {
      #expect(result.0 == results[0].0)
      #expect(result.1 == results[0].1)
    }
  }

  @Test func theKernelsTickLiesInMemoryAsTheModelsDoes() {
    #expect(MemoryLayout<tickcodec_tick>.size == MemoryLayout<Tick>.size)
    let pairs: [(Int?, Int?)] = [
      (MemoryLayout.offset(of: \tickcodec_tick.stamp), MemoryLayout.offset(of: \Tick.stamp)),
      (MemoryLayout.offset(of: \tickcodec_tick.instrument), MemoryLayout.offset(of: \Tick.instrument)),
      (MemoryLayout.offset(of: \tickcodec_tick.sequence), MemoryLayout.offset(of: \Tick.sequence)),
      (MemoryLayout.offset(of: \tickcodec_tick.receive_time), MemoryLayout.offset(of: \Tick.receiveTime)),
      (MemoryLayout.offset(of: \tickcodec_tick.exchange_time), MemoryLayout.offset(of: \Tick.exchangeTime)),
      (MemoryLayout.offset(of: \tickcodec_tick.last_price), MemoryLayout.offset(of: \Tick.lastPrice)),
      (MemoryLayout.offset(of: \tickcodec_tick.day_volume), MemoryLayout.offset(of: \Tick.dayVolume)),
      (
        MemoryLayout.offset(of: \tickcodec_tick.last_trade_seconds),
        MemoryLayout.offset(of: \Tick.lastTradeSeconds)
      ),
      (MemoryLayout.offset(of: \tickcodec_tick.last_quantity), MemoryLayout.offset(of: \Tick.lastQuantity)),
      (MemoryLayout.offset(of: \tickcodec_tick.open_interest), MemoryLayout.offset(of: \Tick.openInterest)),
      (MemoryLayout.offset(of: \tickcodec_tick.flags), MemoryLayout.offset(of: \Tick.flags)),
      (MemoryLayout.offset(of: \tickcodec_tick.kind), MemoryLayout.offset(of: \Tick.kind)),
      (MemoryLayout.offset(of: \tickcodec_tick.reserved), MemoryLayout.offset(of: \Tick.reserved)),
    ]
    for (kernel, model) in pairs { #expect(kernel != nil && kernel == model) }
  }

  @Test func bothSidesNumberTheSectionsAlike() {
    #expect(Section.allCases.count == tickcodec_stored_section_count)
    #expect(Section.directory.rawValue == tickcodec_directory)
    #expect(Section.flags.rawValue == tickcodec_flags)
    #expect(Section.columns.count == tickcodec_column_count)
  }
}
