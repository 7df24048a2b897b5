internal import Glibc
public import MarketData

/// What a feed handler says of one of its sessions: which records it published, and their fingerprint.
public struct SessionRecord: Sendable, Hashable {
  /// Sequence of the first record of the session.
  public var firstSequence: UInt64
  /// Sequence of the last record in the fingerprint.
  public var lastSequence: UInt64
  /// The ``MarketData/TickStreamHash`` of all of them, as they were published.
  public var hash: UInt64
  /// The machine's time at which this was written.
  public var wallTime: Timestamp
  /// True when the session had ended in good order; else more records may have followed.
  public var hasEnded: Bool

  /// Makes a record from its fields.
  public init(firstSequence: UInt64, lastSequence: UInt64, hash: UInt64, wallTime: Timestamp, hasEnded: Bool)
  {
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
    self.hash = hash
    self.wallTime = wallTime
    self.hasEnded = hasEnded
  }
}

/// The file in which a feed handler leaves the fingerprints of its sessions, beside the segments: `FEED.sessions`.
///
/// It is text, one line for each time that a session was noted, at its end and in between:
///
///     first_sequence,last_sequence,hash,wall_time,state
///
/// The hash is 16 hexadecimal digits, the time RFC 3339, the state `running` or `ended`. Of several lines with the
/// same first sequence the last one counts. A line is written by one call and synchronized, after the records that it
/// speaks of; one that a crash cut short lacks its end and is passed over.
public struct SessionLedger: Sendable {
  /// Path of the file.
  public let path: String

  /// The ledger of a feed in the directory of its archive; nothing is opened yet.
  public init(directory: String, feed: String) {
    path = ArchiveDirectory.path(directory, feed + ".sessions")
  }

  /// Appends a line and waits until it is on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  public func append(_ record: SessionRecord) throws(Fault) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("inspect") }
    // Behind a line that a crash cut short, this one begins anew.
    var last: UInt8 = UInt8(ascii: "\n")
    if status.st_size > 0, pread(descriptor, &last, 1, status.st_size - 1) != 1 { throw failure("read") }
    let line = Array(((last == UInt8(ascii: "\n") ? "" : "\n") + Self.line(record) + "\n").utf8)
    guard write(descriptor, line, line.count) == line.count else { throw failure("write") }
    guard fdatasync(descriptor) == 0 else { throw failure("synchronize") }
  }

  /// The sessions in their order, each as it was noted last; empty when there is no ledger.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when it cannot be read, `badData` for a whole line that is malformed.
  public func sessions() throws(Fault) -> [SessionRecord] {
    guard access(path, F_OK) == 0 else { return [] }
    let file = try InputFile(path)
    var bytes: [UInt8] = []
    let length = try file.read(try file.length(), at: 0, into: &bytes)
    let lines = bytes[..<length].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var found: [UInt64: SessionRecord] = [:]
    // What follows the last line feed was cut short, or is nothing.
    for (index, line) in lines.dropLast().enumerated() {
      guard let record = Self.record(String(decoding: line, as: UTF8.self)) else {
        // A line that was cut short and then followed by others is not the file's fault.
        if index + 1 < lines.count - 1, Self.record(String(decoding: lines[index + 1], as: UTF8.self)) != nil
        {
          continue
        }
        throw Fault(.badData, "\(path): line \(index + 1) is not first,last,hash,time,state of a session")
      }
      found[record.firstSequence] = record
    }
    return found.values.sorted { $0.firstSequence < $1.firstSequence }
  }

  private static func line(_ record: SessionRecord) -> String {
    "\(record.firstSequence),\(record.lastSequence),\(TickStreamHash.text(of: record.hash)),"
      + "\(record.wallTime.rfc3339),\(record.hasEnded ? "ended" : "running")"
  }

  private static func record(_ line: String) -> SessionRecord? {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 5, let first = UInt64(fields[0]), let last = UInt64(fields[1]),
      fields[2].utf8.count == 16,
      let hash = UInt64(fields[2], radix: 16), let time = Timestamp(rfc3339: fields[3]),
      ["running", "ended"].contains(fields[4]), last >= first
    else { return nil }
    return SessionRecord(
      firstSequence: first, lastSequence: last, hash: hash, wallTime: time, hasEnded: fields[4] == "ended")
  }

  private func failure(_ action: String) -> Fault {
    Fault(.inputOutput, "cannot \(action) the session ledger \(path): \(systemErrorText(errno))")
  }
}

/// What became of a session in the archive.
public enum SessionFinding: Sendable, Equatable {
  /// The archive holds exactly what was published.
  case holds
  /// The archive holds other records, or not so many.
  case differs(records: UInt64, hash: UInt64)
  /// The archive begins after the session did: retention has removed what the check would need.
  case removed
}

extension ArchiveReader {
  /// Replays a session out of the archive and compares its fingerprint with the one that the feed handler left.
  ///
  /// - Parameters:
  ///   - cores: on how many cores blocks are unpacked.
  ///   - progress: called after each block with the records compared so far.
  /// - Throws: ``Fault`` as ``forEachBlock(_:cores:_:)``; damage is one.
  public func check(_ session: SessionRecord, cores: Int = 1, progress: (UInt64) -> Void = { _ in })
    throws(Fault) -> SessionFinding
  {
    let segments = try info()
    if let begin = segments.compactMap(\.firstSequence).min(), begin > session.firstSequence {
      return .removed
    }
    var hash = TickStreamHash()
    let selection = TickSelection(
      fromSequence: session.firstSequence, throughSequence: session.lastSequence)
    try forEachBlock(selection, cores: cores) { ticks throws(Fault) in
      hash.update(ticks)
      progress(hash.count)
    }
    let expected = session.lastSequence - session.firstSequence + 1
    guard hash.count == expected, hash.value == session.hash else {
      return .differs(records: hash.count, hash: hash.value)
    }
    return .holds
  }
}
