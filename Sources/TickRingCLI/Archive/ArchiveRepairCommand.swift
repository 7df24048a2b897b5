internal import ArgumentParser
internal import MarketData
internal import TickArchive

struct ArchiveRepairCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Copy what can be read of a damaged archive into a sound one.",
    discussion: """
      The original is only read. What is lost is told on standard error, with sequences and times where they are \
      known; exit code 1 when anything is.
      """)

  @OptionGroup var target: ArchiveTarget
  @Option(help: "Directory for the sound copy; it must hold no segments of the feed.") var into: String

  func run() throws {
    let place = try target.place()
    let reader = try place.reader()
    let infos = try reader.info()
    guard let first = infos.first, let feed = try place.feed ?? ArchiveReader.feed(ofSegment: first.file)
    else {
      throw Fault(.usage, "neither header nor name of '\(place.path)' tells its feed: name one with --feed")
    }
    var progress = ProgressBar("copying records", total: infos.reduce(0) { $0 + $1.ticks })
    let report = try reader.repair(into: into, feed: feed) { progress.show(Int($0)) }
    progress.end()
    for block in report.lost { Console.error(block.description) }
    for torn in report.tornEnds {
      Console.error(
        "\(torn.file): \(torn.length) bytes after the last whole block, at \(torn.offset), were never complete"
      )
    }
    if report.recordsOutOfOrder > 0 {
      Console.error("\(report.recordsOutOfOrder) records whose sequences did not increase were left out")
    }
    Console.line(
      "\(Format.count(report.records)) records of \(report.segments) segments are in '\(into)'; "
        + "\(report.lost.count) damaged parts are lost")
    guard report.lost.isEmpty, report.recordsOutOfOrder == 0 else {
      throw ExitCode(Fault.Kind.checkFailed.rawValue)
    }
  }
}
