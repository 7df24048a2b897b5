internal import MarketData

/// What a run of the demo came to: every check with both of its sides, and the measurements.
struct DemoSummary: Encodable {
  /// One thing that must hold.
  struct Check: Encodable {
    var name: String
    var detail: String
    var holds: Bool
  }

  var checks: [Check]
  var instruments: Int
  var seconds: Double
  var ticks: UInt64
  var ticksPerSecond: Double
  var frames: UInt64
  var receiveNanosecondsPerTick: Double
  var recorderNanosecondsPerTick: Double
  var strategyTicks: Int
  var latencyP50Nanoseconds: Int64
  var latencyP99Nanoseconds: Int64
  var latencyP999Nanoseconds: Int64
  var archiveBytesPerTick: Double
  var candlesBuilt: Int
  var candlesFromHistory: Int
  var streamHash: String

  var isProven: Bool { checks.allSatisfy(\.holds) }

  /// The summary as a person reads it.
  func table() -> String {
    var lines = [""]
    for check in checks {
      lines.append("  \(check.holds ? "ok  " : "FAIL")  \(Format.padded(check.name, 44)) \(check.detail)")
    }
    func row(_ name: String, _ value: String) { lines.append("        \(Format.padded(name, 44)) \(value)") }
    lines.append("")
    row("instruments", Format.count(instruments))
    row(
      "ticks",
      "\(Format.count(ticks)) in \(Format.count(frames)) frames, "
        + "\(Format.count(Int(ticksPerSecond)))/s over \(Format.decimal(seconds, 1)) s")
    row(
      "processor time a tick, receive / record",
      "\(Format.decimal(receiveNanosecondsPerTick, 0)) ns / "
        + "\(Format.decimal(recorderNanosecondsPerTick, 0)) ns")
    row(
      "socket to strategy, p50 / p99 / p99.9",
      "\(Format.duration(latencyP50Nanoseconds)) / "
        + "\(Format.duration(latencyP99Nanoseconds)) / \(Format.duration(latencyP999Nanoseconds)) "
        + "over \(Format.count(strategyTicks)) ticks")
    row("archive", "\(Format.decimal(archiveBytesPerTick, 2)) bytes a tick")
    row("candles built / from history", "\(Format.count(candlesBuilt)) / \(Format.count(candlesFromHistory))")
    lines.append("")
    lines.append(isProven ? "  Everything agrees." : "  NOT PROVEN: see the lines marked FAIL.")
    return lines.joined(separator: "\n") + "\n"
  }
}
