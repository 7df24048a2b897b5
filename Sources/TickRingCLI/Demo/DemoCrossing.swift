internal import Foundation
internal import MarketData
internal import Synchronization

/// What one run of the crossing strategy printed.
final class DemoCrossing: Sendable {
  private struct State {
    var candles: [String: [String: String]] = [:]
    var signals = 0
    var hasStarted = false
    var hasEnded = false
  }

  private let state = Mutex(State())

  var hasStarted: Bool { state.withLock { $0.hasStarted } }
  var hasEnded: Bool { state.withLock { $0.hasEnded } }
  private var candles: [String: [String: String]] { state.withLock { $0.candles } }
  private var signals: Int { state.withLock { $0.signals } }

  func note(_ line: String) {
    guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)) else { return }
    state.withLock { state in
      switch fields["type"] {
      case "start": state.hasStarted = true
      case "end": state.hasEnded = true
      case "signal": state.signals += 1
      case "candle": state.candles["\(fields["symbol"] ?? "") \(fields["start"] ?? "")"] = fields
      default: break
      }
    }
  }

  /// Every whole candle that the live run saw must be the back-test's, which also saw what came before it attached.
  func check(against backtest: DemoCrossing) -> DemoSummary.Check {
    let live = candles
    let past = backtest.candles
    let equal = live.count { past[$0.key] == $0.value }
    return DemoSummary.Check(
      name: "same strategy in a back-test: its candles",
      detail:
        "\(equal) of \(live.count) equal; signals \(signals) live, \(backtest.signals) in the back-test",
      holds: equal == live.count)
  }
}
