internal import ArgumentParser
internal import Configuration
internal import FeedHandler
internal import Foundation
internal import Logging
internal import MarketData

struct InstrumentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instruments",
    abstract: "What the venue lists: symbols, tokens, price steps, lots, expiries.",
    discussion: """
      The venue's list is downloaded once a day and kept in the feed's store, from which these commands answer.
      """,
    subcommands: [Search.self, Show.self, List.self])

  struct Source: ParsableArguments {
    @Option(help: "Configuration file of the feed.") var config: String
    @Option(help: "The list as it was on a day, as in 2026-11-23.") var day: String?
    @Flag(help: "Download the list anew.") var refresh = false

    func load() throws(Fault) -> VenueInstruments {
      let configuration = try loadConfiguration(config)
      if let day = try CivilTime.parseDay(day, option: "--day") {
        return try VenueInstruments(configuration, day: day)
      }
      LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
      var logger = Logger(label: "tickring.instruments")
      logger.logLevel = .error
      let instruments = try VenueInstruments(
        configuration, environment: ProcessInfo.processInfo.environment, isForced: refresh, logger: logger)
      if let staleness = instruments.staleness {
        Console.error(
          "the list of \(CivilTime(instruments.fetched).dateText) is shown, since today's cannot be fetched: \(staleness)"
        )
      }
      return instruments
    }
  }

  struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "search", abstract: "Instruments whose symbol or name holds every word of a text.")
    @OptionGroup var source: Source
    @Option(help: "Most rows to print.") var limit = 50
    @Flag(help: "Print one JSON object a line.") var json = false
    @Argument(help: "Words, whatever their case.") var text: [String]

    func run() throws {
      guard limit > 0 else { throw Fault(.usage, "--limit is \(limit); it must be at least 1") }
      let instruments = try source.load()
      let text = text.joined(separator: " ")
      let found = instruments.search(text)
      guard !found.isEmpty else {
        throw Fault(
          .missingInput,
          "\(instruments.venue) lists nothing with '\(text)'"
            + nearestHint(to: text, among: instruments.listings.map(\.symbol.text)))
      }
      try InstrumentsCommand.show(Array(found.prefix(limit)), json: json)
      if found.count > limit {
        Console.errorText("\(Format.count(found.count - limit)) more: name more words, or raise --limit\n")
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "All that the venue's list says of an instrument.")
    @OptionGroup var source: Source
    @Flag(help: "Print one JSON object.") var json = false
    @Argument(help: "Symbol, as in NSE:RELIANCE.") var symbol: String

    func run() throws {
      let symbol = try Symbol(symbol)
      let instruments = try source.load()
      let row = InstrumentRow(try instruments.listing(of: symbol))
      if json { return try Console.json(row) }
      for (name, value) in row.fields where !value.isEmpty {
        Console.line("\(Format.padded(name, 12)) \(value)")
      }
      Console.line("\(Format.padded("as of", 12)) \(instruments.fetched.rfc3339)")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Everything that the venue lists.")
    @OptionGroup var source: Source
    @Option(help: "Only this exchange: NSE, NFO, ….") var exchange: String?
    @Flag(help: "Print one JSON object a line.") var json = false

    func run() throws {
      let instruments = try source.load()
      let wanted = exchange?.uppercased()
      let rows = instruments.listings.filter { wanted == nil || $0.symbol.exchange == wanted ?? "" }
      if rows.isEmpty, let wanted {
        let known = Set(instruments.listings.map { String($0.symbol.exchange) }).sorted().joined(
          separator: ", ")
        throw Fault(.usage, "\(instruments.venue) lists nothing on \(wanted); it lists \(known)")
      }
      try InstrumentsCommand.show(rows, json: json)
    }
  }

  fileprivate static func show(_ listings: [InstrumentListing], json: Bool) throws(Fault) {
    let rows = listings.map(InstrumentRow.init)
    if json {
      for row in rows {
        if Console.isClosed { return }
        try Console.json(row)
      }
      return
    }
    guard let first = rows.first else { return }
    let widths = first.fields.indices.map { column in
      rows.reduce(first.fields[column].name.count) { max($0, $1.fields[column].value.count) }
    }
    func line(_ texts: [String]) {
      let cells = zip(texts, widths).map { Format.padded($0, $1) }.joined(separator: "  ")
      Console.line(String(cells.reversed().drop { $0 == " " }.reversed()))
    }
    line(first.fields.map(\.name))
    for row in rows {
      if Console.isClosed { return }
      line(row.fields.map(\.value))
    }
  }
}

/// A listing as it is printed.
private struct InstrumentRow: Encodable {
  var symbol: String
  var token: String
  var type: String
  var tick: String
  var scale: Int64
  var lot: Int64
  var expiry: String?
  var strike: String?
  var name: String

  init(_ listing: InstrumentListing) {
    symbol = listing.symbol.text
    token = listing.venueToken
    type = listing.type
    tick = listing.priceTick.description
    scale = listing.priceScale
    lot = listing.lotSize
    expiry = listing.expiryDay.map { CivilTime(dayNumber: $0).dateText }
    strike = listing.strike?.description
    name = listing.name
  }

  var fields: [(name: String, value: String)] {
    [
      ("symbol", symbol), ("token", token), ("type", type), ("tick", tick),
      ("scale", scale == 0 ? "" : "\(scale)"),
      ("lot", "\(lot)"), ("expiry", expiry ?? ""), ("strike", strike ?? ""), ("name", name),
    ]
  }
}
