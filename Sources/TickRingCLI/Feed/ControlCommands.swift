internal import ArgumentParser
internal import FeedControl
internal import MarketData
internal import SharedRing

/// Names a running feed, by which its control socket is found.
struct FeedOptions: ParsableArguments {
  @Option(help: "Name of the feed, as in its configuration.")
  var feed: String

  private static let restart = "start `tickring ingest` again"

  /// As ``controlClient()``, for a feed that is replayed: where there is none, no feed handler would help.
  func replayClient() throws(Fault) -> ControlClient {
    let start = "start one by `tickring replay --feed \(feed)`"
    switch try FeedView.state(feed: feed) {
    case .absent: throw Fault(.unavailable, "there is no replay as feed '\(feed)'; \(start)")
    case .staleProducer: throw Fault(.unavailable, "the replay as feed '\(feed)' has ended; \(start)")
    default: return try controlClient()
    }
  }

  func controlClient() throws(Fault) -> ControlClient {
    let view = try FeedView(feed: feed)
    guard view.isProducerAlive else {
      if view.state == .halted {
        let reason = view.haltReason ?? "no reason given"
        // Some reasons say so themselves.
        let advice = reason.hasSuffix(Self.restart) ? "" : "; it ended: \(Self.restart)"
        throw Fault(.unavailable, "feed '\(feed)' halted: \(reason)\(advice)")
      }
      throw Fault(
        .unavailable,
        "feed '\(feed)' was left by process \(view.producerPID), which died; \(Self.restart)")
    }
    return try ControlClient(path: view.controlSocket)
  }
}

struct ObserveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "observe", abstract: "Ask the venue for more instruments while the feed runs.")

  @OptionGroup var options: FeedOptions
  @Argument(help: "Symbols such as NSE:RELIANCE.") var symbols: [String]
  @Option(help: "How much of them: ltp, quote or full; what is configured unless given.") var mode: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try report(options.controlClient().observe(symbols, mode: mode), json)
  }
}

struct UnobserveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unobserve",
    abstract: "Stop asking the venue for instruments that no strategy observes.")

  @OptionGroup var options: FeedOptions
  @Argument(help: "Symbols such as NSE:RELIANCE.") var symbols: [String]
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try report(options.controlClient().unobserve(symbols), json)
  }
}

private func report(_ answer: ObserveAnswer, _ json: Bool) throws(Fault) {
  if json { return try Console.json(answer) }
  Console.line("\(answer.observed) by request, \(answer.union) in all are asked of the venue")
}

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what a feed handler is doing.",
    discussion: "Exit code 69 when the feed does not run, 1 when it has halted.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let view = try FeedView(feed: options.feed)
    let halt = view.haltReason.map { Fault(.checkFailed, "feed '\(options.feed)' halted: \($0)") }
    // A feed that ended with its HALT cannot be asked any more.
    if let halt, !view.isProducerAlive { throw halt }
    let status: ControlStatus
    do {
      status = try options.controlClient().status()
    } catch {
      // One that is ending answers no questions any more.
      throw halt ?? error
    }
    if json {
      try Console.json(status)
    } else {
      show(status, view)
    }
    if let halt { throw halt }
  }

  private func show(_ status: ControlStatus, _ view: FeedView) {
    let receive = Timestamp(nanoseconds: Int64(bitPattern: view.value(.receiveTime)))
    Console.line("feed \(status.feed)  process \(status.pid)  \(status.state)  epoch \(view.epoch)")
    if receive.isKnown {
      let age = view.clock.now() - receive
      Console.line("latest record \(receive.rfc3339), \(Format.duration(age)) ago by the feed's clock")
    }
    for halt in status.halts ?? [] { Console.line(HaltText.line(halt)) }
    for notice in status.notices ?? [] { Console.line("attention: \(notice)") }
    if let subscriptions = status.subscriptions, !subscriptions.isEmpty {
      let counts = subscriptions.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      Console.line("subscriptions: \(counts.joined(separator: ", "))")
    }
    if let frame = status.lastBadFrame { Console.line("latest bad frame: \(frame)") }
    for lane in status.lanes {
      let reader =
        lane.isTruncated
        ? "cut short by its consumer, which must attach again"
        : lane.hasConsumer ? "being read" : "nobody reads it"
      Console.line("lane \(lane.name): observes \(lane.observed), \(reader)")
    }
    let hidden: Set<FeedCounter> = [
      .state, .instrumentVersion, .receiveTime, .streamHash, .streamHashFirst, .wallHeartbeat,
      .recorderHeartbeat, .clockVersion,
    ]
    for counter in FeedCounter.allCases where !hidden.contains(counter) {
      let value = Format.leftPadded(Format.count(view.value(counter)), 16)
      Console.line("\(value)  \(Format.padded(counter.name, 20)) \(counter.meaning)")
    }
  }
}
