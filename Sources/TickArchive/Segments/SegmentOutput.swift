internal import Glibc
internal import MarketData

/// The segment that a writer appends to. Whatever fails, the file never loses a block that it holds already.
struct SegmentOutput: ~Copyable {
  let name: SegmentName
  let path: String
  private let descriptor: Int32
  private let calls: FileCalls
  /// The checksum of the segment's header, which its blocks carry.
  private let checksum: UInt32
  /// Where the next block goes: the end of the last good one.
  private(set) var end: Int
  /// The good blocks so far.
  private(set) var entries: [IndexEntry] = []
  /// True while the file holds a footer, or the rest of a failed write, behind ``end``.
  private var hasBytesBehindEnd = false
  private var hasFooter = false
  /// True while something was written that is not known to be on the device.
  private var isUnsynchronized = false
  /// Up to here the file system has set room aside; `Int.max` where it cannot do that.
  private var reservedEnd = 0

  /// So much room is set aside at a time. It keeps a segment in few pieces on the device, and a full device is found
  /// before a block is begun.
  private static let reservationBytes = 4 << 20

  /// Goes on with a segment whose blocks have been found.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when it cannot be opened for writing.
  init(path: String, name: SegmentName, contents: SegmentContents, calls: FileCalls) throws(Fault) {
    let descriptor = calls.open(path)
    guard descriptor >= 0 else {
      throw Fault(.cannotCreate, "cannot open segment \(path) for writing: \(systemErrorText(errno))")
    }
    self.init(
      path: path, name: name, checksum: contents.header?.checksum ?? 0, descriptor: descriptor,
      end: contents.end, calls: calls)
    entries = contents.entries
    hasFooter = contents.isComplete
    hasBytesBehindEnd = contents.fileLength > contents.end
    // What an earlier process wrote may still be in memory only, and must not be called safe unsynchronized.
    isUnsynchronized = true
  }

  private init(
    path: String, name: SegmentName, checksum: UInt32, descriptor: Int32, end: Int, calls: FileCalls
  ) {
    self.path = path
    self.name = name
    self.checksum = checksum
    self.descriptor = descriptor
    self.end = end
    self.calls = calls
  }

  /// Creates a segment that holds only its header. It takes its name when the header is on the device, so that
  /// there is never a segment without one.
  ///
  /// - Throws: ``WriteFailure``; then no file is left.
  static func create(
    _ name: SegmentName, in directory: String, calls: FileCalls
  ) throws(WriteFailure) -> SegmentOutput {
    let path = ArchiveDirectory.path(directory, name.fileName)
    let unfinished = path + SegmentName.unfinishedSuffix
    let descriptor = calls.create(unfinished)
    guard descriptor >= 0 else {
      throw WriteFailure(.cannotCreate, "cannot create segment \(unfinished)")
    }
    let header = SegmentHeader(name: name, salt: calls.random())
    var output = SegmentOutput(
      path: path, name: name, checksum: header.checksum, descriptor: descriptor, end: 0, calls: calls)
    do throws(WriteFailure) {
      try output.write(header.bytes, what: "the header")
      try output.synchronize()
      guard calls.rename(unfinished, path) == 0 else {
        throw WriteFailure(.cannotCreate, "cannot give segment \(path) its name")
      }
    } catch {
      _ = calls.remove(unfinished)
      throw error
    }
    return output
  }

  deinit { close(descriptor) }

  /// Earliest receive time of the first block of ticks or frames.
  var firstTime: Timestamp? { entries.first { $0.kind.hasTimes }?.earliest }

  /// Writes a block behind the last one, and into it which segment it is in.
  ///
  /// - Throws: ``WriteFailure``; then the file ends with the last good block, as before.
  mutating func append(_ block: consuming BlockBuilder) throws(WriteFailure) {
    block.assign(toSegment: checksum)
    let entry = IndexEntry(block.header, offset: end)
    try write(block.bytes, what: "a block")
    entries.append(entry)
  }

  /// Writes the footer index, unless it is there already or would be too long to be of use, and gives back the room
  /// behind it. Returns its bytes.
  ///
  /// - Throws: ``WriteFailure``; then the file ends with the last good block, as before.
  mutating func finish() throws(WriteFailure) -> Int {
    guard !hasFooter, entries.count <= ArchiveLimits.indexEntriesMax else { return 0 }
    var index = BlockBuilder.block(
      BlockHeader(kind: .index, recordCount: entries.count), payload: IndexEntry.payload(of: entries))
    index.assign(toSegment: checksum)
    let blocksEnd = end
    let footer = index.bytes + SegmentTrailer(indexOffset: blocksEnd).bytes
    try write(footer, what: "the footer index")
    // Room that stays set aside costs space but no data, so a failure here is none.
    _ = calls.truncate(descriptor, end)
    reservedEnd = 0
    end = blocksEnd
    hasFooter = true
    hasBytesBehindEnd = true
    return footer.count
  }

  /// Cuts off what a crash left behind the last good block.
  ///
  /// - Throws: ``WriteFailure``.
  mutating func cutTornEnd() throws(WriteFailure) {
    guard hasBytesBehindEnd, !hasFooter else { return }
    guard calls.truncate(descriptor, end) == 0 else {
      throw WriteFailure(.inputOutput, "cannot cut \(path) to its last good block")
    }
    hasBytesBehindEnd = false
    isUnsynchronized = true
  }

  /// Waits until everything written is on the device.
  ///
  /// - Throws: ``WriteFailure``.
  mutating func synchronize() throws(WriteFailure) {
    guard isUnsynchronized else { return }
    guard calls.synchronize(descriptor) == 0 else {
      throw WriteFailure(.inputOutput, "cannot synchronize \(path)")
    }
    isUnsynchronized = false
  }

  private mutating func write(_ bytes: [UInt8], what: String) throws(WriteFailure) {
    if hasBytesBehindEnd {
      hasFooter = false
      try cutTornEnd()
    }
    let failure = "cannot write \(what) at byte \(end) of \(path)"
    try reserve(bytes.count, failure)
    isUnsynchronized = true
    let written = bytes.withUnsafeBytes { calls.write(descriptor, $0, end) }
    guard written == bytes.count else {
      // A write that stops half-way has met the end of the device, and says so only when asked once more.
      let cause = written < 0 ? errno : ENOSPC
      // If cutting fails too, the next write tries again, and readers stop at the last good block anyway.
      hasBytesBehindEnd = calls.truncate(descriptor, end) != 0
      reservedEnd = 0
      let what = written < 0 ? failure : failure + ", of which only \(written) of \(bytes.count) bytes fitted"
      throw WriteFailure(.inputOutput, what, cause: cause)
    }
    end += bytes.count
  }

  private mutating func reserve(_ count: Int, _ failure: String) throws(WriteFailure) {
    guard end + count > reservedEnd else { return }
    let step = max(count, Self.reservationBytes)
    if calls.reserve(descriptor, end, step) == 0 {
      reservedEnd = end + step
      return
    }
    var cause = errno
    guard cause == ENOSPC || cause == EDQUOT || cause == EFBIG || cause == EIO else {
      // The file system cannot set room aside; writing will tell.
      reservedEnd = .max
      return
    }
    // The last bytes of a device are for whom they suffice: this block, and the candles.
    hasBytesBehindEnd = calls.truncate(descriptor, end) != 0
    if calls.reserve(descriptor, end, count) == 0 {
      reservedEnd = end + count
      return
    }
    cause = errno
    throw WriteFailure(.inputOutput, failure, cause: cause)
  }
}
