internal import ArgumentParser
internal import FeedHandler
internal import Foundation
internal import Logging
internal import MarketData

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Past candles of the venue.", subcommands: [HistoryLoadCommand.self])
}

struct HistoryLoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Fetch a range of the venue's candles into the feed's store.",
    discussion: """
      Only what the store lacks is asked for, and what was stored is not asked for again: after a failure or Ctrl-C the \
      same command goes on where it stopped. The venue's rate limits are kept. Candles that are still running are left \
      out.
      """)

  @Option(help: "Configuration file of the feed.") var config: String
  @Option(help: "First day or instant: 2026-11-02 or 2026-11-02T09:15:00+05:30.") var from: String
  @Option(help: "Last day, or instant at which to end; now when left out.") var to: String?
  @Option(
    name: .customLong("symbol"),
    help: "An instrument, as in NSE:INFY; several may be named. Those configured when none is.")
  var symbols: [String] = []
  @Option(help: "Length of the candles: 1m, 5m, 1d, …, as far as the venue keeps them.") var interval = "1m"
  @Flag(help: "Ask also for what is there.") var force = false
  @Flag(help: "Print JSON.") var json = false

  private struct Answer: Encodable {
    var instruments: Int
    var requests: Int
    var candles: Int
    var failed: Int
    var stopped: Bool
  }

  func run() async throws {
    let configuration = try loadConfiguration(config)
    guard let first = try Timestamp.parse(from, option: "--from") else { return }
    let last = try Timestamp.parse(to, option: "--to", isEnd: true) ?? .wallClock()
    guard first < last else {
      throw Fault(
        .usage, "the range from \(first.rfc3339) to \(last.rfc3339) holds nothing; --to must be later")
    }
    var order = HistoryBackfill.Order(from: first, to: last)
    order.interval = try Interval(named: interval)
    order.isForced = force
    if !symbols.isEmpty {
      var named: [Symbol] = []
      for text in symbols { named.append(try Symbol(text)) }
      order.symbols = named
    }
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "tickring.history")
    logger.logLevel = .warning
    let stop = StopSignal()
    let backfill = HistoryBackfill(
      configuration: configuration, environment: ProcessInfo.processInfo.environment, logger: logger)
    var bar: ProgressBar?
    let report = try backfill.run(order, until: { stop.isRaised }) { progress in
      if bar == nil { bar = ProgressBar("history", total: progress.total) }
      bar?.show(progress.done)
    }
    bar?.end()
    try show(report)
  }

  private func show(_ report: HistoryBackfill.Report) throws {
    let done = report.progress
    if json {
      try Console.json(
        Answer(
          instruments: report.instruments, requests: done.total, candles: done.candles,
          failed: report.failures.count, stopped: report.isStopped))
    } else if done.total == 0 {
      Console.line("nothing is missing of \(Format.count(report.instruments)) instruments")
    } else {
      let failed = report.failures.count
      Console.line(
        "\(Format.count(done.candles)) candles of \(Format.count(report.instruments)) instruments stored, "
          + "\(Format.count(done.done)) of \(Format.count(done.total)) requests "
          + (failed == 0 ? "done" : "made; parts that failed: \(Format.count(failed))"))
    }
    for failure in report.failures { Console.error(failure.message) }
    if report.isStopped {
      Console.error("stopped before the end; the same command goes on from here")
      throw ExitCode(Fault.Kind.checkFailed.rawValue)
    }
    if let failure = report.failures.first { throw ExitCode(failure.kind.rawValue) }
  }
}
