internal import Foundation
internal import Synchronization

/// What the demo's processes have said so far.
final class DemoEvents: Sendable {
  /// What the strategy last said of itself.
  struct Strategy: Sendable {
    var ticks = 0
    var lost = 0
    var latencyNanoseconds: (p50: Int64, p99: Int64, p999: Int64) = (0, 0, 0)
    var candles = 0
    var backlog = 0
    /// Prices of what it observes now, and those said since its last report.
    var prices: [String: String] = [:]
    var newPrices: [String: String] = [:]
    var latestLines: [String] = []
  }

  private struct State {
    var port: Int?
    var isVenueFinished = false
    var report: VenueReportLine?
    var strategy = Strategy()
  }

  private let state = Mutex(State())
  private static let latestLinesMax = 5

  var port: Int? { state.withLock { $0.port } }
  var isVenueFinished: Bool { state.withLock { $0.isVenueFinished } }
  var report: VenueReportLine? { state.withLock { $0.report } }
  var strategy: Strategy { state.withLock { $0.strategy } }

  func noteVenue(_ line: String) {
    guard let event = try? JSONDecoder().decode(VenueLine.self, from: Data(line.utf8)) else { return }
    state.withLock { state in
      switch event.event {
      case "listening": state.port = event.port
      case "finished": state.isVenueFinished = true
      case "report": state.report = event.report
      default: break
      }
    }
  }

  func noteStrategy(_ line: String) {
    guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)) else { return }
    state.withLock { $0.strategy.note(fields, linesMax: Self.latestLinesMax) }
  }
}

extension DemoEvents.Strategy {
  fileprivate mutating func note(_ fields: [String: String], linesMax: Int) {
    func number(_ key: String) -> Int64 { fields[key].flatMap { Int64($0) } ?? 0 }
    switch fields["type"] {
    case "progress", "summary":
      ticks = Int(number("ticks"))
      latencyNanoseconds = (number("p50_ns"), number("p99_ns"), number("p999_ns"))
      if fields["lost"] != nil { lost = Int(number("lost")) }
      backlog = Int(number("backlog"))
      prices = newPrices
      newPrices = [:]
    case "price":
      newPrices[fields["symbol"] ?? ""] = fields["price"]
    case "candle":
      candles += 1
      let values = ["open", "high", "low", "close", "volume"].map { fields[$0] ?? "" }
      latestLines.append(
        "candle \(fields["symbol"] ?? "") \(String((fields["start"] ?? "").dropFirst(11).prefix(5)))  "
          + "O \(values[0])  H \(values[1])  L \(values[2])  C \(values[3])  V \(values[4])  \(fields["state"] ?? "")"
      )
    case "note":
      latestLines.append(fields["text"] ?? "")
    default: break
    }
    if latestLines.count > linesMax { latestLines.removeFirst(latestLines.count - linesMax) }
  }
}

/// One line of `tickring simulate --json`.
struct VenueLine: Codable, Sendable {
  var event: String
  var port: Int?
  var report: VenueReportLine?
}

/// What the venue sent.
struct VenueReportLine: Codable, Sendable {
  /// Ticks by the venue's instrument token.
  var ticksByToken: [String: UInt64]
  /// Frames sent.
  var frames: UInt64
  /// Bytes of frames sent.
  var bytes: UInt64
}
