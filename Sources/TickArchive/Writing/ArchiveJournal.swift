internal import CTickCodec
internal import Glibc
package import MarketData

/// Keeps safe from a power cut what is not in a block yet, so that blocks may be large and safety prompt.
///
/// One file beside the segments, `FEED.journal`: a header that says up to where the newest segment is on the device, then
/// the pending ticks as rows of 64 bytes, each with its own checksum in the place of the stamp. It is written only when the writer synchronizes and never holds more than
/// one block of ticks. A new block's rows overwrite those of the block before, once that one is on the device. Each
/// checksum depends on that of the row before: where new rows meet old ones, in whichever order they reached the device,
/// the chain breaks, and a reader knows where to stop.
struct ArchiveJournal: ~Copyable {
  /// Up to where the archive is known to be on the device. Blocks behind may have reached it in any order, so the first
  /// that is damaged there ends the archive; damage before that place costs only the damaged block.
  struct Checkpoint: Hashable {
    /// Date and number of the newest segment.
    var date: Int
    var number: Int
    /// Bytes of that segment.
    var end: Int

    /// Up to where a segment is safe.
    func safeEnd(of name: SegmentName) -> Int {
      if name.date == date, name.number == number { return end }
      return (name.date, name.number) < (date, number) ? .max : 0
    }
  }

  private let path: String
  private let descriptor: Int32
  private let calls: FileCalls
  private var checkpoint: Checkpoint
  private var rows: [UInt8] = []
  /// Checksum of the last row.
  private var link: UInt32 = 0

  static let suffix = ".journal"
  private static let headerLength = 64
  private static let rowLength = MemoryLayout<Tick>.size
  /// `TKAJOURN` in the file.
  private static let magic: UInt64 = 0x4E52_554F_4A41_4B54
  private static let version: UInt16 = 1
  private static let checksumOffset = 60

  private init(path: String, descriptor: Int32, checkpoint: Checkpoint, calls: FileCalls) {
    self.path = path
    self.checkpoint = checkpoint
    self.descriptor = descriptor
    self.calls = calls
  }

  /// Makes an empty journal, with room for `capacity` ticks, if there is any, so that a device that fills up later does not
  /// matter.
  ///
  /// - Throws: ``WriteFailure``; then no file is left.
  static func create(
    directory: String, feed: String, capacity: Int, checkpoint: Checkpoint, calls: FileCalls
  ) throws(WriteFailure) -> ArchiveJournal {
    let path = path(directory, feed)
    let unfinished = path + SegmentName.unfinishedSuffix
    let descriptor = calls.create(unfinished)
    guard descriptor >= 0 else { throw WriteFailure(.cannotCreate, "cannot create journal \(unfinished)") }
    let journal = ArchiveJournal(
      path: path, descriptor: descriptor, checkpoint: checkpoint, calls: calls)
    do throws(WriteFailure) {
      // Where so much is not to be had, the last bytes of the device are for whom they suffice.
      if calls.reserve(descriptor, 0, headerLength + capacity * rowLength) != 0 {
        _ = calls.truncate(descriptor, 0)
      }
      try journal.write(header(checkpoint), at: 0)
      try journal.synchronize()
      guard calls.rename(unfinished, path) == 0, calls.synchronizeDirectory(directory) == 0 else {
        throw WriteFailure(.cannotCreate, "cannot give journal \(path) its name")
      }
    } catch {
      _ = calls.remove(unfinished)
      throw error
    }
    return journal
  }

  deinit { close(descriptor) }

  static func path(_ directory: String, _ feed: String) -> String {
    ArchiveDirectory.path(directory, feed + suffix)
  }

  /// Writes ticks as the rows from `position` on, and how much of the archive is safe, and waits until both are on the
  /// device.
  ///
  /// - Throws: ``WriteFailure``; the rows before `position` stay as they are.
  mutating func store(
    _ ticks: ArraySlice<Tick>, at position: Int, checkpoint: Checkpoint
  ) throws(WriteFailure) {
    guard !ticks.isEmpty || checkpoint != self.checkpoint else { return }
    rows.removeAll(keepingCapacity: true)
    var link = position == 0 ? 0 : link
    for tick in ticks {
      var tick = tick
      link = Self.checksum(tick, after: link)
      tick.stamp = link
      withUnsafeBytes(of: tick) { rows.append(contentsOf: $0) }
    }
    if !rows.isEmpty { try write(rows, at: Self.headerLength + position * Self.rowLength) }
    if checkpoint != self.checkpoint { try write(Self.header(checkpoint), at: 0) }
    try synchronize()
    self.checkpoint = checkpoint
    self.link = link
  }

