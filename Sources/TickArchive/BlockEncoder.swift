internal import CTickCodec
internal import MarketData

/// Turns ticks into blocks. The same ticks always give the same bytes.
struct BlockEncoder: ~Copyable {
  private let slots = ScratchBuffer<UInt32>(count: Int(tickcodec_lookup_slots))
  private let instruments: ScratchBuffer<UInt32>
  private let codes: ScratchBuffer<UInt16>
  private let ranks: ScratchBuffer<UInt16>
  private let directory: ScratchBuffer<tickcodec_instrument>
  private let columns = ScratchBuffer<UInt32>(
    count: Int(tickcodec_column_count) * Int(tickcodec_column_stride))
  private let raw: ScratchBuffer<UInt8>
  private var builder = BlockBuilder(BlockHeader(kind: .ticks, recordCount: 0))

  /// Makes an encoder of blocks of up to `blockTicks` ticks.
  init(blockTicks: Int) {
    instruments = ScratchBuffer(count: blockTicks)
    codes = ScratchBuffer(count: blockTicks)
    ranks = ScratchBuffer(count: blockTicks)
    directory = ScratchBuffer(count: blockTicks)
    raw = ScratchBuffer(count: InstrumentDirectory.streamCount * tickcodec_words_bound(UInt32(blockTicks)))
  }

  /// The block that holds `ticks`, of which there is at least one and whose sequences ascend.
  mutating func encode(_ ticks: [Tick]) -> BlockBuilder {
    ticks.withUnsafeBytes { bytes in
      if let rows = bytes.baseAddress?.assumingMemoryBound(to: tickcodec_tick.self) {
        encode(rows, count: UInt32(ticks.count))
      }
    }
    return builder
  }

  private mutating func encode(_ ticks: UnsafePointer<tickcodec_tick>, count: UInt32) {
    let instrumentCount = assignCodes(ticks, count: count)
    let entries = directory.first(instrumentCount)
    var parameters = tickcodec_parameters()
    tickcodec_measure(
      ticks, count, ranks.elements.baseAddress, codes.elements.baseAddress, entries.baseAddress,
      UInt32(instrumentCount), &parameters)

    var header = BlockHeader(kind: .ticks, recordCount: Int(count))
    header.instrumentCount = instrumentCount
    header.earliest = Timestamp(nanoseconds: parameters.earliest)
    header.latest = Timestamp(nanoseconds: parameters.latest)
    header.firstSequence = parameters.first_sequence
    header.lastSequence = ticks[Int(count) - 1].sequence
    header.exchangeUnit = parameters.exchange_unit
    header.codeWidth = Int(parameters.code_width)
    header.hasPlainVolume = parameters.has_plain_volume
    builder.restart(header)

    addDirectory(entries, earliestSeconds: UInt32(truncatingIfNeeded: header.earliest.seconds))
    let packed = tickcodec_pack(
      codes.elements.baseAddress, count, parameters.code_width, raw.elements.baseAddress, raw.elements.count)
    builder.add(.instrumentCodes, UnsafeBufferPointer(raw.first(packed)))
    tickcodec_split(
      ticks, count, codes.elements.baseAddress, entries.baseAddress, &parameters, columns.elements.baseAddress
    )
    for section in Section.columns {
      let start = (section.rawValue - Section.receiveTimeLow.rawValue) * Int(tickcodec_column_stride)
      let words = UnsafeMutableBufferPointer(rebasing: columns.elements[start..<start + Int(count)])
      if tickcodec_is_zero(words.baseAddress, count) { continue }
      let length = encodeWords(words, at: 0)
      builder.add(section, UnsafeBufferPointer(raw.first(length)))
    }
    builder.finish()
  }

  /// Numbers the instruments; leaves them in ascending order in the directory, and in `ranks` what each number
  /// becomes in that order. Returns how many there are.
  private func assignCodes(_ ticks: UnsafePointer<tickcodec_tick>, count: UInt32) -> Int {
    let found = Int(
      tickcodec_assign(
        ticks, count, slots.elements.baseAddress, instruments.elements.baseAddress, codes.elements.baseAddress
      ))
    // Sorting one word that holds both is several times faster than sorting numbers by a key looked up elsewhere.
    let order = (0..<found).map { UInt64(instruments.elements[$0]) << 32 | UInt64($0) }.sorted()
    for (rank, word) in order.enumerated() {
      directory.elements[rank] = tickcodec_instrument()
      directory.elements[rank].instrument = UInt32(word >> 32)
      ranks.elements[Int(word & 0xFFFF)] = UInt16(rank)
    }
    return found
  }

  private mutating func addDirectory(
    _ entries: UnsafeMutableBufferPointer<tickcodec_instrument>, earliestSeconds: UInt32
  ) {
    // The columns are not split yet, so their memory can hold one stream's words.
    let words = columns.first(entries.count)
    var length = 0
    for stream in 0..<InstrumentDirectory.streamCount {
      InstrumentDirectory.words(
        ofStream: stream, in: entries, earliestSeconds: earliestSeconds, into: words)
      length += encodeWords(words, at: length)
    }
    builder.add(.directory, UnsafeBufferPointer(raw.first(length)))
  }

  /// Writes a word stream into `raw` and returns its length.
  private func encodeWords(_ words: UnsafeMutableBufferPointer<UInt32>, at offset: Int) -> Int {
    let target = UnsafeMutableBufferPointer(rebasing: raw.elements[offset...])
    return tickcodec_encode_words(words.baseAddress, UInt32(words.count), target.baseAddress, target.count)
  }
}
