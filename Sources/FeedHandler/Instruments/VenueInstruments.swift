internal import CandleStore
public import Configuration
internal import Foundation
public import Logging
public import MarketData

/// A venue's list of instruments for people who look something up.
public struct VenueInstruments: Sendable {
  /// The venue's name.
  public let venue: String
  /// Its rows, by symbol.
  public let listings: [InstrumentListing]
  /// When the venue gave it.
  public let fetched: Timestamp
  /// Why it is an older list than wanted; nil when it is today's or the one asked for.
  public let staleness: String?

  /// Today's list, as kept or from the venue.
  ///
  /// - Parameter isForced: ask the venue in any case.
  /// - Throws: ``Fault`` of kind `unavailable`, `refused` or `protocolViolation` when nothing is kept and the venue does
  ///   not deliver; of kind `cannotCreate` when the data directory cannot be made; what the store throws.
  public init(
    _ configuration: FeedConfiguration, environment: [String: String], isForced: Bool = false, logger: Logger
  ) throws(Fault) {
    let venue = try Venue(configuration, environment: environment)
    let store = try Self.openStore(configuration)
    let snapshot = try InstrumentMaster(venue, configuration, store: store, logger: logger)
      .snapshot(now: .wallClock(), isForced: isForced)
    try store.close()
    self.venue = venue.name
    listings = snapshot.listings.sorted { $0.symbol < $1.symbol }
    fetched = snapshot.fetched
    staleness = snapshot.staleness?.message
  }

  /// The list of a day, or of the last before it that is kept.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when none is kept, naming the days that are.
  public init(_ configuration: FeedConfiguration, day: Int) throws(Fault) {
    let store = try CandleStore(path: configuration.dataDirectory + "/candles.sqlite", mode: .readOnly)
    venue = configuration.source.venue.rawValue
    guard let stored = try store.listings(of: venue, onOrBefore: day) else {
      let first = try store.listingDays(of: venue).first.map {
        ", the first kept is of \(CivilTime(dayNumber: $0).dateText)"
      }
      throw Fault(
        .missingInput,
        "no list of \(venue)'s instruments of \(CivilTime(dayNumber: day).dateText) or before is kept\(first ?? "")"
      )
    }
    listings = stored.listings
    fetched = stored.fetched
    staleness = nil
  }

  /// The row of a symbol.
  ///
  /// - Throws: ``Fault`` of kind `usage` when it is not listed, with the nearest that are.
  public func listing(of symbol: Symbol) throws(Fault) -> InstrumentListing {
    guard let found = listings.first(where: { $0.symbol == symbol }) else {
      throw Fault(
        .usage,
        "\(venue) lists no instrument \(symbol)\(nearestHint(to: symbol.text, among: listings.map(\.symbol.text)))"
      )
    }
    return found
  }

  /// The rows whose symbol or name holds every word of a text, whatever the case: those whose symbol begins with it
  /// first.
  public func search(_ text: String) -> [InstrumentListing] {
    let words = text.lowercased().split(separator: " ").map(String.init)
    guard !words.isEmpty else { return [] }
    let found = listings.filter { listing in
      let haystack = "\(listing.symbol.text) \(listing.name)".lowercased()
      return words.allSatisfy(haystack.contains)
    }
    func isFirst(_ listing: InstrumentListing) -> Bool {
      let symbol = listing.symbol.text.lowercased()
      return symbol.hasPrefix(words[0]) || symbol.drop { $0 != ":" }.dropFirst().hasPrefix(words[0])
    }
    return found.filter(isFirst) + found.filter { !isFirst($0) }
  }

  static func openStore(_ configuration: FeedConfiguration) throws(Fault) -> CandleStore {
    do {
      try FileManager.default.createDirectory(
        atPath: configuration.dataDirectory, withIntermediateDirectories: true)
    } catch {
      throw Fault(
        .cannotCreate,
        "cannot create data_directory '\(configuration.dataDirectory)': \(error.localizedDescription)")
    }
    return try CandleStore(path: configuration.dataDirectory + "/candles.sqlite", mode: .readWrite)
  }
}
