internal import Foundation

/// The figures of all programs, measure by measure.
struct ArchiveReport {
  static let ours = "tickring"
  static let copying = "copying 64-byte records"

  private(set) var figures: [ArchiveFigure] = []
  var notes: [String] = []

  mutating func add(_ figure: ArchiveFigure) { figures.append(figure) }

  private func figures(_ measure: ArchiveMeasure) -> [ArchiveFigure] {
    figures.filter { $0.measure == measure }
  }

  /// How many times better than another figure ours is; for sizes, what part of it ours takes.
  private func ratio(_ figure: ArchiveFigure) -> Double? {
    guard figure.program != Self.ours,
      let ours = figures(figure.measure).first(where: { $0.program == Self.ours })
    else { return nil }
    return figure.measure == .size || figure.measure == .realSize || figure.measure.isRate
      ? ours.value / figure.value : figure.value / ours.value
  }

  func print(_ size: SizeOptions) throws {
    if size.json { return try printJSON() }
    Swift.print(Machine.description)
    for measure in ArchiveMeasure.allCases {
      let figures = figures(measure)
      guard !figures.isEmpty else { continue }
      let floor = measure.floor.map { String(format: ", floor %g", $0) } ?? ""
      Swift.print("\n\(measure.title) (\(measure.unit)\(floor))")
      for figure in figures {
        let name = figure.program.padding(toLength: 34, withPad: " ", startingAt: 0)
        let what = measure.unit == "bytes a tick" ? "of it" : "x as fast"
        let comparison = ratio(figure).map { String(format: "  (ours: %.2f \(what))", $0) } ?? ""
        let isMet = figure.program == Self.ours ? measure.isMet(figure.value) : nil
        let verdict = isMet.map { $0 ? "  met" : "  NOT MET" } ?? ""
        let checksum = figure.checksum.map { "  [\($0)]" } ?? ""
        Swift.print("  \(name)\(String(format: "%10.2f", figure.value))\(verdict)\(comparison)\(checksum)")
      }
    }
    for note in notes { Swift.print("left out: \(note)") }
  }

  private struct Line: Encodable {
    var machine: String
    var measure: String
    var program: String
    var value: Double
    var unit: String
    var floor: Double?
    /// Ours against this one: times as fast, or for sizes the part of it.
    var ratio: Double?
    var checksum: UInt64?
  }

  private func printJSON() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for figure in ArchiveMeasure.allCases.flatMap(figures) {
      let line = Line(
        machine: Machine.description, measure: figure.measure.rawValue, program: figure.program,
        value: figure.value, unit: figure.measure.unit, floor: figure.measure.floor, ratio: ratio(figure),
        checksum: figure.checksum)
      Swift.print(String(decoding: try encoder.encode(line), as: UTF8.self))
    }
  }
}
