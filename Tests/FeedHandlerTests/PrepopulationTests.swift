import CandleStore
import Foundation
import Logging
import MarketData
import Synchronization
import Testing
import TradingCalendar

@testable import FeedHandler

/// Loading the past into a real store: what is missing and nothing else, whatever ended the run before.
@Suite final class PrepopulationTests {
  /// A source that has a candle for every second minute, and notes what it is asked for.
  private final class FakeSource: CandleSource, Sendable {
    let asked = Mutex<[CandleRequest]>([])
    /// Fails for the instruments of these numbers.
    let failing = Mutex<[UInt32: Fault]>([:])

    func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp) throws(Fault)
      -> [Candle]
    {
      asked.withLock { $0.append(CandleRequest(instrument, interval: interval, from: from, to: to)) }
      if let fault = failing.withLock({ $0[instrument.id.rawValue] }) { throw fault }
      return stride(from: from.seconds, to: to.seconds, by: 60).filter { $0 / 60 % 2 == 0 }.map {
        Candle(
          instrument: instrument.id, interval: interval, start: Timestamp(seconds: $0), open: Price(units: 1),
          high: Price(units: 1), low: Price(units: 1), close: Price(units: 1), volume: 1, origin: .venue)
      }
    }

    func takeAsked() -> [CandleRequest] {
      asked.withLock { asked in
        defer { asked = [] }
        return asked
      }
    }
  }

  private final class Flag: Sendable {
    let isRaised = Mutex(false)
  }

  private let directory: String
  private let store: CandleStore
  private let source = FakeSource()
  private let instruments: [Instrument]
  private let stopping = Flag()

  /// Wednesday, 28 January 2026, 11:30:30; the days before are Tuesday, and Friday (Monday is a holiday).
  private let now = CivilTime(year: 2026, month: 1, day: 28, hour: 11, minute: 30, second: 30).timestamp()

  init() throws {
    directory =
      FileManager.default.temporaryDirectory.appendingPathComponent("tickring-history-\(UUID())").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
    instruments = try store.instrumentIDs(
      for: try ["NSE:A", "NSE:B", "NSE:C"].map { (try Symbol($0), "1", Price(units: 1), 1) })
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func run(sessions: Int = 2, at time: Timestamp? = nil) throws(Fault) -> Timestamp? {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try Prepopulation(
      source: source, store: store, schedule: TradingCalendar.shipped, logger: logger,
      shouldStop: { [stopping] in stopping.isRaised.withLock { $0 } }, progress: nil
    ).run(instruments, sessions: sessions, now: time ?? now)
  }

  private func minutes(_ instrument: Int, origin: CandleOrigin? = nil) throws -> [Candle] {
    try store.candles(
      of: instruments[instrument].id, interval: .minute, from: Timestamp(nanoseconds: 0),
      to: Timestamp(nanoseconds: .max), origin: origin)
  }

  @Test func whatIsMissingIsLoadedOnceAndMinutesWithoutTradesAreNotAskedForAgain() throws {
    let end = try run()
    #expect(end == CivilTime(year: 2026, month: 1, day: 28, hour: 11, minute: 30).timestamp())
    let asked = source.takeAsked()
    #expect(asked.map(\.instrument) == instruments, "the sessions follow each other: one request each")
    #expect(
      asked[0].from == CivilTime(year: 2026, month: 1, day: 23, hour: 9, minute: 15).timestamp()
        && asked[0].to == end)
    #expect(try minutes(0).count > 400)
    #expect(try run() == end)
    #expect(source.takeAsked().isEmpty)
    let later = now + 7 * Interval.minute.nanoseconds
    #expect(try run(at: later) == later + -30 * Timestamp.nanosecondsPerSecond)
    #expect(source.takeAsked().map { ($0.to - $0.from) / Interval.minute.nanoseconds } == [7, 7, 7])
  }

  @Test func moreSessionsAskForTheEarlierOnesOnly() throws {
    _ = try run(sessions: 1)
    _ = source.takeAsked()
    _ = try run(sessions: 2)
    for request in source.takeAsked() {
      #expect(CivilTime(request.from).dateText == "2026-01-23")
      #expect(request.to == CivilTime(year: 2026, month: 1, day: 23, hour: 15, minute: 30).timestamp())
    }
  }

  @Test func minutesThatTheLiveFeedBuiltWholeAreNotAskedFor() throws {
    _ = try run()
    _ = source.takeAsked()
    // The feed ran from 11:30 to 11:40, with a hole at 11:34, and is started again at 11:45:30.
    let begin = CivilTime(year: 2026, month: 1, day: 28, hour: 11, minute: 30).timestamp()
    func minute(_ number: Int64) -> Timestamp { begin + number * Interval.minute.nanoseconds }
    let built = (0..<10 as Range<Int64>).map { number in
      Candle(
        instrument: instruments[1].id, interval: .minute, start: minute(number), open: Price(units: 1),
        high: Price(units: 1), low: Price(units: 1), close: Price(units: 1), volume: 1,
        coverage: number == 4 ? 50 : 100, flags: number == 4 ? [.partial] : [], origin: .built)
    }
    try store.upsert(built)
    _ = try run(at: minute(15) + 30 * Timestamp.nanosecondsPerSecond)
    let asked = source.takeAsked()
    let ofB = asked.filter { $0.instrument.symbol.text == "NSE:B" }
    #expect(ofB.map(\.from) == [minute(4), minute(10)])
    #expect(ofB.map(\.to) == [minute(5), minute(15)])
    #expect(asked.filter { $0.instrument.symbol.text == "NSE:A" }.map(\.from) == [minute(0)])
  }

  @Test func whatFailedIsAskedForByTheNextStartAlone() throws {
    source.failing.withLock { $0[1] = Fault(.unavailable, "no") }
    #expect(try run() == nil, "the seam is not closed for all")
    _ = source.takeAsked()
    #expect(try minutes(1).isEmpty)
    #expect(try !minutes(2).isEmpty)
    source.failing.withLock { $0 = [:] }
    #expect(try run() != nil)
    #expect(source.takeAsked().map(\.instrument.symbol.text) == ["NSE:B"])
  }

  @Test func deadCredentialsEndTheStartButKeepWhatWasLoaded() throws {
    source.failing.withLock { $0[1] = Fault(.refused, "dead") }
    let fault = #expect(throws: Fault.self) { _ = try self.run() }
    #expect(fault?.kind == .refused)
    #expect(try !minutes(0).isEmpty)
  }

  @Test func aStopLeavesTheRestForTheNextStart() throws {
    stopping.isRaised.withLock { $0 = true }
    #expect(try run() == nil)
    #expect(source.takeAsked().isEmpty)
    stopping.isRaised.withLock { $0 = false }
    #expect(try run() != nil)
  }

  // MARK: Lists of instruments

  private func master(_ download: @escaping () throws(Fault) -> [InstrumentListing]) -> InstrumentMaster {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return InstrumentMaster(venue: "kite", download: download, store: store, logger: logger, isReused: true)
  }

  @Test func aListIsDownloadedOnceADayAndServesWhenTheVenueDoesNot() throws {
    let listing = InstrumentListing(
      symbol: try Symbol("NSE:A"), venueToken: "1", priceTick: Price(units: 1), lotSize: 1)
    let downloads = Mutex(0)
    let good = master {
      downloads.withLock { $0 += 1 }
      return [listing]
    }
    let down = master { () throws(Fault) in throw Fault(.unavailable, "down") }
    let fault = #expect(throws: Fault.self) { _ = try down.snapshot(now: self.now) }
    #expect(fault == Fault(.unavailable, "down"))
    #expect(try good.snapshot(now: now).isNew)
    #expect(try !good.snapshot(now: now + 3600 * Timestamp.nanosecondsPerSecond).isNew)
    #expect(downloads.withLock { $0 } == 1)
    #expect(try good.snapshot(now: now, isForced: true).isNew)
    let tomorrow = now + Interval.day.nanoseconds
    let stale = try down.snapshot(now: tomorrow)
    #expect(stale.listings == [listing] && stale.staleness?.message == "down" && stale.fetched == now)
    #expect(try good.snapshot(now: tomorrow).isNew)
    let empty = master { [] }
    #expect(
      try empty.snapshot(now: tomorrow + Interval.day.nanoseconds).staleness?.kind == .protocolViolation)
  }

  @Test func aListOfBeforeTheMorningIsYesterdays() {
    func at(_ day: Int, _ hour: Int, _ minute: Int = 0) -> Timestamp {
      CivilTime(year: 2026, month: 1, day: day, hour: hour, minute: minute).timestamp()
    }
    #expect(InstrumentMaster.isFresh(at(28, 9), at: at(28, 15)))
    #expect(InstrumentMaster.isFresh(at(28, 9), at: at(29, 8, 29)))
    #expect(!InstrumentMaster.isFresh(at(28, 9), at: at(29, 8, 30)))
    #expect(!InstrumentMaster.isFresh(at(28, 7), at: at(28, 9)))
    #expect(!InstrumentMaster.isFresh(at(28, 10), at: at(28, 9)), "a clock that went back proves nothing")
  }
}
