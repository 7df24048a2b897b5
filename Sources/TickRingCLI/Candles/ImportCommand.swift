internal import ArgumentParser
internal import CandleStore
internal import Foundation
internal import MarketData
internal import Venues

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Load data from files.", subcommands: [Candles.self])

  struct Candles: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "candles",
      abstract:
        "Load 1-minute candles from a CSV or JSON file into SQLite; loading the same file twice changes nothing.",
      discussion: """
        The header names the columns: timestamp, open, high, low, close, volume, and optionally oi. Timestamps are \
        RFC 3339 with their zone, prices exact decimals.

        A JSON file is a list of objects with members of these names, or of arrays with values in this order; there a \
        timestamp may also be Unix time. When the list lies deeper, --rows data.candles says where.
        """)

    @OptionGroup var data: DataOptions
    @Option(help: "The instrument, as in NSE:YESBANK.") var instrument: String
    @Option(help: "Where in a JSON file the list of candles is: its members' names joined by dots.")
    var rows = ""
    @Flag(help: "Print JSON.") var json = false
    @Argument(help: "The file.") var file: String

    private struct Answer: Encodable {
      var instrument: String
      var candles: Int
      var first: String?
      var last: String?
    }

    func run() throws {
      let symbol = try Symbol(instrument)
      let directory = try data.directory()
      // Read before anything is made, so that a bad file leaves nothing behind.
      let probe = try read()
      do {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      } catch {
        throw Fault(
          .cannotCreate, "cannot create data directory '\(directory)': \(error.localizedDescription)")
      }
      let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
      let id = try Self.id(of: symbol, in: store)
      let candles = probe.map { candle in
        var candle = candle
        candle.instrument = id
        return candle
      }
      try store.upsert(candles)
      let answer = Answer(
        instrument: symbol.text, candles: candles.count, first: candles.first?.start.rfc3339,
        last: candles.last?.start.rfc3339)
      if json { return try Console.json(answer) }
      let range = candles.isEmpty ? "" : ", \(answer.first ?? "") to \(answer.last ?? "")"
      Console.line("\(symbol): \(Format.count(candles.count)) candles\(range)")
    }

    private func read() throws(Fault) -> [Candle] {
      let instrument = InstrumentID(rawValue: 0)
      guard isJSON else { return try CandleCSV.read(path: file, instrument: instrument, interval: .minute) }
      var format = CandleFormat()
      format.rows = rows
      return try format.candles(file: file, instrument: instrument, interval: .minute)
    }

    /// Whether the file begins as JSON does; no CSV file has a bracket first.
    private var isJSON: Bool {
      let beginning = try? FileHandle(forReadingFrom: URL(fileURLWithPath: file)).read(upToCount: 64)
      let first = beginning?.first { !UnicodeScalar($0).properties.isWhitespace }
      return first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    }

    /// The symbol's number; a new symbol gets the next one, and its venue's details when a feed first lists it.
    private static func id(of symbol: Symbol, in store: CandleStore) throws(Fault) -> InstrumentID {
      if let known = try store.instrument(for: symbol) { return known.id }
      return try store.instrumentIDs(for: [(symbol, "", .zero, 1)])[0].id
    }
  }
}
