internal import CLZ4
internal import CTickCodec
internal import MarketData

/// Turns blocks of ticks back into ticks, in memory that is used again for the next block.
///
/// ``open(_:payload:fields:)`` checks and unpacks; in between a caller may name the instruments that it wants, and leave the
/// block if it holds none of them; ``decode(_:)`` then yields the ticks, all at once or a piece at a time.
struct BlockDecoder: ~Copyable {
  private let ticks = ScratchBuffer<Tick>(count: ArchiveLimits.blockTicksMax)
  /// Holds the C kernels' reader, whose layout is their own; it points into `unpacked`.
  private let readerMemory = ScratchBuffer<UInt8>(count: tickcodec_reader_size())
  private var unpacked = ScratchBuffer<UInt8>(count: 1 << 20)
  /// For each instrument of the directory 1 if its ticks are wanted, else 0.
  private let wanted = ScratchBuffer<UInt8>(count: ArchiveLimits.blockTicksMax)
  private var wantsAll = true
  private var header = BlockHeader(kind: .ticks, recordCount: 0)
  private var fields = TickFields.all
  private let kernels: TickKernels

  /// Bytes behind the sections that vector instructions may load.
  private static let readableSlack = 64

  init(kernels: TickKernels) { self.kernels = kernels }

  /// Checks the payload against its header and reads its directory. Fields that are not asked for will be zero, and what
  /// they are made of is not unpacked.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or a section is malformed.
  mutating func open(_ header: BlockHeader, payload: [UInt8], fields: TickFields = .all) throws(BadBlock) {
    self.header = header
    self.fields = fields
    wantsAll = true
    let length = header.sections.reduce(0) { $0 + $1.rawLength }
    if unpacked.elements.count < length + Self.readableSlack {
      unpacked = ScratchBuffer(count: length + Self.readableSlack)
    }
    let sectionMask = fields == .all ? UInt32.max : fields.sectionMask
    try Self.unpack(
      header, payload: payload, sectionMask, into: UnsafeMutableRawBufferPointer(unpacked.elements))
    var parameters = header.parameters
    let sections = header.sections(at: unpacked.elements.baseAddress.map { UnsafePointer($0) })
    let malformed = tickcodec_open(
      reader, sections, UInt32(header.version), UInt32(header.recordCount), UInt32(header.instrumentCount),
      &parameters, sectionMask, unpacked.elements.baseAddress?.advanced(by: length + Self.readableSlack),
      kernels.code)
    if malformed == tickcodec_directory { throw BadBlock("its instrument directory is malformed") }
    if malformed >= 0 { throw BadBlock("its section \(malformed) is malformed") }
  }

  private var reader: OpaquePointer? { readerMemory.elements.baseAddress.map { OpaquePointer($0) } }

  /// The instruments of the open block, by their codes.
  private var instruments: UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(start: tickcodec_instruments(reader), count: header.instrumentCount)
  }

  /// Restricts what is decoded to some instruments; false when the open block holds no record of them.
  mutating func want(_ filter: TickFilter) -> Bool {
    guard filter.selection.instruments != nil else { return true }
    wantsAll = false
    var any: UInt8 = 0
    for (code, instrument) in instruments.enumerated() {
      let isWanted: UInt8 = filter.wants(InstrumentID(rawValue: instrument)) ? 1 : 0
      wanted.elements[code] = isWanted
      any |= isWanted
    }
    return any != 0
  }

  /// Ticks of the open block that have not been decoded yet.
  var left: Int { Int(tickcodec_left(reader)) }

  /// Decodes ticks of the open block, in order, until at least `count` have been passed or none are left.
  ///
  /// - Throws: ``BadBlock`` when a column is malformed or the ticks are not those that the header announces.
  /// - Returns: How many wanted ticks ``decoded(_:)`` now has in the place of those before.
  mutating func decode(_ count: Int = .max) throws(BadBlock) -> Int {
    var kept = 0
    let enough = max(0, left - count)
    while left > enough {
      let target = UnsafeMutableRawPointer(ticks.elements.baseAddress?.advanced(by: kept))?
        .assumingMemoryBound(to: tickcodec_tick.self)
      let read =
        wantsAll
        ? tickcodec_read(reader, target)
        : tickcodec_read_wanted(reader, wanted.elements.baseAddress, target)
      guard read >= 0 else { throw BadBlock("its section \(-1 - read) is malformed") }
      kept += Int(read)
    }
    if left == 0, tickcodec_last_sequence(reader) != header.lastSequence {
      throw BadBlock("it does not end with the sequence that its header announces")
    }
    fields.blankOthers(in: ticks.first(kept))
    return kept
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

  /// A part of the decoded ticks, where they lie until the next ``decode(_:)``.
  func decoded(_ range: Range<Int>) -> UnsafeBufferPointer<Tick> {
    UnsafeBufferPointer(rebasing: UnsafeBufferPointer(ticks.elements)[range])
  }

  /// Checks a payload and puts the sections whose bits are set, unpacked, into their places one after the other.
  ///
  /// - Throws: ``BadBlock`` when the checksum does not hold or LZ4 cannot unpack a section.
  private static func unpack(
    _ header: BlockHeader, payload: [UInt8], _ sectionMask: UInt32,
    into unpacked: UnsafeMutableRawBufferPointer
  ) throws(BadBlock) {
    guard payload.count >= header.payloadLength,
      payload.checksum(0..<header.payloadLength) == header.payloadChecksum
    else { throw BadBlock("its payload does not match its checksum") }
    var source = 0
    var target = 0
    for (number, descriptor) in header.sections.enumerated() {
      let isWanted = sectionMask >> UInt32(number) & 1 != 0
      let isIntact =
        !isWanted
        || payload.withUnsafeBytes { payload in
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
      do throws(BadBlock) { return .success(try unpack(header, payload: payload, .max, into: bytes)) } catch {
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
