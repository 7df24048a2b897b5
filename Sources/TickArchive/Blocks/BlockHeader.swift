internal import CTickCodec
internal import MarketData

/// The parts of a block's payload, in their order in the file. A block that holds no ticks has only the first.
package enum Section: Int, CaseIterable {
  case directory
  case instrumentCodes
  case receiveTimeLow
  case receiveTimeHigh
  case exchangeTimeLow
  case exchangeTimeHigh
  case exchangeRemainder
  case sequenceLow
  case sequenceHigh
  case priceLow
  case priceHigh
  case quantity
  case volumeLow
  case volumeHigh
  case lastTradeLow
  case lastTradeHigh
  case openInterest
  case flags
  /// Since version 3.
  case summaries

  /// The sections that are of one word a tick.
  package static let columns = Section.allCases[Section.receiveTimeLow.rawValue...Section.flags.rawValue]
}

/// How the bytes of a section are stored.
enum SectionMethod: UInt8 {
  case zero = 0
  case raw = 1
  case lz4 = 2
}

/// How the words of a section are coded.
enum SectionCoding: UInt8 {
  /// Word streams; in version 1, instrument codes are fields of a fixed width.
  case words = 0
  /// Packed columns, since version 2.
  case packed = 1
}

/// Where a section's bytes come from: method, coding, length after unpacking, length in the file.
struct SectionDescriptor: Hashable {
  var method = SectionMethod.zero
  var coding = SectionCoding.words
  var rawLength = 0
  var storedLength = 0
}

/// The first 256 bytes of every block: what it holds and how to check and unpack it.
struct BlockHeader: Hashable {
  /// What the payload is.
  enum Kind: UInt8 {
    case ticks = 1
    case instruments = 2
    case index = 3
    case frames = 4

    /// True when the header says from when to when, and which sequences.
    var hasTimes: Bool { self == .ticks || self == .frames }
  }

  /// The format version, 1 to 3.
  var version: UInt16
  var kind: Kind
  /// Ticks, definitions or index entries.
  var recordCount: Int
  var instrumentCount = 0
  var payloadLength = 0
  var payloadChecksum: UInt32 = 0
  var earliest = Timestamp.unknown
  var latest = Timestamp.unknown
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0
  var exchangeUnit: UInt32 = 1
  var codeWidth = 0
  var hasPlainVolume = false
  var hasSteadyTradeTimes = false
  var frequentCount = 0
  var instrumentLeast: UInt32 = 0
  var instrumentStep: UInt32 = 1
  var summaryCount = 0
  var summaryUnit: UInt32 = 0
  /// The checksum of the header of the segment that the block was written for; 0 where it does not tell.
  var segment: UInt32 = 0
  var sections = [SectionDescriptor](repeating: .init(), count: Section.allCases.count)

  static let length = 256
  /// `TKABLOCK` in the file.
  static let magic: UInt64 = 0x4B43_4F4C_4241_4B54
  /// The newest version, which blocks with day summaries have.
  static let currentVersion: UInt16 = 3
  /// The version of all other blocks that are written.
  static let plainVersion: UInt16 = 2
  /// The versions that are read.
  static let versions: ClosedRange<UInt16> = 1...currentVersion
  private static let segmentOffset = 92
  private static let descriptorsOffset = 96
  private static let checksumOffset = 252
  private static let plainVolumeFlag: UInt8 = 1
  private static let steadyTradeTimesFlag: UInt8 = 2
  /// In a descriptor's four bits of method: the coding is packed.
  private static let packedBit: UInt8 = 4

  /// Header and payload.
  var blockLength: Int { Self.length + payloadLength }

  init(kind: Kind, recordCount: Int) {
    version = Self.plainVersion
    self.kind = kind
    self.recordCount = recordCount
  }

