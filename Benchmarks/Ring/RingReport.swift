internal import Foundation

/// Runs, gathered by placement, measure and program, and set beside each other.
struct RingReport {
  /// The runs of one program in one measure and one placement.
  struct Row {
    let peer: String
    let runs: [RingSample]

    var p50: Double? { median(\.p50) }
    var p99: Double? { median(\.p99) }
    var p999: Double? { median(\.p999) }
    var max: Double? { runs.compactMap(\.max).max() }
    var nanoseconds: Double? { median(\.nanoseconds) }
    /// The figure by which programs are compared: median of the runs' p50, or of their cost a record.
    var key: Double { p50 ?? nanoseconds ?? .nan }

    func median(_ value: (RingSample) -> Double?) -> Double? {
      let sorted = runs.compactMap(value).sorted()
      return sorted.isEmpty ? nil : sorted[sorted.count / 2]
    }
  }

  private let samples: [RingSample]
  private let mixed: Int

  init(samples: [RingSample]) {
    self.samples = samples.filter { $0.placement != nil }
    mixed = samples.count - self.samples.count
  }

  /// Placements seen, the most frequent first.
  var placements: [RingPlacement] {
    RingPlacement.allCases.map { place in (place, samples.count { $0.placement == place }) }
      .filter { $0.1 > 0 }.sorted { $0.1 > $1.1 }.map(\.0)
  }

  /// Programs in one measure, ours first.
  func rows(_ measure: RingMeasure, _ placement: RingPlacement) -> [Row] {
    let runs = samples.filter { $0.measure == measure.rawValue && $0.placement == placement }
    var peers: [String] = []
    for run in runs where !peers.contains(run.peer) { peers.append(run.peer) }
    return peers.map { peer in Row(peer: peer, runs: runs.filter { $0.peer == peer }) }
      .sorted {
        ($0.peer == RingProgram.ourName ? 0 : 1, $0.key) < ($1.peer == RingProgram.ourName ? 0 : 1, $1.key)
      }
  }

  func row(_ peer: String, _ measure: RingMeasure, _ placement: RingPlacement) -> Row? {
    rows(measure, placement).first { $0.peer == peer }
  }

  // MARK: - For people

  func printTables() {
    for placement in placements {
      let probes = samples.filter { $0.placement == placement }.flatMap(\.probes).sorted()
      print(
        "\n== \(placement.title): one cache line there and back takes \(Self.figure(probes[probes.count / 2])) ns"
      )
      for measure in RingMeasure.allCases { printMeasure(measure, placement) }
      printBounds(placement)
    }
    print("\n\(samples.count) runs, and \(mixed) dropped because the processors moved meanwhile")
    print(
      "x: our figure divided by theirs; below 1, ours is faster. Medians of the runs; max is the largest of all."
    )
  }

  private func printMeasure(_ measure: RingMeasure, _ placement: RingPlacement) {
    let rows = rows(measure, placement)
    guard !rows.isEmpty else { return }
    let columns = measure.isLatency ? ["p50", "p99", "p99.9", "max"] : ["ns/record", "M/s"]
    print("\n" + Self.pad(measure.title, 52) + (columns + ["x", "runs"]).map { Self.right($0, 11) }.joined())
    let ours = rows.first { $0.peer == RingProgram.ourName }
    for row in rows {
      let figures: [Double?] =
        measure.isLatency
        ? [row.p50, row.p99, row.p999, row.max] : [row.nanoseconds, row.nanoseconds.map { 1e3 / $0 }]
      let ratio = ours.map { $0.peer == row.peer ? "" : String(format: "%.2f", $0.key / row.key) } ?? ""
      let name =
        row.peer == RingProgram.limitName ? "limit: \(measure.limit ?? "")" : RingProgram.title(row.peer)
      let checksums = Set(row.runs.map(\.checksum))
      let checksum = checksums.count == 1 ? "  [\(row.runs[0].checksum)]" : ""
      print(
        Self.pad("  " + name, 52) + figures.map { Self.right($0.map(Self.figure) ?? "", 11) }.joined()
          + Self.right(ratio, 11) + Self.right(String(row.runs.count), 11) + checksum)
    }
  }

  private func printBounds(_ placement: RingPlacement) {
    let bounds = RingBound.all(in: self, placement)
    guard !bounds.isEmpty else { return }
    print("\n" + Self.pad("bounds", 74) + Self.right("measured", 11) + Self.right("bound", 11))
    for bound in bounds {
      print(
        Self.pad("  " + bound.text, 74) + Self.right(String(format: "%.2f", bound.measured), 11)
          + Self.right(String(format: "%.2f", bound.limit), 11) + (bound.isMet ? "  met" : "  NOT MET"))
    }
  }

  static func figure(_ value: Double) -> String {
    value >= 10_000 ? String(format: "%.0f", value) : String(format: value >= 100 ? "%.1f" : "%.2f", value)
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }

  // MARK: - For programs

  private struct Line: Encodable {
    var machine: String
    var placement: String
    var measure: String
    var peer: String
    var runs: Int
    var nanoseconds: Double?
    var p50: Double?
    var p99: Double?
    var p999: Double?
    var max: Double?
    /// Our figure divided by this one.
    var ratio: Double?
    var checksums: [UInt64]
  }

  func printJSON() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for placement in placements {
      for measure in RingMeasure.allCases {
        let ours = row(RingProgram.ourName, measure, placement)
        for row in rows(measure, placement) {
          let line = Line(
            machine: Machine.description, placement: placement.rawValue, measure: measure.rawValue,
            peer: row.peer,
            runs: row.runs.count, nanoseconds: row.nanoseconds, p50: row.p50, p99: row.p99, p999: row.p999,
            max: row.max, ratio: ours.map { $0.key / row.key },
            checksums: Set(row.runs.map(\.checksum)).sorted())
          print(String(decoding: try encoder.encode(line), as: UTF8.self))
        }
      }
    }
  }
}

extension RingProgram {
  /// As people call it.
  static func title(_ name: String) -> String {
    switch name {
    case ourName: "TickRing"
    case limitName: "limit of the machine"
    case linesName: "limit: cache lines in turn, there and back"
    case "boost": "boost::lockfree::spsc_queue"
    case "iceoryx": "Eclipse iceoryx"
    case "unix-socket": "Unix-domain socket"
    default: name
    }
  }
}
