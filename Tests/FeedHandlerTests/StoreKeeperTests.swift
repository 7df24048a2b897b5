import CandleStore
import Foundation
import Logging
import MarketData
import SharedRing
import Testing

@testable import FeedHandler

@Suite struct StoreKeeperTests {
  /// 09:15 on the 23rd of November 2026.
  private static let opening = Timestamp(seconds: 1_795_405_500)
  private static let day = 86_400 * Timestamp.nanosecondsPerSecond

  @Test func whatIsTooOldGoesAtTheStartAndAfterMidnight() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "keeper-\(UUID().uuidString)"
    ).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
    _ = try store.instrumentIDs(for: [(try Symbol("NSE:INFY"), "1", Price(units: 50_000_000), 1)])
    try store.upsert((0..<4).map { Self.candle(Self.opening + $0 * Self.day) })
    let segment = try FeedSegment(
      feed: "keeper-\(UUID().uuidString.prefix(8).lowercased())", instrumentsMax: 16,
      controlSocket: directory + "/control",
      dataDirectory: directory)
    defer { segment.unlink() }

    // A day takes 144 ms, and it is noon of the fourth: the start takes the first two, later midnights the others.
    let clock = FeedClock(
      feedOrigin: Self.opening + 3 * Self.day + Self.day / 8, wallOrigin: .wallClock(), speed: 600_000)
    let keeper = try #require(
      StoreKeeper(
        store: store, retention: CandleRetention(minuteDays: 2), segment: segment, clock: clock,
        logger: Logger(label: "keeper")))
    let thread = WorkThread(name: "keeper") { keeper.run() }
    thread.start()
    let deadline = Date.now + 30
    while segment.value(.pruned) < 4, Date.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    keeper.stop()
    await thread.waitForEnd()
    #expect(segment.value(.pruned) == 4)
    #expect(try store.counts().candles == 0)
  }

  @Test func aStoreThatKeepsEverythingNeedsNoKeeper() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "keeper-\(UUID().uuidString)"
    ).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
    let segment = try FeedSegment(
      feed: "keeper-\(UUID().uuidString.prefix(8).lowercased())", instrumentsMax: 16,
      controlSocket: directory + "/control",
      dataDirectory: directory)
    defer { segment.unlink() }
    #expect(
      StoreKeeper(
        store: store, retention: CandleRetention(), segment: segment, clock: .system,
        logger: Logger(label: "keeper")) == nil)
  }

  private static func candle(_ start: Timestamp) -> Candle {
    let price = Price(units: 100_000_000_000)
    return Candle(
      instrument: InstrumentID(rawValue: 0), interval: .minute, start: start, open: price, high: price,
      low: price,
      close: price, volume: 1, state: .final, origin: .built)
  }
}
