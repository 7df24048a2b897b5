import Foundation
import MarketData
import Testing

@testable import CandleStore

/// What is known of the past: stretches that were fetched, and lists of instruments.
@Suite struct HistoryStoreTests {
  private let fixture: StoreFixture
  private var store: CandleStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  // MARK: Coverage

  private func cover(_ from: Int64, _ to: Int64, instrument: UInt32 = 0, candles: [Int64] = []) throws {
    try store.storeHistory([
      HistoryPart(
        instrument: InstrumentID(rawValue: instrument), interval: .minute,
        range: StoreFixture.minute(from)..<StoreFixture.minute(to),
        candles: candles.map { StoreFixture.candle($0, instrument: instrument, origin: .venue) })
    ])
  }

  private func coverage(_ instrument: UInt32 = 0, _ interval: Interval = .minute) throws -> [[Int64]] {
    try store.historyCoverage(of: InstrumentID(rawValue: instrument), interval: interval).map { range in
      [range.lowerBound, range.upperBound].map { ($0 - StoreFixture.minute(0)) / Interval.minute.nanoseconds }
    }
  }

  @Test func stretchesThatTouchBecomeOne() throws {
    #expect(try coverage().isEmpty)
    try cover(10, 20, candles: [10, 12])
    try cover(30, 40)
    #expect(try coverage() == [[10, 20], [30, 40]])
    try cover(20, 25)
    #expect(try coverage() == [[10, 25], [30, 40]])
    try cover(12, 18)
    #expect(try coverage() == [[10, 25], [30, 40]])
    try cover(0, 10)
    try cover(24, 31)
    #expect(try coverage() == [[0, 40]])
    #expect(try coverage(1).isEmpty)
    #expect(try coverage(0, .day).isEmpty)
    #expect(try fixture.all().count == 2)
  }

  @Test func anyOrderOfStretchesGivesTheirUnion() throws {
    var generator = SystemRandomNumberGenerator()
    for instrument in 0..<3 as Range<UInt32> {
      var covered = Set<Int64>()
      for _ in 0..<40 {
        let from = Int64.random(in: 0..<300, using: &generator)
        let to = from + Int64.random(in: 1...30, using: &generator)
        covered.formUnion(from..<to)
        try cover(from, to, instrument: instrument)
      }
      let ranges = try coverage(instrument)
      #expect(Set(ranges.flatMap { Array($0[0]..<$0[1]) }) == covered)
      for (left, right) in zip(ranges, ranges.dropFirst()) { #expect(left[1] < right[0]) }
    }
  }

  @Test func candlesThatCannotBeStoredCoverNothing() throws {
    #expect(throws: Fault.self) { try self.cover(0, 5, instrument: 9, candles: [1]) }
    #expect(try coverage(9).isEmpty)
  }

  @Test func onlyWholeSealedMinutesAreKnownWithoutHavingBeenFetched() throws {
    var partial = StoreFixture.candle(3)
    partial.flags = [.partial]
    var thin = StoreFixture.candle(5)
    thin.coverage = 40
    try store.upsert([
      StoreFixture.candle(0), StoreFixture.candle(1), partial, StoreFixture.candle(4), thin,
      StoreFixture.candle(7, state: .provisional), StoreFixture.candle(8, origin: .imported),
      StoreFixture.candle(9, origin: .venue), StoreFixture.candle(9),
    ])
    let ranges = try store.wholeMinutes(
      of: InstrumentID(rawValue: 0), in: StoreFixture.minute(1)..<StoreFixture.minute(100))
    #expect(
      ranges == [
        StoreFixture.minute(1)..<StoreFixture.minute(2), StoreFixture.minute(4)..<StoreFixture.minute(5),
        StoreFixture.minute(8)..<StoreFixture.minute(10),
      ])
  }

  @Test func whatIsPrunedIsUnknownAgain() throws {
    let day: Int64 = 1440
    try cover(0, 3 * day, candles: [0, 2 * day])
    let now = StoreFixture.minute(3 * day)
    #expect(try store.prune(CandleRetention(minuteDays: 2), now: now) == 1)
    #expect(try coverage() == [[day, 3 * day]])
    _ = try store.prune(CandleRetention(minuteDays: 1), now: now + 5 * day * Interval.minute.nanoseconds)
    #expect(try coverage().isEmpty)
  }

  // MARK: Lists of instruments

  private func listing(_ symbol: String, lot: Int64 = 1, expiry: Int? = nil) throws -> InstrumentListing {
    InstrumentListing(
      symbol: try Symbol(symbol), venueToken: "7", name: "Name, of \(symbol)",
      type: expiry == nil ? "EQ" : "CE",
      priceTick: Price(units: 50_000_000), priceScale: 100, lotSize: lot, expiryDay: expiry,
      strike: expiry == nil ? nil : Price(units: 1))
  }

  private func record(_ listings: [InstrumentListing], day: Int) throws -> ListingChanges {
    try store.recordListings(
      listings, of: "kite", day: day, fetched: Timestamp(seconds: Int64(day) * 86_400 + 1))
  }

  @Test func eachDaysListIsKeptAndOnlyDifferencesTakeRoom() throws {
    let (a, b, c) = (try listing("NSE:A"), try listing("NSE:B"), try listing("NFO:C", expiry: 20_700))
    #expect(try store.listings(of: "kite") == nil)
    #expect(try record([a, b, c, a], day: 10) == ListingChanges(added: 3))
    #expect(try record([a, b, c], day: 11) == ListingChanges())
    let larger = try listing("NSE:B", lot: 25)
    #expect(try record([larger, a], day: 13) == ListingChanges(changed: 1, removed: 1))
    #expect(try record([a, larger, c], day: 14) == ListingChanges(added: 1))
    #expect(
      try record([a, larger], day: 14) == ListingChanges(removed: 1), "a list of the same day is replaced")

    func symbols(_ day: Int) throws -> [InstrumentListing]? {
      try store.listings(of: "kite", onOrBefore: day)?.listings
    }
    #expect(try symbols(9) == nil)
    #expect(try symbols(10) == [c, a, b])
    #expect(try symbols(12) == [c, a, b], "the last list before")
    #expect(try symbols(13) == [a, larger])
    #expect(try symbols(.max) == [a, larger])
    #expect(try store.listingDays(of: "kite") == [10, 11, 13, 14])
    #expect(try store.listings(of: "other") == nil)
    #expect(try store.statistics().rows["listings"] == 4)
    #expect(try store.latestListingTime(of: "kite") == Timestamp(seconds: 14 * 86_400 + 1))
  }

  @Test func aListFromThePastIsNotTaken() throws {
    _ = try record([try listing("NSE:A")], day: 10)
    #expect(try record([try listing("NSE:B")], day: 9) == ListingChanges())
    #expect(try store.listings(of: "kite")?.listings.map(\.symbol.text) == ["NSE:A"])
  }

  @Test func oldListsAreForgottenButNeverTheLatest() throws {
    _ = try record([try listing("NSE:A"), try listing("NSE:B")], day: 10)
    _ = try record([try listing("NSE:B")], day: 12)
    try store.removeListings(before: 12)
    #expect(try store.listingDays(of: "kite") == [12])
    #expect(try store.statistics().rows["listings"] == 1)
    try store.removeListings(before: 500)
    #expect(try store.listings(of: "kite")?.listings.map(\.symbol.text) == ["NSE:B"])
  }
}
