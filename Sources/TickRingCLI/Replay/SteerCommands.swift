internal import ArgumentParser
internal import FeedControl
internal import MarketData

/// Prints what a replay is doing once a request has been carried out.
private func report(_ status: ReplayStatus, _ json: Bool) throws(Fault) {
  if json { return try Console.json(status) }
  Console.line(
    "\(status.activity.rawValue) at \(Timestamp(nanoseconds: status.timeNanoseconds).rfc3339), speed \(status.speed), "
      + "\(Format.count(status.records)) records, fingerprint \(status.hash)")
}

struct ReplayStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say what a replay is doing and how far it has come.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws { try report(options.replayClient().replayStatus(), json) }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Halt a replay where it is; its clock stands still.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws { try report(options.replayClient().pauseReplay(), json) }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let a paused replay go on.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws { try report(options.replayClient().resumeReplay(), json) }
}

struct StepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Let a replay go on by some records, or some time of the recording, and pause.")

  @OptionGroup var options: FeedOptions
  @Option(help: "So many records of the whole feed; 1 when neither option is given.") var records: Int?
  @Option(help: "So much time of the recording: 250ms, 1s, 5m, 1h.") var time: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard records == nil || time == nil else { throw ValidationError("name either --records or --time") }
    guard (records ?? 1) > 0 else { throw ValidationError("--records must be at least 1") }
  }

  func run() throws {
    let nanoseconds = try time.map { text throws(Fault) in
      try Timestamp.nanoseconds(of: text, option: "--time")
    }
    let request = ReplayStepRequest(
      records: nanoseconds == nil ? records ?? 1 : nil, nanoseconds: nanoseconds)
    try report(options.replayClient().stepReplay(request), json)
  }
}

struct SeekCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seek", abstract: "Let a replay go on from another time or sequence of its range.")

  @OptionGroup var options: FeedOptions
  @Option(help: "Time to go on from, as in 2026-11-23T10:00:00+05:30.") var to: String?
  @Option(help: "Sequence to go on from.") var sequence: UInt64?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (to == nil) != (sequence == nil) else {
      throw ValidationError("name either --to TIME or --sequence NUMBER")
    }
  }

  func run() throws {
    let time = try Timestamp.parse(to, option: "--to")
    let request = ReplaySeekRequest(timeNanoseconds: time?.nanoseconds, sequence: sequence)
    try report(options.replayClient().seekReplay(request), json)
  }
}

struct SpeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speed", abstract: "Change the speed of a replay: 1, another number, or max.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false
  @Argument(help: "1 as recorded, another number so many times as fast, or max.") var speed: String

  func run() throws {
    let wanted = try ReplaySpeed(speed)
    try report(options.replayClient().setReplaySpeed(wanted), json)
  }
}

struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "End a replay in good order.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws { try report(options.replayClient().stopReplay(), json) }
}

extension Timestamp {
  /// A length of time from the command line, in nanoseconds: a number and its unit, as in `250ms`.
  static func nanoseconds(of text: String, option: String) throws(Fault) -> Int64 {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ms", 1e6), ("us", 1e3), ("ns", 1), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let number = Double(text.dropLast(unit.suffix.count)), number > 0, number * unit.nanoseconds >= 1,
        number * unit.nanoseconds < 9e18
      else { break }
      return Int64(number * unit.nanoseconds)
    }
    throw Fault(.usage, "\(option) '\(text)' is not a length of time above zero, as in 250ms, 1s, 5m or 1h")
  }
}