  /// Reads a header at an offset that has ``length`` bytes after it; nil unless its checksum holds and every claim
  /// is within the limits of the format.
  init?(_ bytes: [UInt8], at start: Int) {
    guard bytes.integer(UInt64.self, at: start) == Self.magic,
      Self.versions.contains(bytes.integer(UInt16.self, at: start + 8)),
      bytes.integer(UInt32.self, at: start + Self.checksumOffset)
        == bytes.checksum(start..<start + Self.checksumOffset),
      let kind = Kind(rawValue: bytes[start + 10]),
      Int(bytes[start + 11]) == Self.sectionCount(bytes.integer(UInt16.self, at: start + 8))
    else { return nil }
    version = bytes.integer(UInt16.self, at: start + 8)
    self.kind = kind
    recordCount = Int(bytes.integer(UInt32.self, at: start + 16))
    instrumentCount = Int(bytes.integer(UInt32.self, at: start + 20))
    payloadLength = Int(bytes.integer(UInt32.self, at: start + 24))
    payloadChecksum = bytes.integer(UInt32.self, at: start + 28)
    earliest = Timestamp(nanoseconds: Int64(bitPattern: bytes.integer(UInt64.self, at: start + 32)))
    latest = Timestamp(nanoseconds: Int64(bitPattern: bytes.integer(UInt64.self, at: start + 40)))
    firstSequence = bytes.integer(UInt64.self, at: start + 48)
    lastSequence = bytes.integer(UInt64.self, at: start + 56)
    exchangeUnit = bytes.integer(UInt32.self, at: start + 64)
    codeWidth = Int(bytes[start + 68])
    hasPlainVolume = bytes[start + 69] & Self.plainVolumeFlag != 0
    if version > 1 {
      hasSteadyTradeTimes = bytes[start + 69] & Self.steadyTradeTimesFlag != 0
      frequentCount = Int(bytes.integer(UInt32.self, at: start + 72))
      instrumentLeast = bytes.integer(UInt32.self, at: start + 76)
      instrumentStep = bytes.integer(UInt32.self, at: start + 80)
    }
    if version > 2 {
      summaryCount = Int(bytes.integer(UInt32.self, at: start + 84))
      summaryUnit = bytes.integer(UInt32.self, at: start + 88)
    }
    segment = bytes.integer(UInt32.self, at: start + Self.segmentOffset)
    for index in 0..<Self.sectionCount(version) {
      let word = bytes.integer(UInt32.self, at: start + Self.descriptorsOffset + 8 * index)
      let stored = bytes.integer(UInt32.self, at: start + Self.descriptorsOffset + 8 * index + 4)
      let codes = UInt8(word >> 28)
      let isPacked = version > 1 && codes & Self.packedBit != 0
      guard let method = SectionMethod(rawValue: isPacked ? codes & ~Self.packedBit : codes) else {
        return nil
      }
      sections[index] = SectionDescriptor(
        method: method, coding: isPacked ? .packed : .words, rawLength: Int(word & 0x0FFF_FFFF),
        storedLength: Int(stored))
    }
    guard isWithinLimits else { return nil }
  }

