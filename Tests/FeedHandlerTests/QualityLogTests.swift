import CandleStore
import Foundation
import MarketData
import Testing
import TickQuality

@testable import FeedHandler

/// What the recorder notes of the rules' verdicts: counts, bounded quarantine, and the same again from a replay.
@Suite struct QualityLogTests {
  private let instrument = InstrumentID(rawValue: 0)
  private let received = Timestamp(seconds: 1_795_405_500)

  private func record(
    _ sequence: UInt64, flags: TickFlags = [], kind: TickKind = .trade, days: Int64 = 0
  ) -> Tick {
    Tick(
      instrument: instrument, sequence: sequence, receiveTime: received + days * 86_400 * 1_000_000_000,
      exchangeTime: received, lastPrice: Price(units: 5), dayVolume: 7, lastTradeSeconds: 0, lastQuantity: 1,
      openInterest: 0, flags: flags, kind: kind)
  }

  private func withStore(_ body: (CandleStore) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "quality-\(UUID().uuidString).sqlite"
    defer {
      for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
    let store = try CandleStore(path: path, mode: .readWrite)
    _ = try store.instrumentIDs(for: [(try Symbol("NSE:A"), "1", .zero, 1)])
    try body(store)
  }

  private func log(rowsMax: Int = 100) throws -> QualityLog {
    QualityLog(
      rules: try RuleCatalogue.make(
        [RuleSetting("duplicate"), RuleSetting("stale", .reject), RuleSetting("not-positive", .correct)],
        phases: MarketPhases()), rowsMax: rowsMax)
  }

  private func take(_ records: [Tick], into log: inout QualityLog) { log.take(records.span) }

  @Test func flagsAreCountedAndRejectedRecordsKeptOnceHoweverOftenTheyAreSeen() throws {
    let records = [
      record(1), record(2, flags: [.duplicate, .withoutVolume]), record(3, flags: .duplicate),
      record(4, flags: [.duplicate, .stale], kind: .rejected),
      record(5, flags: .notPositive, kind: .original),
    ]
    try withStore { store in
      for _ in 0..<2 {
        var log = try log()
        #expect(log.isEmpty)
        take(records, into: &log)
        #expect(!log.isEmpty)
        try log.flush(to: store)
        #expect(log.isEmpty)
      }
      let day = CivilTime(received).dayNumber
      #expect(
        try store.qualityCounts(day: day) == [
          QualityCount(day: day, instrument: instrument, rule: "duplicate", flagged: 2),
          QualityCount(day: day, instrument: instrument, rule: "not-positive", corrected: 1),
          QualityCount(day: day, instrument: instrument, rule: "stale", rejected: 1),
        ])
      let kept = try store.quarantined(from: received, to: received + 1)
      #expect(kept.map(\.sequence) == [4, 5])
      #expect(kept.map(\.rule) == ["stale", "not-positive"])
      #expect(kept[0].reason.contains("after its exchange time"))
      #expect(kept[1].detail.contains("\"verdict\":\"corrected\""))
    }
  }

  @Test func whatIsBeyondTheBoundOfADayIsCountedAndTheNextDayHasRoomAgain() throws {
    try withStore { store in
      var log = try log(rowsMax: 2)
      take((1...5).map { record($0, flags: .stale, kind: .rejected) }, into: &log)
      take([record(6, flags: .stale, kind: .rejected, days: 1)], into: &log)
      try log.flush(to: store)
      let day = CivilTime(received).dayNumber
      #expect(try store.qualityCounts(day: day).map(\.rejected) == [5])
      #expect(try store.qualityCounts(day: day + 1).map(\.rejected) == [1])
      #expect(
        try store.quarantined(from: .unknown, to: Timestamp(nanoseconds: .max)).map(\.sequence) == [1, 2, 6])
    }
  }
}
