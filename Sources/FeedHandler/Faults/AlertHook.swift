internal import Configuration
internal import Foundation
internal import Logging
internal import MarketData

/// Runs the user's alert command on a thread of its own: whoever posts an event never waits for it.
///
/// Runs follow one another, each bounded in time, all of them bounded in rate; events beyond are counted and told with
/// the next run.
final class AlertHook: @unchecked Sendable {
  // @unchecked: everything mutable is under the condition's lock.

  private let feed: String
  private let logger: Logger
  private let condition = NSCondition()
  private var settings: FeedConfiguration.Alert
  private var waiting: [AlertEvent] = []
  private var suppressed = 0
  private var runTimes: [Int64] = []
  private var isRunning = false
  private var isThreadStarted = false

  /// Events that wait at most.
  private static let waitingMax = 64
  private static let minuteNanoseconds: Int64 = 60_000_000_000

  init(_ settings: FeedConfiguration.Alert, feed: String, logger: Logger) {
    self.settings = settings
    self.feed = feed
    self.logger = logger
  }

  /// Puts other settings in force.
  func configure(_ settings: FeedConfiguration.Alert) { condition.withLock { self.settings = settings } }

  /// Notes an event; returns at once.
  func post(_ event: AlertEvent) {
    condition.withLock {
      guard !settings.command.isEmpty, settings.events.contains(event.kind) else { return }
      let now = Timestamp.monotonicNanoseconds()
      runTimes.removeAll { now - $0 > Self.minuteNanoseconds }
      guard waiting.count < Self.waitingMax, runTimes.count < settings.perMinuteMax else {
        suppressed += 1
        return
      }
      runTimes.append(now)
      waiting.append(event)
      if !isThreadStarted {
        isThreadStarted = true
        Thread.detachNewThread { [self] in serve() }
      }
      condition.broadcast()
    }
  }

  /// Waits until every event was told, as long as one run may take.
  func drain() {
    condition.withLock {
      let deadline = Date(timeIntervalSinceNow: Double(settings.secondsMax) + 1)
      while !waiting.isEmpty || isRunning {
        guard condition.wait(until: deadline) else { return }
      }
    }
  }

  private func serve() {
    while true {
      let (event, settings, suppressed): (AlertEvent, FeedConfiguration.Alert, Int) = condition.withLock {
        while waiting.isEmpty { condition.wait() }
        isRunning = true
        defer { self.suppressed = 0 }
        return (waiting.removeFirst(), self.settings, self.suppressed)
      }
      let run = AlertRun(
        command: settings.command, environment: event.environment(feed: feed, suppressed: suppressed),
        line: event.line(feed: feed, suppressed: suppressed), secondsMax: settings.secondsMax)
      if let complaint = run.carryOut() {
        logger.warning("alert.command on \(event.kind.rawValue): \(complaint)")
      }
      condition.withLock {
        isRunning = false
        condition.broadcast()
      }
    }
  }
}
