internal import Foundation

/// Latencies by percentile as an SVG drawing: a panel for each measure of latency, a line for each program. The axis
/// stretches the tail, one step for each further nine, since the tail is what a trader meets when it matters.
struct RingPlot {
  private let report: RingReport
  private let machine: String

  private static let width = 1110.0
  private static let panelHeight = 330.0
  private static let top = 96.0
  private static let left = 78.0
  private static let right = 260.0
  private static let panelTop = 46.0
  private static let panelBottom = 44.0
  private static let labelHeight = 17.0
  /// Nines drawn: up to 99.999 %.
  private static let ninesMax = 5.0
  private static let measures: [RingMeasure] = [.roundTrip, .paced, .wake]
  private static let colours = [
    RingProgram.ourName: "#0b6e4f", RingProgram.limitName: "#8d99ae", RingProgram.linesName: "#5c677d",
    "boost": "#d1495b",
    "iceoryx": "#3d5a98",
    "unix-socket": "#c77d2e",
  ]

  init(report: RingReport, machine: String) {
    self.report = report
    self.machine = machine
  }

  /// The drawing, of the placement that was seen most.
  var svg: String {
    guard let placement = report.placements.first else {
      return document(height: Self.top, "", "no run stayed in one placement")
    }
    let panels = Self.measures.filter { !report.rows($0, placement).isEmpty }
    var body = ""
    for (index, measure) in panels.enumerated() {
      body += panel(measure, report.rows(measure, placement), y: Self.top + Double(index) * Self.panelHeight)
    }
    let height = Self.top + Double(panels.count) * Self.panelHeight + 10
    return document(height: height, body, "\(machine); processors \(placement.title)")
  }

  private func document(height: Double, _ body: String, _ subtitle: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(height))" width="\(Int(Self.width))" \
    height="\(Int(height))" font-family="Helvetica, Arial, sans-serif" fill="#222">
    <rect width="100%" height="100%" fill="#ffffff"/>
    <text x="24" y="40" font-size="22" font-weight="bold">TickRing: latency between two processes</text>
    <text x="24" y="64" font-size="13" fill="#666">\(escaped(subtitle))</text>
    \(body)</svg>

    """
  }

  private func panel(_ measure: RingMeasure, _ rows: [RingReport.Row], y: Double) -> String {
    let curves = rows.map { ($0.peer, percentiles($0)) }
    let values = curves.flatMap { $0.1.map(\.nanoseconds) }
    guard let least = values.min(), let most = values.max() else { return "" }
    let low = log10(least * 0.8)
    let high = log10(most * 1.2)
    let plotTop = y + Self.panelTop
    let plotHeight = Self.panelHeight - Self.panelTop - Self.panelBottom
    let plotWidth = Self.width - Self.left - Self.right
    func vertical(_ nanoseconds: Double) -> Double {
      plotTop + plotHeight * (1 - (log10(nanoseconds) - low) / (high - low))
    }
    func horizontal(_ nines: Double) -> Double { Self.left + plotWidth * nines / Self.ninesMax }

    var body =
      "<text x=\"24\" y=\"\(y + 26)\" font-size=\"15\" font-weight=\"bold\">\(measure.title)</text>\n"
    for power in Int(low.rounded(.up))...max(Int(low.rounded(.up)), Int(high)) {
      for step in [1.0, 2, 5] {
        let value = step * pow(10, Double(power))
        guard log10(value) >= low, log10(value) <= high, step == 1 || high - low < 2.6 else { continue }
        let line = vertical(value)
        body +=
          "<line x1=\"\(Self.left)\" x2=\"\(Self.left + plotWidth)\" y1=\"\(text(line))\" y2=\"\(text(line))\" "
          + "stroke=\"#e6e6e6\"/>\n"
          + label(Self.left - 8, line + 4, time(value), anchor: "end", colour: "#666")
      }
    }
    for (nines, name) in [
      (0.0, "0 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"), (5, "99.999 %"),
    ] {
      let x = horizontal(nines)
      body +=
        "<line x1=\"\(text(x))\" x2=\"\(text(x))\" y1=\"\(plotTop)\" y2=\"\(plotTop + plotHeight)\" "
        + "stroke=\"#efefef\"/>\n"
        + label(x, plotTop + plotHeight + 18, name, anchor: "middle", colour: "#666")
    }
    body += label(
      Self.left + plotWidth, plotTop + plotHeight + 36, "share of records at most as slow", anchor: "end",
      colour: "#999")
    var taken: [Double] = []
    // Ours is drawn last, over the others.
    for (peer, points) in curves.reversed() {
      guard let last = points.last, let middle = points.first(where: { $0.nines >= 0.301 }) else { continue }
      let colour = Self.colours[peer] ?? "#000000"
      let path = points.map { "\(text(horizontal($0.nines))),\(text(vertical($0.nanoseconds)))" }
      body +=
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(peer == RingProgram.ourName ? 3 : 1.8)\" "
        + "stroke-linejoin=\"round\" points=\"\(path.joined(separator: " "))\"/>\n"
      var place = vertical(last.nanoseconds) + 4
      // Downwards until it is free: to and fro between two neighbours it would never end.
      while let near = taken.first(where: { abs($0 - place) < Self.labelHeight - 1 }) {
        place = near + Self.labelHeight
      }
      taken.append(place)
      let name = peer == RingProgram.limitName ? (measure.limit ?? peer) : RingProgram.title(peer)
      body += label(
        Self.left + plotWidth + 12, place, "\(name), \(time(middle.nanoseconds))", anchor: "start",
        colour: colour,
        isBold: peer == RingProgram.ourName)
    }
    return body
  }

  private struct Point {
    var nines: Double
    var nanoseconds: Double
  }

  /// All runs' latencies together, by the number of nines of the share that is at most as slow.
  private func percentiles(_ row: RingReport.Row) -> [Point] {
    let pairs = row.runs.flatMap { $0.histogram ?? [] }.filter { $0.count == 2 }.sorted { $0[0] < $1[0] }
    let total = pairs.reduce(0) { $0 + $1[1] }
    guard total > 0, let first = pairs.first else { return [] }
    var points = [Point(nines: 0, nanoseconds: first[0])]
    var seen = 0.0
    for pair in pairs {
      // The line rises at the share below this latency, not at the one that includes it.
      let start = min(-log10(max(1 - seen / total, 1e-9)), Self.ninesMax)
      seen += pair[1]
      let end = min(-log10(max(1 - seen / total, 1e-9)), Self.ninesMax)
      points.append(Point(nines: start, nanoseconds: pair[0]))
      points.append(Point(nines: end, nanoseconds: pair[0]))
      if end >= Self.ninesMax { break }
    }
    return points
  }

  private func label(
    _ x: Double, _ y: Double, _ content: String, anchor: String, colour: String, isBold: Bool = false
  ) -> String {
    "<text x=\"\(text(x))\" y=\"\(text(y))\" font-size=\"12\" text-anchor=\"\(anchor)\" fill=\"\(colour)\""
      + (isBold ? " font-weight=\"bold\"" : "") + ">\(escaped(content))</text>\n"
  }

  private func time(_ nanoseconds: Double) -> String {
    if nanoseconds < 1e3 { return String(format: "%.0f ns", nanoseconds) }
    if nanoseconds < 1e6 {
      return String(format: nanoseconds < 1e4 ? "%.1f µs" : "%.0f µs", nanoseconds / 1e3)
    }
    return String(format: "%.1f ms", nanoseconds / 1e6)
  }

  private func text(_ value: Double) -> String { String(format: "%.1f", value) }

  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }
}