  /// Removes the journal of a feed, if there is one. A journal that stays is harmless: its rows are in blocks.
  static func remove(directory: String, feed: String, calls: FileCalls) {
    _ = calls.remove(path(directory, feed))
  }

  /// What a journal holds.
  struct Contents {
    var checkpoint: Checkpoint
    /// The rows up to the first that was not completely written or belongs to an earlier block.
    var ticks: [Tick]

    /// Reads the bytes of a journal; nil when its header is damaged.
    init?(_ bytes: [UInt8]) {
      guard bytes.count >= headerLength, bytes.integer(UInt64.self, at: 0) == magic,
        bytes.integer(UInt16.self, at: 8) == version,
        bytes.integer(UInt32.self, at: checksumOffset) == bytes.checksum(0..<checksumOffset)
      else { return nil }
      checkpoint = Checkpoint(
        date: Int(bytes.integer(UInt32.self, at: 12)), number: Int(bytes.integer(UInt32.self, at: 16)),
        end: Int(clamping: bytes.integer(UInt64.self, at: 24)))
      ticks = []
      var link: UInt32 = 0
      var offset = headerLength
      while offset + rowLength <= bytes.count {
        var tick = bytes[offset..<offset + rowLength].withUnsafeBytes { $0.loadUnaligned(as: Tick.self) }
        link = ArchiveJournal.checksum(tick, after: link)
        guard tick.stamp == link, ticks.last.map({ tick.sequence > $0.sequence }) ?? true else { break }
        tick.stamp = 0
        ticks.append(tick)
        offset += rowLength
      }
    }
  }

  /// Reads the journal of a feed; nil when there is none that can be read.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `missingInput` when the file cannot be read.
  static func contents(directory: String, feed: String) throws(Fault) -> Contents? {
    let path = path(directory, feed)
    guard access(path, F_OK) == 0 else { return nil }
    let file = try InputFile(path)
    var bytes: [UInt8] = []
    let length = min(try file.length(), headerLength + ArchiveLimits.blockTicksMax * rowLength)
    let count = try file.read(length, at: 0, into: &bytes)
    return Contents(Array(bytes[..<count]))
  }

  private static func header(_ checkpoint: Checkpoint) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: headerLength)
    bytes.store(magic, at: 0)
    bytes.store(version, at: 8)
    bytes.store(UInt16(rowLength), at: 10)
    bytes.store(UInt32(clamping: checkpoint.date), at: 12)
    bytes.store(UInt32(clamping: checkpoint.number), at: 16)
    bytes.store(UInt64(clamping: checkpoint.end), at: 24)
    bytes.store(bytes.checksum(0..<checksumOffset), at: checksumOffset)
    return bytes
  }

  /// CRC-32C of a row without its first four bytes, the place of the checksum itself, mixed with the checksum of the row
  /// before; for the first row that is 0.
  private static func checksum(_ tick: Tick, after link: UInt32) -> UInt32 {
    let checksum = withUnsafeBytes(of: tick) { row in
      UnsafeRawBufferPointer(rebasing: row[MemoryLayout<UInt32>.size...]).withMemoryRebound(to: UInt8.self) {
        tickcodec_crc32c($0.baseAddress, $0.count)
      }
    }
    return checksum ^ link &* linkFactor
  }

  /// Odd, so that different checksums stay different.
  private static let linkFactor: UInt32 = 0x9E37_79B1

  private func write(_ bytes: [UInt8], at offset: Int) throws(WriteFailure) {
    let written = bytes.withUnsafeBytes { calls.write(descriptor, $0, offset) }
    guard written == bytes.count else {
      throw WriteFailure(
        .inputOutput, "cannot write at byte \(offset) of journal \(path)", cause: written < 0 ? errno : ENOSPC
      )
    }
  }

  private func synchronize() throws(WriteFailure) {
    guard calls.synchronize(descriptor) == 0 else {
      throw WriteFailure(.inputOutput, "cannot synchronize journal \(path)")
    }
  }
}

/// The ticks in the bytes of a journal, for tests of its reader.
package func journaledTicks(in bytes: [UInt8]) -> [Tick] { ArchiveJournal.Contents(bytes)?.ticks ?? [] }
