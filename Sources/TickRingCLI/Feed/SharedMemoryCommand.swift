internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import SharedRing

struct SharedMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shm", abstract: "Show and clean what lies in shared memory.",
    discussion: """
      Who holds an end of a segment is the kernel's word, by a lock that goes with its holder; a process number only \
      names it.
      """,
    subcommands: [List.self, Inspect.self, Clean.self])

  /// Names of one feed's objects, or of all.
  struct Selection: ParsableArguments {
    @Option(help: "Only this feed's.") var feed: String?
    @Flag(help: "Print JSON.") var json = false

    func objects() throws(Fault) -> [String] {
      if let feed { try SegmentNames.check(feed, what: "feed") }
      return SegmentDirectory.objects(of: feed)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "One line for each feed and each lane.")

    @OptionGroup var selection: Selection

    func run() throws {
      var lines: [SegmentLine] = []
      for object in try selection.objects() {
        // One that goes while the list is made is not told; one that may not be opened is.
        do throws(Fault) {
          if let report = try SegmentReport(object: object) { lines.append(SegmentLine(report)) }
        } catch {
          Console.error(error.message)
        }
      }
      if selection.json {
        for line in lines { try Console.json(line) }
        return
      }
      guard !lines.isEmpty else { return Console.line("nothing of TickRing lies in shared memory") }
      let header = ["NAME", "KIND", "SIZE", "LAYOUT", "WRITTEN BY", "READ BY", "AGE", "HEARTBEAT", "STATE"]
      SegmentTable.print([header] + lines.map(\.cells))
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "All that one segment says, its counters with their meanings.")

    @Argument(help: "FEED, FEED.LANE, or an object's full name such as /tickring.nse.alpha.") var name: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let object = SharedMemoryCommand.object(name)
      guard let report = try SegmentReport(object: object) else {
        throw Fault(
          .missingInput, "there is no shared memory '\(object)'; `tickring shm list` shows what there is")
      }
      let line = SegmentLine(report)
      if json { return try Console.json(line.withCounters(of: report)) }
      for (label, text) in line.details(of: report) { Console.line("\(Format.padded(label, 14)) \(text)") }
      for counter in report.counters {
        let value = Format.leftPadded(String(counter.value), 20)
        Console.line("\(value)  \(Format.padded(counter.name, 20)) \(counter.meaning)")
      }
    }
  }

  struct Clean: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "clean", abstract: "Remove what nobody holds.",
      discussion: """
        Segments of dead processes go, of other layout versions too. What a process holds stays, and so does a \
        recorder's lane with records that were not stored: the next `tickring ingest` stores them.
        """)

    @OptionGroup var selection: Selection
    @Flag(help: "Only say what would be removed.") var dryRun = false

    func run() throws {
      let verb = dryRun ? "would remove" : "removed"
      var count = 0
      for object in try selection.objects() {
        var reason: String?
        do throws(Fault) {
          reason = try SegmentDirectory.remove(object, isDryRun: dryRun)
        } catch {
          reason = error.message
        }
        count += 1
        if selection.json {
          try Console.json(CleanLine(name: object, removed: reason == nil && !dryRun, reason: reason))
        } else {
          Console.line(reason.map { "kept \(object): \($0)" } ?? "\(verb) \(object)")
        }
      }
      if count == 0, !selection.json { Console.line("nothing of TickRing lies in shared memory") }
    }
  }

  private struct CleanLine: Encodable {
    var name: String
    var removed: Bool
    var reason: String?
  }

  /// The object that a person means.
  static func object(_ name: String) -> String {
    if name.hasPrefix("/tickring.") { return name }
    if name.hasPrefix("tickring.") { return "/" + name }
    return "/tickring." + name
  }
}

/// Columns as wide as their widest cell.
enum SegmentTable {
  static func print(_ rows: [[String]]) {
    let widths = rows.reduce(into: [Int](repeating: 0, count: rows.first?.count ?? 0)) { widths, row in
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    for row in rows {
      let line = zip(row, widths).map { Format.padded($0, $1) }.joined(separator: "  ")
      Console.line(String(line.reversed().drop { $0 == " " }.reversed()))
    }
  }
}
