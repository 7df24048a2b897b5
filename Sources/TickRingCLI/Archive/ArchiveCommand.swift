internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import TickArchive

struct ArchiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive", abstract: "Look into the tick archive.",
    subcommands: [
      Info.self, Verify.self, Cat.self, ArchiveStatsCommand.self, ArchiveRepairCommand.self,
      ArchiveExportCommand.self, ArchiveRedecodeCommand.self,
    ])

  /// One segment file, or all segments of a feed.
  struct Target: ParsableArguments {
    @Argument(help: "A segment file, or a directory of segments.") var path: String
    @Option(help: "Only segments of this feed, when the directory holds several.") var feed: String?

    func reader() throws(Fault) -> ArchiveReader {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw Fault(.missingInput, "there is no archive '\(path)'")
      }
      guard isDirectory.boolValue || !isCapture else {
        throw Fault(
          .missingInput,
          "'\(path)' holds captured frames, not ticks; `tickring archive redecode` makes an archive of them")
      }
      let reader =
        isDirectory.boolValue ? try ArchiveReader(directory: path, feed: feed) : try ArchiveReader(file: path)
      let segments = try reader.info()
      guard !segments.isEmpty else {
        let name = feed.map { " of feed '\($0)'" } ?? ""
        throw Fault(.missingInput, "'\(path)' holds no archive segments\(name)\(elsewhere)")
      }
      guard segments.contains(where: { $0.version != nil || $0.blocks > 0 }) else {
        throw Fault(.badData, "'\(path)' is not an archive segment: it has no segment header and no block")
      }
      return reader
    }

    private var isCapture: Bool { path.hasSuffix(".tkc") }

    /// Where segments may be instead: a data directory has its archive in a directory of its own.
    private var elsewhere: String {
      let archive = path.hasSuffix("/") ? path + "archive" : path + "/archive"
      let isThere = (try? !ArchiveReader(directory: archive, feed: feed).info().isEmpty) ?? false
      return isThere ? "; '\(archive)' does" : ""
    }

    /// Segments of ticks and captures of frames, of which there is at least one kind.
    func contents() throws(Fault) -> (ticks: ArchiveReader?, captures: CaptureReader?) {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        return (try reader(), nil)
      }
      guard isDirectory.boolValue else {
        return isCapture ? (nil, try CaptureReader(file: path)) : (try reader(), nil)
      }
      let captures = try CaptureReader(directory: path, feed: feed)
      if captures.files.isEmpty { return (try reader(), nil) }
      let hasTicks = try !ArchiveReader(directory: path, feed: feed).info().isEmpty
      return (hasTicks ? try reader() : nil, captures)
    }
  }

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "info",
      abstract: "What each segment holds: time range, ticks or captured frames, bytes.")

    @OptionGroup var target: Target
    @Flag(help: "Print one JSON object a line.") var json = false

    private struct Line: Encodable {
      var file: String
      var ticks: Int?
      var frames: Int?
      var bytes: Int
      var blocks: Int
      var firstSequence: UInt64?
      var lastSequence: UInt64?
      var first: String?
      var last: String?
      var complete: Bool

      enum CodingKeys: String, CodingKey {
        case file, ticks, frames, bytes, blocks, first, last, complete
        case firstSequence = "first_sequence"
        case lastSequence = "last_sequence"
      }
    }

    func run() throws {
      let (ticks, captures) = try target.contents()
      for segment in try ticks?.info() ?? [] { try show(segment, isCapture: false) }
      for segment in try captures?.info() ?? [] { try show(segment, isCapture: true) }
    }

    private func show(_ segment: SegmentInfo, isCapture: Bool) throws {
      let line = Line(
        file: segment.file, ticks: isCapture ? nil : segment.ticks, frames: isCapture ? segment.ticks : nil,
        bytes: segment.bytes, blocks: segment.blocks, firstSequence: segment.firstSequence,
        lastSequence: segment.lastSequence, first: segment.firstTime?.rfc3339,
        last: segment.lastTime?.rfc3339, complete: segment.isComplete)
      if json { return try Console.json(line) }
      let each = segment.ticks > 0 ? Double(segment.bytes) / Double(segment.ticks) : 0
      Console.line(
        "\(segment.file)  \(Format.count(segment.ticks)) \(isCapture ? "captured frames" : "records") in "
          + "\(segment.blocks) blocks, \(Format.count(segment.bytes)) bytes (\(Format.decimal(each, 2)) each)"
          + (segment.isComplete ? "" : ", without index: still being written, or cut"))
      if let first = line.first, let last = line.last { Console.line("  \(first) to \(last)") }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Check every checksum; exit code 1 when anything is damaged.",
      discussion: """
        With --session the archive is replayed instead, and the fingerprint of each session compared with the one that \
        the feed handler left of what it had published; exit code 1 when one differs.
        """)

    @OptionGroup var target: Target
    @Flag(help: "Compare each session's fingerprint with that of its replay.") var session = false
    @Option(help: "Cores on which the archive is unpacked.") var cores = 1

    func run() throws {
      if session { return try SessionVerification(target: target, cores: max(1, cores)).run() }
      let (ticks, captures) = try target.contents()
      var done = 0
      var progress = ProgressBar(
        "verifying segments", total: try (ticks?.info().count ?? 0) + (captures?.files.count ?? 0))
      func advance(_: String) {
        done += 1
        progress.show(done)
      }
      let ticksReport = try ticks?.verify(progress: advance)
      let capturesReport = try captures?.verify(progress: advance)
      progress.end()
      if let ticksReport { show(ticksReport, what: "records") }
      if let capturesReport { show(capturesReport, what: "captured frames") }
      guard ticksReport?.isSound ?? true, capturesReport?.isSound ?? true else {
        throw ExitCode(Fault.Kind.checkFailed.rawValue)
      }
    }

    private func show(_ report: VerifyReport, what: String) {
      for damage in report.damaged { Console.error(damage.description) }
      for torn in report.tornEnds {
        Console.error("\(torn.file): \(torn.length) bytes after the last whole block, at \(torn.offset)")
      }
      Console.line(
        "\(Format.count(report.ticks)) \(what) in \(Format.count(report.blocks)) good blocks, "
          + "\(report.damaged.count) damaged")
    }
  }

  struct Cat: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "cat", abstract: "Print the archived records.", discussion: RecordKinds.help)

    enum OutputFormat: String, ExpressibleByArgument {
      case csv, json
    }

    @OptionGroup var target: Target
    @OptionGroup var range: RangeOptions
    @OptionGroup var selection: SymbolOptions
    @Option(help: "csv or json (one object a line).") var format = OutputFormat.csv

    func run() throws {
      let (from, to) = try range.parse()
      let reader = try target.reader()
      let names = SymbolNames(reader.instruments)
      let wanted = try selection.instruments(of: reader, at: target.path)
      var undefined: Set<InstrumentID> = []
      if format == .csv { Console.line(TickText.csvHeader) }
      try reader.forEachBlock(from: from, to: to, instruments: wanted) { block throws(Fault) in
        if Console.isClosed { return }
        var text = ""
        for index in block.indices {
          let tick = block[index]
          let symbol = names[tick.instrument]
          if !names.hasName(tick.instrument) { undefined.insert(tick.instrument) }
          if format == .json {
            try Console.json(TickLine(tick, symbol: symbol))
          } else {
            text += TickText.csv(tick, symbol)
          }
        }
        if format == .csv { Console.write(text) }
      }
      names.tell(undefined, notIn: target.path)
    }
  }
}
