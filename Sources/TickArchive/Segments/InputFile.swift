internal import Glibc
internal import MarketData

/// A file that is read at absolute offsets, while others may append to it or cut it.
struct InputFile: ~Copyable {
  let path: String
  private let descriptor: Int32

  /// Opens a file.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when that fails.
  init(_ path: String) throws(Fault) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Fault(.missingInput, "cannot open \(path): \(systemErrorText(errno))")
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The file's length in bytes now.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func length() throws(Fault) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Fault(.inputOutput, "cannot read the length of \(path): \(systemErrorText(errno))")
    }
    return Int(status.st_size)
  }

  /// What tells this file, as it is now, from any other and from its own earlier states.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func identity() throws(Fault) -> FileIdentity {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Fault(.inputOutput, "cannot read the length of \(path): \(systemErrorText(errno))")
    }
    return FileIdentity(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), length: Int(status.st_size),
      modifiedNanoseconds: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
  }

  /// Reads `count` bytes, or fewer at the end of the file, into the start of `bytes`, which grows to hold them and
  /// never shrinks. Returns how many bytes there were.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func read(_ count: Int, at offset: Int, into bytes: inout [UInt8]) throws(Fault) -> Int {
    if bytes.count < count { bytes = [UInt8](repeating: 0, count: count) }
    var done = 0
    while done < count {
      let result = bytes.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
      }
      if result == 0 { break }
      if result < 0 {
        if errno == EINTR { continue }
        throw Fault(.inputOutput, "cannot read \(path) at byte \(offset + done): \(systemErrorText(errno))")
      }
      done += result
    }
    return done
  }

  /// Reads the payload of the block at `offset`; false when the file ends within it.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func readPayload(of header: BlockHeader, at offset: Int, into bytes: inout [UInt8]) throws(Fault) -> Bool {
    let count = try read(header.payloadLength, at: offset + BlockHeader.length, into: &bytes)
    return count == header.payloadLength
  }

  /// Reads the payload of a block that was found before; nil when its header is no longer what it was.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  func readBlock(_ entry: IndexEntry, into bytes: inout [UInt8]) throws(Fault) -> BlockHeader? {
    guard try read(BlockHeader.length, at: entry.offset, into: &bytes) == BlockHeader.length,
      let header = BlockHeader(bytes, at: 0), IndexEntry(header, offset: entry.offset) == entry,
      try readPayload(of: header, at: entry.offset, into: &bytes)
    else { return nil }
    return header
  }
}

/// A file in one of its states.
struct FileIdentity: Equatable, Sendable {
  var device: UInt64
  var inode: UInt64
  var length: Int
  var modifiedNanoseconds: Int64
}

/// What the system calls an error number: `No space left on device`.
func systemErrorText(_ number: Int32) -> String { String(cString: strerror(number)) }
