internal import Glibc
internal import MarketData

/// The segment that a writer appends to. Whatever fails, the file never loses a block that it holds already.
struct SegmentOutput: ~Copyable {
  let name: SegmentName
  let path: String
  private let descriptor: Int32
  private let calls: FileCalls
  /// Where the next block goes: the end of the last good one.
  private(set) var end: Int
  /// The good blocks so far.
  private(set) var entries: [IndexEntry] = []
  /// True while the file holds a footer, or the rest of a failed write, behind ``end``.
  private var hasBytesBehindEnd = false
  private var hasFooter = false

  /// Goes on with a segment whose blocks have been found.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when it cannot be opened for writing.
  init(path: String, name: SegmentName, contents: SegmentContents, calls: FileCalls) throws(Fault) {
    self.init(
      path: path, name: name, descriptor: try Self.open(path, O_RDWR), end: contents.end, calls: calls)
    entries = contents.entries
    hasFooter = contents.isComplete
    hasBytesBehindEnd = contents.fileLength > contents.end
  }

  private init(path: String, name: SegmentName, descriptor: Int32, end: Int, calls: FileCalls) {
    self.path = path
    self.name = name
    self.descriptor = descriptor
    self.end = end
    self.calls = calls
  }

  /// Creates a segment that holds only its header.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when the file cannot be made, `inputOutput` when it cannot be
  ///   written; then no file is left.
  static func create(
    _ name: SegmentName, in directory: String, calls: FileCalls
  ) throws(Fault) -> SegmentOutput {
    let path = ArchiveDirectory.path(directory, name.fileName)
    let descriptor = try open(path, O_RDWR | O_CREAT | O_EXCL)
    var output = SegmentOutput(path: path, name: name, descriptor: descriptor, end: 0, calls: calls)
    do {
      try output.write(SegmentHeader(name: name).bytes, what: "the header")
    } catch {
      unlink(path)
      throw error
    }
    return output
  }

  deinit { close(descriptor) }

  /// Writes a block behind the last one.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`; then the file ends with the last good block, as before.
  mutating func append(_ block: BlockBuilder) throws(Fault) {
    let entry = IndexEntry(block.header, offset: end)
    try write(block.bytes, what: "a block")
    entries.append(entry)
  }

  /// Writes the footer index, unless it is there already or would be too long to be of use. Returns its bytes.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`; then the file ends with the last good block, as before.
  mutating func finish() throws(Fault) -> Int {
    guard !hasFooter, entries.count <= ArchiveLimits.indexEntriesMax else { return 0 }
    let index = BlockBuilder.block(
      BlockHeader(kind: .index, recordCount: entries.count), payload: IndexEntry.payload(of: entries))
    let blocksEnd = end
    let footer = index.bytes + SegmentTrailer(indexOffset: blocksEnd).bytes
    try write(footer, what: "the footer index")
    end = blocksEnd
    hasFooter = true
    hasBytesBehindEnd = true
    return footer.count
  }

  /// Cuts off what a crash left behind the last good block.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  mutating func cutTornEnd() throws(Fault) {
    guard hasBytesBehindEnd, !hasFooter else { return }
    guard calls.truncate(descriptor, end) == 0 else {
      throw Fault(.inputOutput, "cannot cut \(path) to its last good block: \(systemErrorText(errno))")
    }
    hasBytesBehindEnd = false
  }

  /// Waits until everything written is on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func synchronize() throws(Fault) {
    guard calls.synchronize(descriptor) == 0 else {
      throw Fault(.inputOutput, "cannot synchronize \(path): \(systemErrorText(errno))")
    }
  }

  private mutating func write(_ bytes: [UInt8], what: String) throws(Fault) {
    if hasBytesBehindEnd {
      hasFooter = false
      try cutTornEnd()
    }
    let written = bytes.withUnsafeBytes { calls.write(descriptor, $0, end) }
    guard written == bytes.count else {
      let cause =
        written < 0
        ? systemErrorText(errno) : "only \(written) of \(bytes.count) bytes fitted; the disk is probably full"
      // If cutting fails too, the next write tries again, and readers stop at the last good block anyway.
      hasBytesBehindEnd = calls.truncate(descriptor, end) != 0
      throw Fault(.inputOutput, "cannot write \(what) at byte \(end) of \(path): \(cause)")
    }
    end += bytes.count
  }

  private static func open(_ path: String, _ flags: Int32) throws(Fault) -> Int32 {
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Fault(.cannotCreate, "cannot open segment \(path) for writing: \(systemErrorText(errno))")
    }
    return descriptor
  }
}
