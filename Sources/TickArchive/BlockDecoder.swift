internal import CLZ4
internal import CTickCodec
internal import MarketData

/// Turns blocks of ticks back into ticks, in memory that is used again for the next block.
///
/// ``open(_:payload:)`` checks and unpacks, ``decode()`` then yields the ticks; in between a caller may look at the
/// directory and decide that it does not need the block.
struct BlockDecoder: ~Copyable {
  private let directory = ScratchBuffer<tickcodec_instrument>(count: ArchiveLimits.blockTicksMax)
  private let words = ScratchBuffer<UInt32>(count: ArchiveLimits.blockTicksMax)
  private let ticks = ScratchBuffer<Tick>(count: ArchiveLimits.blockTicksMax)
  private var unpacked: [UInt8] = []
  private var header = BlockHeader(kind: .ticks, recordCount: 0)
  private let usesPortableKernels: Bool

  /// Makes a decoder, which for tests can do without the processor's vector instructions.
  init(usesPortableKernels: Bool) {
    self.usesPortableKernels = usesPortableKernels
  }

  /// Checks the payload against its header and reads its directory.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or a section is malformed.
  mutating func open(_ header: BlockHeader, payload: [UInt8]) throws(BadBlock) {
    self.header = header
    try Self.unpack(header, payload: payload, into: &unpacked)
    let input = header.sections[Section.directory.rawValue].rawLength
    let earliestSeconds = UInt32(truncatingIfNeeded: header.earliest.seconds)
    var consumed = 0
    for stream in 0..<InstrumentDirectory.streamCount {
      let length = unpacked.withUnsafeBufferPointer { bytes in
        tickcodec_decode_words(
          Self.section(bytes, consumed..<input), words.elements.baseAddress, UInt32(header.instrumentCount),
          usesPortableKernels)
      }
      guard length > 0 else { throw BadBlock("its instrument directory is malformed") }
      consumed += length
      try InstrumentDirectory.apply(
        words.elements, ofStream: stream, earliestSeconds: earliestSeconds,
        to: directory.first(header.instrumentCount))
    }
    guard consumed == input else { throw BadBlock("its instrument directory is malformed") }
  }

  /// True when the open block holds a record of one of these instruments.
  func holds(anyOf instruments: Set<InstrumentID>) -> Bool {
    directory.first(header.instrumentCount).contains {
      instruments.contains(InstrumentID(rawValue: $0.instrument))
    }
  }

  /// Decodes the open block, once.
  ///
  /// - Throws: ``BadBlock`` when a column is malformed or the ticks are not those that the header announces.
  /// - Returns: How many ticks ``withTicks(_:_:)`` now has.
  mutating func decode() throws(BadBlock) -> Int {
    var parameters = tickcodec_parameters()
    parameters.earliest = header.earliest.nanoseconds
    parameters.latest = header.latest.nanoseconds
    parameters.first_sequence = header.firstSequence
    parameters.exchange_unit = header.exchangeUnit
    parameters.code_width = UInt32(header.codeWidth)
    parameters.has_plain_volume = header.hasPlainVolume
    let malformed = unpacked.withUnsafeBufferPointer { bytes -> Int32 in
      var offset = 0
      let sections = header.sections.map { descriptor in
        defer { offset += descriptor.rawLength }
        return Self.section(bytes, offset..<offset + descriptor.rawLength)
      }
      let target = UnsafeMutableRawPointer(ticks.elements.baseAddress)
      return tickcodec_join(
        sections, UInt32(header.recordCount), directory.elements.baseAddress, UInt32(header.instrumentCount),
        &parameters, usesPortableKernels, target?.assumingMemoryBound(to: tickcodec_tick.self))
    }
    if malformed >= 0 { throw BadBlock("its section \(malformed) is malformed") }
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
  static func unpack(_ header: BlockHeader, payload: [UInt8], into unpacked: inout [UInt8]) throws(BadBlock) {
    guard payload.count >= header.payloadLength,
      payload.checksum(0..<header.payloadLength) == header.payloadChecksum
    else { throw BadBlock("its payload does not match its checksum") }
    let length = header.sections.reduce(0) { $0 + $1.rawLength }
    if unpacked.count < length { unpacked = [UInt8](repeating: 0, count: length) }
    var source = 0
    var target = 0
    for descriptor in header.sections {
      let isIntact = payload.withUnsafeBytes { payload in
        unpacked.withUnsafeMutableBytes { unpacked in
          copySection(
            descriptor,
            from: UnsafeRawBufferPointer(rebasing: payload[source..<source + descriptor.storedLength]),
            to: UnsafeMutableRawBufferPointer(rebasing: unpacked[target..<target + descriptor.rawLength]))
        }
      }
      guard isIntact else { throw BadBlock("one of its sections cannot be unpacked") }
      source += descriptor.storedLength
      target += descriptor.rawLength
    }
  }

  /// The unpacked payload of a block of definitions or index entries.
  ///
  /// - Throws: ``BadBlock`` as ``unpack(_:payload:into:)`` does.
  static func singleSection(of header: BlockHeader, payload: [UInt8]) throws(BadBlock) -> [UInt8] {
    var unpacked: [UInt8] = []
    try unpack(header, payload: payload, into: &unpacked)
    return Array(unpacked[..<header.sections[Section.directory.rawValue].rawLength])
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

  private static func section(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> tickcodec_bytes {
    let part = UnsafeBufferPointer(rebasing: bytes[range])
    return tickcodec_bytes(start: part.baseAddress, length: part.count)
  }
}
