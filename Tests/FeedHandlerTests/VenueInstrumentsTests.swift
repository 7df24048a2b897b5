import CandleStore
import Configuration
import Foundation
import Logging
import MarketData
import Testing

@testable import FeedHandler

/// Looking instruments up: what is kept needs neither credentials nor a venue.
@Suite final class VenueInstrumentsTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tickring-listings-\(UUID())"
  ).path
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// A feed of a venue at an address where nobody listens.
  private func configuration(_ venue: String) throws -> FeedConfiguration {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let text = """
      feed: nse
      source: {venue: \(venue), websocket_url: "ws://127.0.0.1:9", api_url: "http://127.0.0.1:9"}
      credentials: {directory: \(directory)/tokens}
      instruments: all
      data_directory: \(directory)
      """
    return try FeedConfiguration.parse(text, file: "feed.yaml")
  }

  @Test(arguments: ["kite", "angelone", "openalgo"])
  func aKeptListIsShownWithoutCredentials(venue: String) throws {
    let configuration = try configuration(venue)
    let now = Timestamp.wallClock()
    let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
    let listing = InstrumentListing(
      symbol: try Symbol("NSE:RELIANCE"), venueToken: "2885", priceTick: Price(units: 50_000_000), lotSize: 1)
    _ = try store.recordListings([listing], of: venue, day: CivilTime(now).dayNumber, fetched: now)
    try store.close()

    let kept = try VenueInstruments(configuration, environment: [:], logger: logger)
    #expect(kept.listings.map(\.symbol.text) == ["NSE:RELIANCE"] && kept.staleness == nil)
  }

  @Test func aListThatNeedsCredentialsNamesThem() throws {
    let configuration = try configuration("openalgo")
    let fault = #expect(throws: Fault.self) {
      try VenueInstruments(configuration, environment: [:], logger: self.logger)
    }
    #expect(fault?.kind == .configuration)
    #expect(fault?.message.contains("TICKRING_OPENALGO_API_KEY is not set") == true)
  }

  @Test(arguments: [
    ("angelone", "TICKRING_ANGELONE_PIN is not set"), ("openalgo", "TICKRING_OPENALGO_API_KEY"),
  ])
  func aFeedIsToldAtItsStartWhichCredentialsAreMissing(venue: String, words: String) throws {
    let venue = try Venue(try configuration(venue), environment: [:])
    let fault = #expect(throws: Fault.self) { try venue.checkCredentials() }
    #expect(fault?.kind == .configuration && fault?.message.contains(words) == true)
  }
}
