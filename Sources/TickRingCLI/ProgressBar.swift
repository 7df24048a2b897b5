internal import Foundation
internal import MarketData

/// How far a long command has come, on standard error: a bar that redraws in place on a terminal, elsewhere a line for
/// each tenth. Silent for what is over at once.
struct ProgressBar {
  private let what: String
  private let total: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let started = Timestamp.monotonicNanoseconds()
  private var lastShown: Int64 = 0
  private var lastTenth = 0

  private static let barCells = 30
  private static let quietNanoseconds: Int64 = 500_000_000
  private static let redrawNanoseconds: Int64 = 100_000_000

  /// - Parameter total: What ``show(_:)`` reaches at the end.
  init(_ what: String, total: Int) {
    self.what = what
    self.total = max(total, 1)
  }

  mutating func show(_ done: Int) {
    let now = Timestamp.monotonicNanoseconds()
    guard now - started > Self.quietNanoseconds else { return }
    let share = min(Double(done) / Double(total), 1)
    let percent = Format.leftPadded("\(Int(share * 100))", 3)
    if isTerminal {
      guard now - lastShown > Self.redrawNanoseconds || done >= total else { return }
      lastShown = now
      let cells = Int(share * Double(Self.barCells))
      let bar = String(repeating: "#", count: cells) + String(repeating: ".", count: Self.barCells - cells)
      Console.errorText("\r\(what) [\(bar)] \(percent) % of \(Format.count(total))\(pace(done, now))\u{1B}[K")
    } else if Int(share * 10) > lastTenth {
      lastTenth = Int(share * 10)
      Console.errorText("\(what): \(percent) % of \(Format.count(total))\(pace(done, now))\n")
    }
  }

  /// How fast it goes, and how long it will take at that rate.
  private func pace(_ done: Int, _ now: Int64) -> String {
    guard done > 0, done < total else { return "" }
    let perSecond = Double(done) / (Double(now - started) / 1e9)
    let left = Int((Double(total - done) / perSecond).rounded(.up))
    let rate = perSecond < 100 ? Format.decimal(perSecond, 1) : Format.count(Int(perSecond))
    let seconds = left % 60 < 10 ? "0\(left % 60)" : "\(left % 60)"
    return ", \(rate)/s, \(Format.count(left / 60)):\(seconds) left"
  }

  /// Leaves the line for what comes next.
  func end() {
    if isTerminal, lastShown > 0 { Console.errorText("\n") }
  }
}
