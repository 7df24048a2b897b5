internal import FeedControl
internal import Foundation
internal import MarketData

/// Shows how far a replay has come: a bar that redraws in place on a terminal, a line now and then elsewhere. It goes
/// to standard error, so that standard output holds the result alone.
struct ReplayProgress {
  private let bounds: ClosedRange<Timestamp>
  private let isQuiet: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = Timestamp.monotonicNanoseconds()
  private var lastShown: Int64 = 0
  private var lastRecords: UInt64 = 0
  private var hasBar = false

  private static let barWidth = 24
  private static let barNanoseconds: Int64 = 100_000_000
  private static let lineNanoseconds: Int64 = 5_000_000_000

  init(bounds: ClosedRange<Timestamp>, isQuiet: Bool) {
    self.bounds = bounds
    self.isQuiet = isQuiet
    lastShown = isTerminal ? 0 : start
  }

  func begin(feed: String, records: Int) {
    guard !isQuiet else { return }
    write(
      "replaying up to \(Format.count(records)) records, \(bounds.lowerBound.rfc3339) to \(bounds.upperBound.rfc3339), "
        + "as feed '\(feed)'\n")
  }

  mutating func show(_ status: ReplayStatus) {
    show(
      records: status.records, time: Timestamp(nanoseconds: status.timeNanoseconds),
      note: status.activity == .playing ? "speed \(status.speed)" : status.activity.rawValue)
  }

  mutating func show(records: UInt64, time: Timestamp, note: String? = nil) {
    guard !isQuiet else { return }
    let now = Timestamp.monotonicNanoseconds()
    let elapsed = now - lastShown
    guard elapsed > (isTerminal ? Self.barNanoseconds : Self.lineNanoseconds) else { return }
    let rate =
      lastShown == 0 || records < lastRecords ? 0 : Double(records - lastRecords) / Double(elapsed) * 1e9
    lastShown = now
    lastRecords = records
    let length = max(1, Double(bounds.upperBound - bounds.lowerBound))
    let share = min(1, max(0, Double(time - bounds.lowerBound) / length))
    let text =
      "\(Format.leftPadded("\(Int(share * 100))", 3)) %  \(CivilTime(time).dateText) \(CivilTime(time).timeText)  "
      + "\(Format.count(records)) records, \(Format.count(Int(rate))) a second"
      + (note.map { ", \($0)" } ?? "")
    if isTerminal {
      let filled = Int(share * Double(Self.barWidth))
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled)
      write("\r\u{1B}[2K\(bar) \(text)")
      hasBar = true
    } else {
      write(text + "\n")
    }
  }

  /// Takes the bar away: what follows begins on an empty line.
  mutating func finish() {
    if hasBar { write("\r\u{1B}[2K") }
    hasBar = false
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
