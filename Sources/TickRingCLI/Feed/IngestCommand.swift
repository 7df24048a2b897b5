internal import ArgumentParser
internal import Configuration
internal import FeedHandler
internal import Foundation
internal import Logging
internal import MarketData
internal import Synchronization

struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest", abstract: "Run the feed handler: venue to shared memory, candles and archive.",
    discussion: """
      Credentials come from the environment, and Kite's also from `tickring login kite`; a start without them names the \
      variables that the venue needs. A token file written after the start goes before the environment. \
      Ctrl-C or SIGTERM stops it in good order; nothing that was received is lost. A second Ctrl-C ends it at once: what \
      was received waits in shared memory for the next start. SIGHUP, unless it comes from a \
      terminal that was closed, reads the configuration file again, as `tickring config reload` does.
      """)

  @Option(help: "Configuration file; `tickring config example` prints one.") var config: String
  @Flag(help: .hidden) var stopWithStandardInput = false

  /// Shows how far history has come on a terminal, where lines would only push others away.
  private static func progressBar() -> @Sendable (HistoryProgress) -> Void {
    let bar = Mutex<ProgressBar?>(nil)
    return { progress in
      bar.withLock { bar in
        if bar == nil { bar = ProgressBar("history", total: progress.total) }
        bar?.show(progress.done)
        if progress.done == progress.total { bar?.end() }
      }
    }
  }

  func run() async throws {
    let configuration = try loadConfiguration(config)
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "tickring.\(configuration.feed)")
    logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    // A closing terminal hangs up; what runs without one is told to reload that way.
    let hasTerminal = isatty(STDIN_FILENO) == 1
    let stop = StopSignal(withStandardInput: stopWithStandardInput, stopsOnHangUp: hasTerminal)
    let reload = hasTerminal ? nil : ReloadSignal()
    var handler = FeedHandler(
      configuration: configuration, configurationFile: config,
      environment: ProcessInfo.processInfo.environment,
      logger: logger)
    if isatty(STDERR_FILENO) == 1 { handler.onHistoryProgress = Self.progressBar() }
    try await handler.run(until: { stop.isRaised }, takeReload: { reload?.take() ?? false })
  }
}
