internal import Foundation
internal import MarketData

/// Parquet, DBN and DuckDB on the same records, in a Python that has them.
enum ArchivePeers {
  private struct Line: Decodable {
    var program: String
    var measure: String?
    var value: Double?
    var checksum: UInt64?
    var skipped: String?
  }

  static func measure(
    _ day: ArchivedDay, python: String?, directory: String, _ report: inout ArchiveReport
  ) throws {
    guard let python else {
      report.notes.append("peers: --python names no Python that has them; `make bench-archive` makes one")
      return
    }
    let records = directory + "/records.bin"
    _ = FileManager.default.createFile(atPath: records, contents: nil)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: records))
    let piece = 1 << 20
    for first in stride(from: 0, to: day.ticks.count, by: piece) {
      let run = day.ticks[first..<min(day.ticks.count, first + piece)]
      try run.withUnsafeBytes { try file.write(contentsOf: Data($0)) }
    }
    try file.close()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [
      "-c", String(decoding: PackageResources.archive_peers_py, as: UTF8.self), records,
      directory + "/peers", "\(day.instrument.rawValue)", "\(day.window.lowerBound.nanoseconds)",
      "\(day.window.upperBound.nanoseconds)",
    ]
    let output = Pipe()
    process.standardOutput = output
    do {
      try process.run()
    } catch {
      throw Fault(.missingInput, "cannot run --python '\(python)': \(error.localizedDescription)")
    }
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Fault(.unavailable, "'\(python)' could not run the peers; it needs numpy")
    }
    for text in text.split(whereSeparator: \.isNewline) {
      let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
      if let measure = line.measure.flatMap(ArchiveMeasure.init), let value = line.value {
        report.add(
          ArchiveFigure(
            program: line.program, measure: measure, value: value, checksum: line.checksum))
      }
      if let skipped = line.skipped { report.notes.append("\(line.program): \(skipped)") }
    }
  }
}
