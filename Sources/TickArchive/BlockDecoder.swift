internal import CLZ4
internal import CTickCodec
internal import MarketData

/// Turns blocks of ticks back into ticks, in memory that is used again for the next block.
///
/// ``open(_:payload:)`` checks and unpacks, ``decode()`` then yields the ticks; in between a caller may look at the
/// directory and decide that it does not need the block.
struct BlockDecoder: ~Copyable {
  private let ticks = ScratchBuffer<Tick>(count: ArchiveLimits.blockTicksMax)
  /// Holds the C kernels' reader, whose layout is their own; it points into `unpacked`.
  private let readerMemory = ScratchBuffer<UInt8>(count: tickcodec_reader_size())
  private var unpacked = ScratchBuffer<UInt8>(count: 1 << 20)
  private var header = BlockHeader(kind: .ticks, recordCount: 0)
  private let usesPortableKernels: Bool

  /// Bytes behind the sections that vector instructions may load.
  private static let readableSlack = 64

  /// Makes a decoder, which for tests can do without the processor's vector instructions.
  init(usesPortableKernels: Bool) {
    self.usesPortableKernels = usesPortableKernels
  }

  /// Checks the payload against its header and reads its directory.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or a section is malformed.
  mutating func open(_ header: BlockHeader, payload: [UInt8]) throws(BadBlock) {
    self.header = header
    let length = header.sections.reduce(0) { $0 + $1.rawLength }
    if unpacked.elements.count < length + Self.readableSlack {
      unpacked = ScratchBuffer(count: length + Self.readableSlack)
    }
    try Self.unpack(header, payload: payload, into: UnsafeMutableRawBufferPointer(unpacked.elements))
    var parameters = tickcodec_parameters()
    parameters.earliest = header.earliest.nanoseconds
    parameters.latest = header.latest.nanoseconds
    parameters.first_sequence = header.firstSequence
    parameters.exchange_unit = header.exchangeUnit
    parameters.code_width = UInt32(header.codeWidth)
    parameters.has_plain_volume = header.hasPlainVolume
    parameters.has_steady_trade_times = header.hasSteadyTradeTimes
    parameters.frequent_count = UInt32(header.frequentCount)
    parameters.instrument_least = header.instrumentLeast
    parameters.instrument_step = header.instrumentStep
    var offset = 0
    let sections = header.sections.map { descriptor in
      defer { offset += descriptor.rawLength }
      return tickcodec_bytes(
        start: UnsafePointer(unpacked.elements.baseAddress?.advanced(by: offset)),
        length: descriptor.rawLength,
        coding: UInt32(descriptor.coding.rawValue))
    }
    let malformed = tickcodec_open(
      reader, sections, UInt32(header.version), UInt32(header.recordCount), UInt32(header.instrumentCount),
      &parameters, unpacked.elements.baseAddress?.advanced(by: length + Self.readableSlack),
      usesPortableKernels)
    if malformed == tickcodec_directory { throw BadBlock("its instrument directory is malformed") }
    if malformed >= 0 { throw BadBlock("its section \(malformed) is malformed") }
  }

  private var reader: OpaquePointer? { readerMemory.elements.baseAddress.map { OpaquePointer($0) } }

  /// The instruments of the open block, by their codes.
  private var instruments: UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(start: tickcodec_instruments(reader), count: header.instrumentCount)
  }

  /// True when the open block holds a record of one of these instruments.
  func holds(anyOf instruments: Set<InstrumentID>) -> Bool {
    self.instruments.contains { instruments.contains(InstrumentID(rawValue: $0)) }
  }

  /// Decodes the open block, once.
  ///
  /// - Throws: ``BadBlock`` when a column is malformed or the ticks are not those that the header announces.
  /// - Returns: How many ticks ``decoded(_:)`` now has.
  mutating func decode() throws(BadBlock) -> Int {
    var done = 0
    while done < header.recordCount {
      let target = UnsafeMutableRawPointer(ticks.elements.baseAddress?.advanced(by: done))
      let count = tickcodec_read(reader, target?.assumingMemoryBound(to: tickcodec_tick.self))
      guard count > 0 else { throw BadBlock("its section \(-1 - count) is malformed") }
      done += Int(count)
    }
    guard ticks.elements[header.recordCount - 1].sequence == header.lastSequence else {
      throw BadBlock("it does not end with the sequence that its header announces")
    }
    return header.recordCount
  }

  /// Brings the wanted ones of the first `count` decoded ticks together; returns where they are. Those of a range of
  /// time are together already, and stay where they are.
  func keep(_ count: Int, _ filter: TickFilter) -> Range<Int> {
    var first = 0
    while first < count, !filter.admits(ticks.elements[first]) { first += 1 }
    var end = first
    for index in first..<count where filter.admits(ticks.elements[index]) {
      if index != end { ticks.elements[end] = ticks.elements[index] }
      end += 1
    }
    return first..<end
  }

  /// A part of the decoded ticks, where they lie until the next ``decode()``.
  func decoded(_ range: Range<Int>) -> UnsafeBufferPointer<Tick> {
    UnsafeBufferPointer(rebasing: UnsafeBufferPointer(ticks.elements)[range])
  }

  /// Checks a payload and puts its sections, unpacked, one after the other.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or LZ4 cannot unpack a section.
  private static func unpack(
    _ header: BlockHeader, payload: [UInt8], into unpacked: UnsafeMutableRawBufferPointer
  ) throws(BadBlock) {
    guard payload.count >= header.payloadLength,
      payload.checksum(0..<header.payloadLength) == header.payloadChecksum
    else { throw BadBlock("its payload does not match its checksum") }
    var source = 0
    var target = 0
    for descriptor in header.sections {
      let isIntact = payload.withUnsafeBytes { payload in
        copySection(
          descriptor,
          from: UnsafeRawBufferPointer(rebasing: payload[source..<source + descriptor.storedLength]),
          to: UnsafeMutableRawBufferPointer(rebasing: unpacked[target..<target + descriptor.rawLength]))
      }
      guard isIntact else { throw BadBlock("one of its sections cannot be unpacked") }
      source += descriptor.storedLength
      target += descriptor.rawLength
    }
  }

  /// The unpacked payload of a block of definitions or index entries.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or LZ4 cannot unpack it.
  static func singleSection(of header: BlockHeader, payload: [UInt8]) throws(BadBlock) -> [UInt8] {
    let section = header.sections[Section.directory.rawValue]
    guard section.coding == .words, header.sections.dropFirst().allSatisfy({ $0.rawLength == 0 }) else {
      throw BadBlock("it has sections that a block of its kind cannot have")
    }
    var unpacked = [UInt8](repeating: 0, count: section.rawLength)
    let result = unpacked.withUnsafeMutableBytes { bytes -> Result<Void, BadBlock> in
      do throws(BadBlock) { return .success(try unpack(header, payload: payload, into: bytes)) } catch {
        return .failure(error)
      }
    }
    try result.get()
    return unpacked
  }

  private static func copySection(
    _ descriptor: SectionDescriptor, from source: UnsafeRawBufferPointer,
    to target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    switch descriptor.method {
    case .zero: return true
    case .raw:
      target.copyMemory(from: source)
      return true
    case .lz4:
      let length = LZ4_decompress_safe(
        source.baseAddress?.assumingMemoryBound(to: CChar.self),
        target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count), Int32(target.count))
      return Int(length) == target.count
    }
  }
}
