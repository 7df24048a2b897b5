internal import Foundation
internal import Histogram
internal import TickRing

/// Prints what the strategy sees: lines for people, or one JSON object a line for a program.
struct Reporter {
  let isJSON: Bool

  func price(_ symbol: String, _ latest: Latest) {
    let age = latest.ageNanoseconds / 1_000_000
    emit(
      "price   \(symbol)  \(latest.price)  \(age) ms old",
      ["type": "price", "symbol": symbol, "price": latest.price.description, "age_ms": "\(age)"])
  }

  func candle(_ symbol: String, _ candle: Candle) {
    let time = CivilTime(candle.start)
    emit(
      "candle  \(symbol)  \(time.timeText)  O \(candle.open)  H \(candle.high)  L \(candle.low)  "
        + "C \(candle.close)  V \(candle.volume)  \(candle.state)",
      [
        "type": "candle", "symbol": symbol, "start": candle.start.rfc3339, "open": candle.open.description,
        "high": candle.high.description, "low": candle.low.description, "close": candle.close.description,
        "volume": "\(candle.volume)", "state": "\(candle.state)",
      ])
  }

  func note(_ text: String) { emit("note    \(text)", ["type": "note", "text": text]) }

  func progress(ticks: Int, backlog: UInt64, latency: Histogram<UInt64>) {
    guard isJSON else { return }
    emit("", numbers("progress", ticks, latency).merging(["backlog": "\(backlog)"]) { old, _ in old })
  }

  func summary(ticks: Int, lost: UInt64, latency: Histogram<UInt64>) {
    emit(
      "read \(ticks) ticks, lost \(lost); from socket to here p50 \(percentile(latency, 50)) ns, "
        + "p99 \(percentile(latency, 99)) ns, p99.9 \(percentile(latency, 99.9)) ns",
      numbers("summary", ticks, latency).merging(["lost": "\(lost)"]) { old, _ in old })
  }

  private func numbers(_ type: String, _ ticks: Int, _ latency: Histogram<UInt64>) -> [String: String] {
    [
      "type": type, "ticks": "\(ticks)", "p50_ns": "\(percentile(latency, 50))",
      "p99_ns": "\(percentile(latency, 99))", "p999_ns": "\(percentile(latency, 99.9))",
    ]
  }

  private func percentile(_ histogram: Histogram<UInt64>, _ percent: Double) -> UInt64 {
    histogram.totalCount == 0 ? 0 : histogram.valueAtPercentile(percent)
  }

  private func emit(_ line: String, _ fields: [String: String]) {
    var text = line
    if isJSON {
      guard let data = try? JSONSerialization.data(withJSONObject: fields, options: .sortedKeys) else {
        return
      }
      text = String(decoding: data, as: UTF8.self)
    }
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
