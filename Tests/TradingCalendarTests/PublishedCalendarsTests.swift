import Foundation
import MarketData
import Testing
import TradingCalendar

/// The shipped calendar beside two published ones, over all their days from 2015 to 2026. Every difference is
/// listed here with its reason; a new one fails.
@Suite(.serialized) struct PublishedCalendarsTests {
  /// Days on which we hold a session and neither package does: both know only Monday to Friday.
  private static let weekendSessions: Set<String> = [
    "2015-02-28",  // Union Budget
    "2016-10-30",  // Muhurat on a Sunday
    "2019-10-27",  // Muhurat on a Sunday
    "2020-02-01",  // Union Budget
    "2020-11-14",  // Muhurat on a Saturday
    "2023-11-12",  // Muhurat on a Sunday
    "2024-01-20",  // traded in place of Monday the 22nd
    "2024-03-02",  // two sessions, disaster-recovery exercise
    "2024-05-18",  // two sessions, disaster-recovery exercise
    "2025-02-01",  // Union Budget
    "2026-02-01",  // Union Budget on a Sunday
    "2026-11-08",  // Muhurat on a Sunday
  ]
  /// Muhurat on a weekday: a holiday but for its hour. Packages that count it as a holiday have no session.
  private static let muhurat2015To2018: Set<String> = ["2015-11-11", "2017-10-19", "2018-11-07"]
  private static let muhuratSince2021: Set<String> = ["2021-11-04", "2022-10-24", "2024-11-01", "2025-10-21"]

  /// Where we have a session and the package has none, and where it is the other way round.
  private static let expected: [String: (onlyOurs: Set<String>, onlyTheirs: Set<String>)] = [
    // No Muhurat session at all.
    "exchange_calendars XBOM": (weekendSessions.union(muhurat2015To2018).union(muhuratSince2021), []),
    // It knows the Muhurat sessions of weekdays.
    "pandas_market_calendars NSE": (weekendSessions, []),
    // Muhurat days since 2021 are plain holidays there. In 2020 it has a holiday on Friday the 31st of July (Bakri Id
    // fell on Saturday the 1st of August, and the exchanges traded) and none on the 25th of May (Id-ul-Fitr, closed).
    "pandas_market_calendars BSE": (
      weekendSessions.union(muhuratSince2021).union(["2020-07-31"]), ["2020-05-25"]
    ),
  ]

  /// Days whose hours differ, with the same day open in both.
  private static let expectedHours: [String: Set<String>] = [
    // It does not know that trading went on until 17:00 after NSE's failure.
    "exchange_calendars XBOM": ["2021-02-24"],
    // All hours agree, those of Muhurat and of 2021-02-24 included.
    "pandas_market_calendars NSE": [],
    // Muhurat days count as ordinary ones until 2018.
    "pandas_market_calendars BSE": muhurat2015To2018.union(["2021-02-24"]),
  ]

  private static let script = """
    import warnings; warnings.filterwarnings("ignore")
    import exchange_calendars as ec, pandas_market_calendars as mc
    S, E, Z = "2015-01-01", "2026-12-31", "Asia/Kolkata"
    def rows(name, frame, a, b):
        for day, row in frame.iterrows():
            print(name, day.date(), row[a].tz_convert(Z).strftime("%H:%M"), row[b].tz_convert(Z).strftime("%H:%M"),
                  sep="\\t")
    rows("exchange_calendars XBOM", ec.get_calendar("XBOM", start=S, end=E).schedule, "open", "close")
    for name in ("NSE", "BSE"):
        rows("pandas_market_calendars " + name, mc.get_calendar(name).schedule(S, E), "market_open", "market_close")
    """

  @Test func everyDifferenceFromThePublishedCalendarsIsKnown() throws {
    guard let python = PythonPackages.make(["exchange_calendars==4.13.2", "pandas_market_calendars==5.5.0"])
    else { return }
    defer { python.remove() }
    let lines = try python.run(Self.script).split(separator: "\n")
    #expect(lines.count > 8000)
    var theirs: [String: [String: String]] = [:]
    for line in lines {
      let fields = line.split(separator: "\t").map(String.init)
      theirs[fields[0], default: [:]][fields[1]] = "\(fields[2])-\(fields[3])"
    }
    #expect(Set(theirs.keys) == Set(Self.expected.keys))
    let ours = try Self.ourHours()
    for (name, days) in theirs {
      let onlyOurs = Set(ours.keys).subtracting(days.keys)
      let onlyTheirs = Set(days.keys).subtracting(ours.keys)
      let hours = Set(days.filter { ours[$0.key] != nil && ours[$0.key] != $0.value }.keys)
      #expect(onlyOurs == Self.expected[name]?.onlyOurs, "\(name): sessions that it does not know")
      #expect(onlyTheirs == Self.expected[name]?.onlyTheirs, "\(name): sessions that we do not know")
      #expect(hours == Self.expectedHours[name], "\(name): other hours")
    }
  }

  /// First open and last close of every day with a session: `09:15-15:30`.
  private static func ourHours() throws -> [String: String] {
    var result: [String: String] = [:]
    for number in try #require(TradingCalendar.shipped.range(of: .cash)) {
      let day = try TradingCalendar.shipped.tradingDay(number, of: MarketGroup(.cash))
      guard let first = day.sessions.first, let last = day.sessions.last else { continue }
      result[CivilTime(dayNumber: number).dateText] =
        "\(CivilTime(first.start).timeText.prefix(5))-\(CivilTime(last.end).timeText.prefix(5))"
    }
    return result
  }
}

/// A virtual environment with a few packages from PyPI, for one test.
struct PythonPackages {
  private let folder: URL

  /// Makes the environment; nil, after saying so, where PyPI cannot be reached.
  static func make(_ packages: [String]) -> PythonPackages? {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "tickring-python-\(UUID().uuidString)")
    let made = PythonPackages(folder: folder)
    do {
      _ = try made.call("/usr/bin/env", ["python3", "-m", "venv", folder.path])
      _ = try made.call(
        made.interpreter, ["-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1"] + packages)
      return made
    } catch {
      made.remove()
      print("skipped: \(packages.joined(separator: ", ")) cannot be installed from PyPI: \(error)")
      return nil
    }
  }

  func run(_ script: String) throws -> String { try call(interpreter, ["-c", script]) }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private var interpreter: String { folder.appending(path: "bin/python").path }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private func call(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    let errors = FileManager.default.temporaryDirectory.appending(
      path: "tickring-python-\(UUID().uuidString).log")
    _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: errors) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(try String(contentsOf: errors, encoding: .utf8).suffix(300)))
    }
    return text
  }
}
