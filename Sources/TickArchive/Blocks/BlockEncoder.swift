internal import CTickCodec
internal import MarketData

/// Turns ticks into blocks. The same ticks always give the same bytes.
struct BlockEncoder: ~Copyable {
  private let slots = ScratchBuffer<UInt32>(count: Int(tickcodec_lookup_slots))
  private let instruments: ScratchBuffer<UInt32>
  private let tickCounts: ScratchBuffer<UInt32>
  private let codes: ScratchBuffer<UInt32>
  private let ranks: ScratchBuffer<UInt16>
  private let order: ScratchBuffer<UInt64>
  private let directory: ScratchBuffer<tickcodec_instrument>
  private let columns = ScratchBuffer<UInt32>(
    count: Int(tickcodec_column_count) * Int(tickcodec_column_stride))
  private let packed: ScratchBuffer<UInt8>
  private let summaries: ScratchBuffer<tickcodec_summary>
  private let packedSummaries: ScratchBuffer<UInt8>
  private let streamed: ScratchBuffer<UInt8>
  private let usesPortableKernels: Bool
  private var builder = BlockBuilder(BlockHeader(kind: .ticks, recordCount: 0))

  /// Words of a column that are coded both ways to see which coding suits it.
  private static let sampleCount = 4096
  /// Word streams must promise to take at most this many hundredths of a packed column, for they are slower to read.
  private static let worthwhilePercent = 95

  /// Makes an encoder of blocks of up to `blockTicks` ticks, which for tests can do without the processor's vector
  /// instructions.
  init(blockTicks: Int, usesPortableKernels: Bool = false) {
    instruments = ScratchBuffer(count: blockTicks)
    tickCounts = ScratchBuffer(count: blockTicks)
    codes = ScratchBuffer(count: blockTicks)
    ranks = ScratchBuffer(count: blockTicks)
    order = ScratchBuffer(count: 2 * blockTicks)
    directory = ScratchBuffer(count: blockTicks)
    packed = ScratchBuffer(
      count: Int(tickcodec_directory_streams) * tickcodec_packed_capacity(UInt32(blockTicks)))
    streamed = ScratchBuffer(count: tickcodec_words_bound(UInt32(blockTicks)))
    summaries = ScratchBuffer(count: blockTicks)
    packedSummaries = ScratchBuffer(
      count: Int(tickcodec_summary_streams) * tickcodec_packed_capacity(UInt32(blockTicks)))
    self.usesPortableKernels = usesPortableKernels
    slots.elements.initialize(repeating: 0)
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
    var parameters = tickcodec_parameters()
    let instrumentCount = tickcodec_assign(
      ticks, count, slots.elements.baseAddress, instruments.elements.baseAddress,
      tickCounts.elements.baseAddress, codes.elements.baseAddress)
    tickcodec_rank(
      instruments.elements.baseAddress, tickCounts.elements.baseAddress, instrumentCount, count,
      order.elements.baseAddress, ranks.elements.baseAddress, directory.elements.baseAddress, &parameters)
    tickcodec_measure(
      ticks, count, ranks.elements.baseAddress, codes.elements.baseAddress, directory.elements.baseAddress,
      instrumentCount, &parameters)

    var header = BlockHeader(kind: .ticks, recordCount: Int(count))
    header.instrumentCount = Int(instrumentCount)
    header.earliest = Timestamp(nanoseconds: parameters.earliest)
    header.latest = Timestamp(nanoseconds: parameters.latest)
    header.firstSequence = parameters.first_sequence
    header.lastSequence = ticks[Int(count) - 1].sequence
    header.exchangeUnit = parameters.exchange_unit
    header.hasPlainVolume = parameters.has_plain_volume
    header.hasSteadyTradeTimes = parameters.has_steady_trade_times
    header.frequentCount = Int(parameters.frequent_count)
    header.instrumentLeast = parameters.instrument_least
    header.instrumentStep = parameters.instrument_step
    if parameters.summary_count > 0 {
      header.version = BlockHeader.currentVersion
      header.summaryCount = Int(parameters.summary_count)
      header.summaryUnit = parameters.summary_unit
    }
    builder.restart(header)

    addDirectory(instrumentCount, parameters)
    if instrumentCount > 1 {
      let length = pack(UnsafePointer(codes.elements.baseAddress), count, at: 0)
      builder.add(.instrumentCodes, UnsafeBufferPointer(packed.first(length)), coding: .packed)
    }
    let summaryLength = packSummaries(ticks, count, instrumentCount, parameters)
    let used = tickcodec_split(
      ticks, count, codes.elements.baseAddress, directory.elements.baseAddress, &parameters,
      columns.elements.baseAddress)
    for section in Section.columns where used >> UInt32(section.rawValue) & 1 != 0 {
      let start = (section.rawValue - Section.receiveTimeLow.rawValue) * Int(tickcodec_column_stride)
      addColumn(section, UnsafeBufferPointer(rebasing: columns.elements[start..<start + Int(count)]))
    }
    builder.add(
      .summaries, UnsafeBufferPointer(packedSummaries.first(summaryLength)), coding: .packed)
    builder.finish()
  }

