public import MarketData

/// Reads the captured frames of a feed, or those in one capture segment, also while they are being written.
public struct CaptureReader: Sendable {
  /// The instruments defined in the captures, in the order of their identifiers.
  public let instruments: [Instrument]
  /// Paths of the segments, in order.
  public let files: [String]

  /// Opens the captures of a feed in a directory.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when directory or files cannot be read, `usage` when no
  ///   feed is named and there are several, `badData` when a segment is of a newer format version.
  public init(directory: String, feed: String?) throws(Fault) {
    let names = try ArchiveDirectory.segments(in: directory, feed: feed, content: .frames)
    let feeds = Set(names.map(\.feed))
    guard feeds.count <= 1 else {
      throw Fault(
        .usage,
        "\(directory) holds captures of the feeds \(feeds.sorted().joined(separator: ", ")): name one of them"
      )
    }
    try self.init(files: names.map { ArchiveDirectory.path(directory, $0.fileName) })
  }

  /// Opens a single segment, whatever its file name.
  ///
  /// - Throws: ``Fault`` as above.
  public init(file: String) throws(Fault) {
    try self.init(files: [file])
  }

  private init(files: [String]) throws(Fault) {
    var defined: [InstrumentID: Instrument] = [:]
    for path in files {
      let file = try InputFile(path)
      let contents = try SegmentContents(file, depth: .index)
      for instrument in try contents.instruments(in: file) { defined[instrument.id] = instrument }
    }
    self.files = files
    instruments = defined.values.sorted { $0.id < $1.id }
  }

  /// Describes each segment in order, without reading the frames; frames are counted as ticks.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when files cannot be read.
  public func info() throws(Fault) -> [SegmentInfo] {
    var infos: [SegmentInfo] = []
    for path in files {
      let file = try InputFile(path)
      infos.append(SegmentInfo(try SegmentContents(file, depth: .index), file: path, kind: .frames))
    }
    return infos
  }

  /// Checks every checksum and takes every frame apart; frames are counted as ticks.
  ///
  /// - Parameter progress: Called after each segment with its path.
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when files cannot be read. Damage is not thrown but
  ///   reported.
  public func verify(progress: (String) -> Void = { _ in }) throws(Fault) -> VerifyReport {
    var report = VerifyReport()
    var payload: [UInt8] = []
    for path in files {
      let file = try InputFile(path)
      let contents = try SegmentContents(file, depth: .payloads)
      report.segments += 1
      report.bytes += contents.fileLength
      report.damaged += contents.damage
      for entry in contents.entries where entry.kind == .frames {
        let header = try file.readBlock(entry, into: &payload)
        do throws(BadBlock) {
          guard let header else { throw BadBlock("it changed while it was being read") }
          report.ticks += try CapturedFrames.frames(
            in: BlockDecoder.singleSection(of: header, payload: payload), of: header
          ).count
          report.blocks += 1
        } catch {
          report.damaged.append(DamagedBlock(entry, file: path, cause: error.cause))
        }
      }
      if contents.tornLength > 0 {
        report.tornEnds.append(.init(file: path, offset: contents.end, length: contents.tornLength))
      }
      progress(path)
    }
    return report
  }

  /// Calls `body` with each frame, in the order in which they came.
  ///
  /// - Parameters:
  ///   - from: Only frames received at or after this.
  ///   - to: Only frames received before this.
  ///   - damage: What to do about a block that cannot be read.
  /// - Throws: ``Fault`` of kind `badData` on damage unless it is to be skipped, `missingInput` or `inputOutput` when
  ///   files cannot be read, and whatever `body` throws.
  /// - Returns: The damaged blocks that were skipped.
  @discardableResult
  public func forEachFrame(
    from: Timestamp? = nil, to: Timestamp? = nil, damage: DamagePolicy = .fail,
    _ body: (CapturedFrame) throws(Fault) -> Void
  ) throws(Fault) -> [DamagedBlock] {
    var skipped: [DamagedBlock] = []
    func meet(_ block: DamagedBlock) throws(Fault) {
      if damage == .fail { throw Fault(.badData, block.description) }
      skipped.append(block)
    }
    var payload: [UInt8] = []
    for path in files {
      let file = try InputFile(path)
      let contents = try SegmentContents(file, depth: .index)
      var ahead = contents.damage[...]
      for entry in contents.entries where entry.kind == .frames {
        while let block = ahead.first, block.offset < entry.offset {
          try meet(block)
          ahead.removeFirst()
        }
        if let from, entry.latest < from { continue }
        if let to, entry.earliest >= to { continue }
        let header = try file.readBlock(entry, into: &payload)
        let frames: [CapturedFrame]
        do throws(BadBlock) {
          guard let header else { throw BadBlock("its header is not the one that was indexed") }
          frames = try CapturedFrames.frames(
            in: BlockDecoder.singleSection(of: header, payload: payload), of: header)
        } catch {
          // The last block of the newest segment may be one that is just being written.
          let isUnfinished = path == files.last && !contents.isComplete && entry == contents.entries.last
          if !isUnfinished { try meet(DamagedBlock(entry, file: path, cause: error.cause)) }
          continue
        }
        for frame in frames {
          if let from, frame.receiveTime < from { continue }
          if let to, frame.receiveTime >= to { continue }
          try body(frame)
        }
      }
      for block in ahead { try meet(block) }
    }
    return skipped
  }
}
