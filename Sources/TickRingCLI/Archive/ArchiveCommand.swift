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

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "info",
      abstract: "What each segment holds: time range, ticks or captured frames, bytes.")

    @OptionGroup var target: ArchiveTarget
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
      let (ticks, captures) = try target.place().contents()
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

    @OptionGroup var target: ArchiveTarget
    @Flag(help: "Compare each session's fingerprint with that of its replay.") var session = false
    @Option(help: "Cores on which the archive is unpacked.") var cores = 1

    func run() throws {
      let place = try target.place()
      if session { return try SessionVerification(place: place, cores: max(1, cores)).run() }
      let (ticks, captures) = try place.contents()
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

    @OptionGroup var target: ArchiveTarget
    @OptionGroup var range: RangeOptions
    @OptionGroup var selection: SymbolOptions
    @Option(help: "csv or json (one object a line).") var format = OutputFormat.csv

    func run() throws {
      let (from, to) = try range.parse()
      let place = try target.place()
      let reader = try place.reader()
      let names = SymbolNames(reader.instruments)
      let wanted = try selection.instruments(of: reader, at: place.path)
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
      names.tell(undefined, notIn: place.path)
    }
  }
}
