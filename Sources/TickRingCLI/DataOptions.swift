internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MarketData

/// Says where a feed keeps its data: through its configuration file, or the directory itself.
struct DataOptions: ParsableArguments {
  @Option(help: "Configuration file of the feed.") var config: String?
  @Option(help: "Data directory of the feed, instead of a configuration file.") var data: String?

  func validate() throws {
    guard (config == nil) != (data == nil) else {
      throw ValidationError("name the feed's data by either --config FILE or --data DIRECTORY")
    }
  }

  /// The directory that holds candles.sqlite and archive/.
  func directory() throws(Fault) -> String {
    if let data { return data }
    return try loadConfiguration(config ?? "").dataDirectory
  }

  func candlesFile() throws(Fault) -> String { try directory() + "/candles.sqlite" }

  func archiveDirectory() throws(Fault) -> String { try directory() + "/archive" }
}

extension Timestamp {
  /// An instant from the command line: RFC 3339, a zone included, or a date, which stands for the beginning of that day in
  /// India, or as the end of a range for the beginning of the next.
  static func parse(_ text: String?, option: String, isEnd: Bool = false) throws(Fault) -> Timestamp? {
    guard let text else { return nil }
    if let day = CivilTime.dayNumber(date: text) {
      return CivilTime(dayNumber: isEnd ? day + 1 : day).timestamp()
    }
    guard let instant = Timestamp(rfc3339: text) else {
      // Most who forget the zone mean India's; say what to write rather than guess.
      if Timestamp(rfc3339: text + "+05:30") != nil {
        throw Fault(
          .usage, "\(option) '\(text)' has no zone: write \(text)+05:30 for India's time, or \(text)Z for UTC"
        )
      }
      throw Fault(
        .usage,
        "\(option) '\(text)' is neither a date, as in 2026-11-23, nor a time with its zone, as in "
          + "2026-11-23T09:15:00+05:30")
    }
    return instant
  }
}

/// A range of time on the command line.
struct RangeOptions: ParsableArguments {
  @Option(help: "First instant or day, as in 2026-11-23T09:15:00+05:30 or 2026-11-23.") var from: String?
  @Option(help: "Instant at which the range ends, or its last day.") var to: String?

  func parse() throws(Fault) -> (from: Timestamp?, to: Timestamp?) {
    let from = try Timestamp.parse(from, option: "--from")
    let to = try Timestamp.parse(to, option: "--to", isEnd: true)
    if let from, let to, from >= to {
      throw Fault(
        .usage, "the range from \(from.rfc3339) to \(to.rfc3339) runs backwards; --from must lie before --to")
    }
    return (from, to)
  }
}

/// Reads a configuration file; of several faults the first is told, and that `config check` lists them all.
func loadConfiguration(_ path: String) throws(Fault) -> FeedConfiguration {
  do {
    return try FeedConfiguration.load(path: path)
  } catch {
    guard error.all.count > 1 else { throw error.fault }
    throw Fault(
      error.fault.kind,
      "\(error.fault.message) (and \(error.all.count - 1) more: see `tickring config check`)")
  }
}
