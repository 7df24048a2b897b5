internal import ArgumentParser
internal import CandleStore
internal import Foundation
internal import MarketData

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Load data from files.", subcommands: [Candles.self])

  struct Candles: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "candles",
      abstract:
        "Load 1-minute candles from a CSV file into SQLite; loading the same file twice changes nothing.",
      discussion: """
        The header names the columns: timestamp, open, high, low, close, volume, and optionally oi. Timestamps are \
        RFC 3339 with their zone, prices exact decimals.
        """)

    @OptionGroup var data: DataOptions
    @Option(help: "The instrument, as in NSE:YESBANK.") var instrument: String
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
      let probe = try CandleCSV.read(path: file, instrument: InstrumentID(rawValue: 0), interval: .minute)
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

    /// The symbol's number; a new symbol gets the next one, and its venue's details when a feed first lists it.
    private static func id(of symbol: Symbol, in store: CandleStore) throws(Fault) -> InstrumentID {
      if let known = try store.instrument(for: symbol) { return known.id }
      return try store.instrumentIDs(for: [(symbol, "", .zero, 1)])[0].id
    }
  }
}
