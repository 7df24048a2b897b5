internal import Foundation
internal import MarketData
internal import SharedRing

/// What the demo shows while it runs: a table that redraws in place on a terminal, plain lines elsewhere.
struct DemoView {
  enum Style {
    case table, lines, silent
  }

  private let style: Style
  private var drawnLines = 0
  private var lastTicks: UInt64 = 0
  private var lastElapsedNanoseconds: Int64 = 0
  private var nextLineNanoseconds = lineEveryNanoseconds

  /// Plain lines come less often than the table redraws.
  private static let lineEveryNanoseconds: Int64 = 5_000_000_000
  private static let widthWhenUnknown = 80
  private static let pricesPerLine = 2

  init(style: Style) { self.style = style }

  func step(_ text: String) {
    if style != .silent { Console.line("· \(text)") }
  }

  mutating func show(_ feed: FeedView, _ events: DemoEvents, elapsedNanoseconds: Int64) {
    let ticks = feed.value(.ticks)
    let elapsed = Double(max(1, elapsedNanoseconds - lastElapsedNanoseconds)) / 1e9
    switch style {
    case .silent: return
    case .lines:
      guard elapsedNanoseconds >= nextLineNanoseconds else { return }
      nextLineNanoseconds = elapsedNanoseconds + Self.lineEveryNanoseconds
      Console.line(Self.line(feed, events.strategy, elapsedNanoseconds, Double(ticks - lastTicks) / elapsed))
    case .table:
      redraw(Self.table(feed, events.strategy, elapsedNanoseconds, Double(ticks - lastTicks) / elapsed))
    }
    lastTicks = ticks
    lastElapsedNanoseconds = elapsedNanoseconds
  }

  /// Leaves the last table standing.
  mutating func finish() { drawnLines = 0 }

  private mutating func redraw(_ lines: [String]) {
    var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
    // A line that wraps would take two rows, and the cursor would not come back to the table's top.
    let width = Self.terminalWidth
    for line in lines { text += "\r\u{1B}[2K" + line.prefix(width) + "\n" }
    if drawnLines > lines.count { text += "\u{1B}[J" }
    Console.write(text)
    drawnLines = lines.count
  }

  private static var terminalWidth: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return widthWhenUnknown }
    return Int(size.ws_col)
  }

  private static func line(
    _ feed: FeedView, _ strategy: DemoEvents.Strategy, _ elapsed: Int64, _ rate: Double
  ) -> String {
    let latency = strategy.latencyNanoseconds
    return
      "  \(Format.leftPadded(Format.duration(elapsed), 8))  market \(CivilTime(feed.clock.now()).timeText)  "
      + "\(Format.count(feed.value(.ticks))) ticks (\(Format.count(Int(rate)))/s)  "
      + "\(Format.count(feed.value(.candles))) candles  "
      + "strategy \(Format.count(strategy.ticks)) ticks, p50 \(Format.duration(latency.p50)), "
      + "p99 \(Format.duration(latency.p99))"
  }

  private static func table(
    _ feed: FeedView, _ strategy: DemoEvents.Strategy, _ elapsed: Int64, _ rate: Double
  ) -> [String] {
    let latency = strategy.latencyNanoseconds
    let published = feed.value(.sequence)
    let waiting = published > feed.value(.recorded) ? published - feed.value(.recorded) : 0
    let unsealed = published > feed.value(.sealed) ? published - feed.value(.sealed) : 0
    var lines = [
      "",
      "  market time  \(CivilTime(feed.clock.now()).timeText)        running  \(Format.duration(elapsed))",
      "  venue        \(Format.count(feed.value(.observed))) instruments, \(Format.count(feed.value(.messages))) frames, "
        + "\(Format.count(feed.value(.bytes) / 1024)) KiB",
      "  feed         \(Format.count(feed.value(.ticks))) ticks, \(Format.count(Int(rate)))/s, "
        + "\(Format.count(feed.value(.badFrames))) bad frames",
      "  recorder     \(Format.count(waiting)) waiting in its lane, \(Format.count(unsealed)) not yet sealed, "
        + "\(Format.count(feed.value(.candles))) candles, \(Format.count(feed.value(.archiveBytes) / 1024)) KiB archive",
      "  strategy     \(Format.count(strategy.ticks)) ticks, \(strategy.backlog) waiting in its lane",
      "  latency      socket to strategy: p50 \(Format.duration(latency.p50))  p99 \(Format.duration(latency.p99))  "
        + "p99.9 \(Format.duration(latency.p999))",
    ]
    let prices = strategy.prices.sorted { $0.key < $1.key }
    for start in stride(from: 0, to: prices.count, by: pricesPerLine) {
      let row = prices[start..<min(start + pricesPerLine, prices.count)].map {
        Format.padded($0.key, 24) + Format.leftPadded($0.value, 12)
      }
      lines.append((start == 0 ? "  prices       " : "               ") + row.joined(separator: "    "))
    }
    lines += strategy.latestLines.map { "  · \($0)" }
    return lines
  }
}