  /// The 256 bytes, checksum included.
  var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.length)
    bytes.store(Self.magic, at: 0)
    bytes.store(version, at: 8)
    bytes[10] = kind.rawValue
    bytes[11] = UInt8(Self.sectionCount(version))
    bytes.store(UInt32(Self.length), at: 12)
    bytes.store(UInt32(recordCount), at: 16)
    bytes.store(UInt32(instrumentCount), at: 20)
    bytes.store(UInt32(payloadLength), at: 24)
    bytes.store(payloadChecksum, at: 28)
    bytes.store(earliest.nanoseconds, at: 32)
    bytes.store(latest.nanoseconds, at: 40)
    bytes.store(firstSequence, at: 48)
    bytes.store(lastSequence, at: 56)
    bytes.store(exchangeUnit, at: 64)
    bytes[68] = UInt8(codeWidth)
    bytes[69] =
      (hasPlainVolume ? Self.plainVolumeFlag : 0) | (hasSteadyTradeTimes ? Self.steadyTradeTimesFlag : 0)
    bytes.store(UInt32(frequentCount), at: 72)
    bytes.store(instrumentLeast, at: 76)
    bytes.store(instrumentStep, at: 80)
    bytes.store(UInt32(summaryCount), at: 84)
    bytes.store(summaryUnit, at: 88)
    bytes.store(segment, at: Self.segmentOffset)
    for (index, section) in sections.prefix(Self.sectionCount(version)).enumerated() {
      let codes = section.method.rawValue | (section.coding == .packed ? Self.packedBit : 0)
      let word = UInt32(codes) << 28 | UInt32(section.rawLength)
      bytes.store(word, at: Self.descriptorsOffset + 8 * index)
      bytes.store(UInt32(section.storedLength), at: Self.descriptorsOffset + 8 * index + 4)
    }
    bytes.store(bytes.checksum(0..<Self.checksumOffset), at: Self.checksumOffset)
    return bytes
  }

  /// Section descriptors that a header of a version has.
  private static func sectionCount(_ version: UInt16) -> Int { version < 3 ? 18 : 19 }

  private var isWithinLimits: Bool {
    let storedLength = sections.reduce(0) { $0 + $1.storedLength }
    guard payloadLength <= ArchiveLimits.payloadBytesMax, payloadLength % 8 == 0,
      (0..<8).contains(payloadLength - storedLength)
    else { return false }
    for (section, descriptor) in zip(Section.allCases, sections) {
      switch descriptor.method {
      case .zero: guard descriptor.rawLength == 0, descriptor.storedLength == 0 else { return false }
      case .raw: guard descriptor.rawLength == descriptor.storedLength else { return false }
      case .lz4: guard descriptor.rawLength > 0, descriptor.storedLength > 0 else { return false }
      }
      guard descriptor.rawLength <= rawLengthMax(of: section) else { return false }
    }
    switch kind {
    case .ticks:
      return (1...ArchiveLimits.blockTicksMax).contains(recordCount)
        && (1...recordCount).contains(instrumentCount) && earliest <= latest && codeWidth <= 16
        && [1, 1_000, 1_000_000, 1_000_000_000].contains(exchangeUnit)
        && summaryCount <= recordCount && summaryUnit <= Int32.max
        && lastSequence >= firstSequence && lastSequence - firstSequence >= UInt64(recordCount - 1)
    case .instruments: return (1...ArchiveLimits.blockDefinitionsMax).contains(recordCount)
    case .frames:
      return (1...ArchiveLimits.blockFramesMax).contains(recordCount) && earliest <= latest
        && lastSequence >= firstSequence && lastSequence - firstSequence >= UInt64(recordCount - 1)
    case .index: return (0...ArchiveLimits.indexEntriesMax).contains(recordCount)
    }
  }

  private func rawLengthMax(of section: Section) -> Int {
    switch (kind, section) {
    case (.ticks, .directory):
      return Int(tickcodec_directory_streams) * Self.columnLengthMax(instrumentCount)
    case (.ticks, .summaries):
      return Int(tickcodec_summary_streams) * Self.columnLengthMax(summaryCount)
    case (.ticks, _): return Self.columnLengthMax(recordCount)
    case (.instruments, .directory): return ArchiveLimits.definitionBytesMax
    case (.frames, .directory): return ArchiveLimits.frameBytesMax
    case (.index, .directory): return ArchiveLimits.indexEntriesMax * IndexEntry.length
    default: return 0
    }
  }

  /// Bytes of a column of so many words, however coded.
  private static func columnLengthMax(_ count: Int) -> Int {
    let count = UInt32(clamping: min(count, ArchiveLimits.blockTicksMax))
    return max(tickcodec_words_bound(count), tickcodec_packed_bound(count))
  }
}
