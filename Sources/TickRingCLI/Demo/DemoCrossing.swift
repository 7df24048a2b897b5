internal import Foundation
internal import MarketData
internal import Synchronization

/// What one run of the crossing strategy printed.
final class DemoCrossing: Sendable {
  private struct State {
    var candles: [String: [String: String]] = [:]
    /// The candle at which each signal came, and its side.
    var signals: [(candle: String, side: String)] = []
    var newestCandle = ""
    var hasStarted = false
    var hasEnded = false
  }

  private let state = Mutex(State())

  var hasStarted: Bool { state.withLock { $0.hasStarted } }
  var hasEnded: Bool { state.withLock { $0.hasEnded } }
  private var candles: [String: [String: String]] { state.withLock { $0.candles } }
  private var signals: [(candle: String, side: String)] { state.withLock { $0.signals } }

  func note(_ line: String) {
    guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)) else { return }
    state.withLock { state in
      switch fields["type"] {
      case "start": state.hasStarted = true
      case "end": state.hasEnded = true
      case "signal": state.signals.append((state.newestCandle, fields["side"] ?? ""))
      case "candle":
        state.newestCandle = "\(fields["symbol"] ?? "") \(fields["start"] ?? "")"
        state.candles[state.newestCandle] = fields
      default: break
      }
    }
  }

  /// Every whole candle that the live run saw must be the back-test's, which also saw what came before it attached.
  func check(against backtest: DemoCrossing) -> DemoSummary.Check {
    let live = candles
    let past = backtest.candles
    let equal = live.count { past[$0.key] == $0.value }
    // The back-test also has candles before and after the live run's, and a signal needs a candle before it.
    let firsts = Set(
      Dictionary(grouping: live.keys) { $0.split(separator: " ")[0] }.values.compactMap { $0.min() })
    let pastSignals = backtest.signals.filter { live[$0.candle] != nil && !firsts.contains($0.candle) }
    return DemoSummary.Check(
      name: "same strategy in a back-test: its candles",
      detail: "\(equal) of \(live.count) equal; signals \(signals.count) and \(pastSignals.count)",
      holds: equal == live.count)
  }
}
