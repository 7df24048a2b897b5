internal import ArgumentParser
internal import CandleBuilding
internal import Foundation
internal import MarketData
internal import TradingCalendar

struct CandlesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "candles", abstract: "Build candles from ticks, to look at what they mean.",
    subcommands: [Build.self])

  struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "build", abstract: "Build candles from a CSV file of ticks, to standard output.",
      discussion: """
        Input columns: receive_time_ns,exchange_time_ns,last_trade_time_ns,symbol,price,volume,last_quantity,\
        open_interest,flags. Times are nanoseconds since 1970 UTC and may be empty except the first; volume is \
        cumulative, and empty for an index; the last three columns may be left out. Flags are names joined by |.

        The clock is the receive time; after the last tick it runs on until every candle is sealed. Printed is \
        every state of every candle in the order in which it would be published.
        """)

    @Option(help: "CSV file of ticks; - is standard input.") var ticks: String
    @Option(help: "Interval: 1m, 3m, 5m, 10m, 15m, 30m, 60m, 1d or 1w.") var interval = "1m"
    @Option(help: "Calendar file in place of the shipped one, or none: trading never stops.")
    var calendar: String?
    @Option(help: "Symbols in the closing auction, separated by commas, or all.") var closingAuction: String?
    @Option(help: "From an interval's end to its sealing, in milliseconds.") var graceMilliseconds = 3000
    @Flag(help: "Only the last revision of each candle.") var final = false
    @Flag(help: "Print CSV, which is the default.") var csv = false
    @Flag(help: "Print one JSON object a line.") var json = false

    func validate() throws {
      guard !(csv && json) else { throw ValidationError("--csv and --json exclude each other") }
      guard (0...86_400_000).contains(graceMilliseconds) else {
        throw ValidationError("--grace-milliseconds must lie between 0 and 86400000")
      }
    }

    func run() throws {
      let wanted = try Interval(named: interval)
      let schedule: any SessionSchedule
      switch calendar {
      case nil: schedule = TradingCalendar.shipped
      case "none": schedule = AlwaysOpen()
      case .some(let path): schedule = try TradingCalendar.load(path: path)
      }
      let auction = closingAuction?.split(separator: ",").map(String.init) ?? []
      var build = CandleFileBuild(
        interval: wanted, graceNanoseconds: Int64(graceMilliseconds) * 1_000_000, schedule: schedule,
        hasClosingAuction: { auction == ["all"] || auction.contains($0) })
      var output = CandleLines(name: interval.lowercased(), isJSON: json)
      var latest: [CandleKey: Int] = [:]
      var kept: [Candle] = []
      func take(_ closed: inout [Candle]) throws(Fault) {
        for candle in closed where candle.interval == wanted {
          guard final else {
            try output.write(candle, symbol: build.symbols[candle.instrument.index])
            continue
          }
          if let place = latest[CandleKey(candle)] {
            kept[place] = candle
          } else {
            latest[CandleKey(candle)] = kept.count
            kept.append(candle)
          }
        }
        closed.removeAll(keepingCapacity: true)
        if !final { output.flush() }
      }
      var reader = try TickCSV(path: ticks)
      if !json { Console.line(CandleLines.header) }
      var closed: [Candle] = []
      while let row = try reader.next() {
        try build.apply(row, place: reader.place, into: &closed)
        if closed.count >= CandleLines.linesMax { try take(&closed) }
        if Console.isClosed { return }
      }
      build.finish(into: &closed)
      try take(&closed)
      kept.sort { ($0.start, $0.instrument) < ($1.start, $1.instrument) }
      for candle in kept { try output.write(candle, symbol: build.symbols[candle.instrument.index]) }
      output.flush()
      for note in build.notes(interval: wanted) { Console.error(note) }
    }
  }
}

/// Candles as lines of CSV or JSON, written in pieces.
private struct CandleLines {
  static let header =
    "symbol,interval,start,open,high,low,close,volume,open_interest,ticks,turnover,coverage,flags,state,revision"
  static let linesMax = 1000

  private let name: String
  private let isJSON: Bool
  private var text = ""
  private var count = 0

  init(name: String, isJSON: Bool) {
    self.name = name
    self.isJSON = isJSON
  }

  mutating func write(_ candle: Candle, symbol: String) throws(Fault) {
    if isJSON {
      var line = CandleLine(candle, symbol: symbol)
      line.interval = name
      try Console.json(line)
      return
    }
    let turnover = Format.turnover(candle)
    text +=
      "\(symbol),\(name),\(candle.start.rfc3339),\(candle.open),\(candle.high),\(candle.low),\(candle.close),"
      + "\(candle.volume),\(candle.openInterest),\(candle.tickCount),\(turnover),\(candle.coverage),"
      + "\(candle.flags),\(candle.state),\(candle.revision)\n"
    count += 1
    if count == Self.linesMax { flush() }
  }

  mutating func flush() {
    if !text.isEmpty { Console.write(text) }
    text = ""
    count = 0
  }
}