  /// Packs the day summaries, before the directory changes; returns the length of their section.
  private func packSummaries(
    _ ticks: UnsafePointer<tickcodec_tick>, _ count: UInt32, _ instrumentCount: UInt32,
    _ parameters: tickcodec_parameters
  ) -> Int {
    let summaryCount = Int(parameters.summary_count)
    guard summaryCount > 0 else { return 0 }
    let words = columns.elements.baseAddress
    withUnsafePointer(to: parameters) {
      tickcodec_split_summaries(
        ticks, count, codes.elements.baseAddress, directory.elements.baseAddress, instrumentCount, $0,
        summaries.elements.baseAddress, words)
    }
    var length = 0
    for stream in 0..<Int(tickcodec_summary_streams) {
      let target = UnsafeMutableBufferPointer(rebasing: packedSummaries.elements[length...])
      length += tickcodec_pack_words(
        words?.advanced(by: stream * summaryCount), UInt32(summaryCount), usesPortableKernels,
        target.baseAddress, target.count)
    }
    return length
  }

  private mutating func addDirectory(_ instrumentCount: UInt32, _ parameters: tickcodec_parameters) {
    // The columns are not split yet, so their memory can hold one stream's words.
    let words = columns.elements.baseAddress
    var length = 0
    for stream in 0..<UInt32(tickcodec_directory_streams) {
      withUnsafePointer(to: parameters) {
        tickcodec_directory_words(directory.elements.baseAddress, instrumentCount, $0, stream, words)
      }
      length += pack(UnsafePointer(words), instrumentCount, at: length)
    }
    builder.add(.directory, UnsafeBufferPointer(packed.first(length)), coding: .packed)
  }

  /// Adds a column in the coding that makes it shorter: bits where its words are of many values, whole bytes and LZ4
  /// where they repeat.
  private mutating func addColumn(_ section: Section, _ words: UnsafeBufferPointer<UInt32>) {
    let packedLength = pack(words.baseAddress, UInt32(words.count), at: 0)
    let sample = UnsafeBufferPointer(rebasing: words.prefix(Self.sampleCount))
    let promised = builder.compress(stream(sample)) * words.count / sample.count
    if promised * 100 <= packedLength * Self.worthwhilePercent {
      let all = stream(words)
      if builder.compress(all) < packedLength {
        builder.add(section, all)
        return
      }
    }
    builder.add(section, UnsafeBufferPointer(packed.first(packedLength)), coding: .packed)
  }

  /// Writes a packed column into `packed` and returns its length.
  private func pack(_ words: UnsafePointer<UInt32>?, _ count: UInt32, at offset: Int) -> Int {
    let target = UnsafeMutableBufferPointer(rebasing: packed.elements[offset...])
    return tickcodec_pack_words(words, count, usesPortableKernels, target.baseAddress, target.count)
  }

  /// Writes a word stream into `streamed`.
  private func stream(_ words: UnsafeBufferPointer<UInt32>) -> UnsafeBufferPointer<UInt8> {
    let length = tickcodec_encode_words(
      words.baseAddress, UInt32(words.count), streamed.elements.baseAddress, streamed.elements.count)
    return UnsafeBufferPointer(streamed.first(length))
  }
}
