import Foundation
import Testing

/// `tickring candles build` and `tickring calendar`, as anyone who checks our semantics would use them.
@Suite struct CandleToolsTests {
  /// The worked example of the candle rules, received when it was stamped; 09:15:00 is 1 795 405 500 s.
  private static let example = """
    receive_time_ns,exchange_time_ns,last_trade_time_ns,symbol,price,volume,last_quantity,open_interest,flags
    1795405558000000000,1795405558000000000,1795405558000000000,NSE:X,99.90,1000,1,0,
    1795405559000000000,1795405559000000000,1795405559000000000,NSE:X,100.00,1010,10,0,
    1795405560000000000,1795405560000000000,1795405559000000000,NSE:X,100.05,1012,2,0,
    1795405561000000000,1795405561000000000,1795405559000000000,NSE:X,100.05,1012,2,0,
    1795405562000000000,1795405562000000000,1795405561000000000,NSE:X,99.95,1020,8,0,
    1795405562500000000,1795405562500000000,1795405558000000000,NSE:X,99.90,1021,1,0,
    1795405565000000000,1795405565000000000,1795405557000000000,NSE:X,100.20,1023,2,0,

    """

  @Test func theWorkedExampleComesOutAsItIsWritten() throws {
    let outcome = try Tool.run(["candles", "build", "--ticks", "-", "--interval", "1m"], input: Self.example)
    #expect(outcome.code == 0)
    let lines = outcome.output.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(
      lines.first?.joined(separator: ",").hasPrefix("symbol,interval,start,open,high,low,close,volume,")
        == true)
    /// Open to volume, state and revision of each line.
    let states = lines.dropFirst().map { fields in
      ([String(fields[2].dropFirst(11).prefix(5))] + fields[3...7].map(String.init)
        + fields[13...14].map(String.init))
        .joined(separator: " ")
    }
    for expected in [
      "09:15 100 100 100 100 10 forming 0", "09:15 100 100.05 100 100.05 12 provisional 0",
      "09:16 99.95 99.95 99.95 99.95 8 forming 0", "09:15 99.9 100.05 99.9 100.05 13 final 0",
      "09:15 100.2 100.2 99.9 100.05 15 revised 1",
    ] {
      #expect(states.contains(expected), "\(expected) in \(states)")
    }
    let final = try Tool.run(["candles", "build", "--ticks", "-", "--final", "--json"], input: Self.example)
    #expect(final.output.split(separator: "\n").count == 2)
  }

  @Test func ticksThatAreInNoCandleAreCountedAndTheFirstIsNamed() throws {
    let header = Self.example.split(separator: "\n")[0]
    func line(_ second: Int, _ traded: Int, _ price: String, _ volume: Int) -> String {
      "\(1_795_405_500 + second)000000000,,\(1_795_405_500 + traded)000000000,NSE:X,\(price),\(volume),1,0,\n"
    }
    let ticks =
      line(1, 1, "100", 10) + line(2, 2, "0", 12) + line(3, 3, "-5.05", 13) + line(4, 4, "101", 14)
      + line(100_000, 100_000, "102", 15) + line(100_001, 5, "103", 16)
    let outcome = try Tool.run(["candles", "build", "--ticks", "-", "--final"], input: "\(header)\n" + ticks)
    #expect(outcome.code == 0)
    #expect(outcome.output.split(separator: "\n").dropFirst().allSatisfy { !$0.contains("-5.05") })
    #expect(
      outcome.errors.contains(
        "note: 2 of the ticks have no positive price and are in no candle, the first in standard input line 3\n"
      ),
      "\(outcome)")
    #expect(
      outcome.errors.contains("note: 1 of the ticks came too late for every candle that could still change"),
      "\(outcome)")
    let sound = try Tool.run(["candles", "build", "--ticks", "-"], input: Self.example)
    #expect(sound.errors.isEmpty, "\(sound)")
  }

  @Test func aMissingFileIsSaidBeforeAnyOutput() throws {
    let outcome = try Tool.run(["candles", "build", "--ticks", "/nonexistent.csv"])
    #expect(outcome.code == 66)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("/nonexistent.csv"))
  }

  @Test func anEmptyFileAndADirectoryAreToldAsWhatTheyAre() throws {
    let empty = try Tool.run(["candles", "build", "--ticks", "-"], input: "")
    #expect(empty.code == 65)
    #expect(empty.errors.contains("is empty; a header is expected"))
    let directory = try Tool.run(["candles", "build", "--ticks", "/"])
    #expect(directory.code == 66)
    #expect(directory.errors.contains("is a directory"))
  }

  @Test func aWrongIntervalAndAWrongLineAreOneSentence() throws {
    let interval = try Tool.run(
      ["candles", "build", "--ticks", "-", "--interval", "7m"], input: Self.example)
    #expect(interval.code == 64)
    #expect(interval.errors.contains("there is no interval '7m'"))
    let header = Self.example.split(separator: "\n")[0]
    let line = try Tool.run(
      ["candles", "build", "--ticks", "-"], input: "\(header)\n1,2,3,NSE:X,abc,1,1,0,\n")
    #expect(line.code == 65)
    #expect(line.errors.contains("line 2"))
  }

  @Test func theCalendarNamesSessionsHolidaysAndItsOwnEnd() throws {
    let day = try Tool.run(["calendar", "2026-11-23", "--closing-auction"])
    #expect(day.code == 0)
    #expect(day.output.contains("09:15") && day.output.contains("closing-auction"))
    let json = try Tool.run(["calendar", "2026-11-23", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(object?["open"] as? Bool == true)
    let holiday = try Tool.run(["calendar", "2026-01-26"])
    #expect(holiday.code == 0)
    #expect(holiday.output.contains("Republic Day"))
    let next = try Tool.run(["calendar", "2026-01-25", "--next"])
    #expect(next.output.contains("2026-01-27"))
    let beyond = try Tool.run(["calendar", "2031-01-01"])
    #expect(beyond.code == 78)
    #expect(beyond.errors.contains("past the end of the trading calendar"))
    let segment = try Tool.run(["calendar", "2026-11-23", "--segment", "cahs"])
    #expect(segment.code == 64)
    #expect(segment.errors.contains("did you mean cash?"))
  }
}
