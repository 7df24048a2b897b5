import Glibc
import MarketData
import SharedRing

/// A consumer is stopped for some seconds: the producer must not notice, and the loss must be exact.
enum StallTrial {
  private static let capacity = 4096
  /// Running and stopped alternate for a fifth of the time each, so that a change of the machine's mood falls on both.
  private static let rounds = 5

  /// What the stopped consumer may cost: publish p99, as a ratio.
  static let ratioMax = 1.10

  /// - Parameter isJudged: fail beyond ``ratioMax``; only on a machine that does nothing else.
  static func run(seconds: Int, isJudged: Bool) throws(Fault) {
    let feed = "stall-\(getpid())"
    let lane = "stalled"
    var writer = try LaneWriter(feed: feed, lane: lane, capacity: capacity)
    defer { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) }
    let consumer = try Child(["count", feed, lane])
    defer { consumer.signal(SIGKILL) }
    try writer.waitForConsumer()
    var publishing = PacedPublishing()
    var running = PublishTimes()
    var stopped = PublishTimes()
    let length = Int64(seconds) * 1_000_000_000 / Int64(rounds)
    for _ in 0..<rounds {
      publishing.run(nanoseconds: length, into: &running) { writer.publishTrial($0) }
      consumer.signal(SIGSTOP)
      publishing.run(nanoseconds: length, into: &stopped) { writer.publishTrial($0) }
      consumer.signal(SIGCONT)
      // Only a consumer that runs again is one.
      while writer.waiting() > UInt64(capacity / 2) { usleep(100) }
    }
    guard writer.dropped > 0 else {
      throw Fault(.checkFailed, "nothing was lost: the consumer was not stopped")
    }
    // The record that shows how many were lost at the end.
    writer.publishTrial(publishing.value + 1)
    try writer.publishLast()
    try consumer.waitForSuccess("consumer")
    let ratio = stopped.interpolatedPercentile(0.99) / max(running.interpolatedPercentile(0.99), 1)
    print(
      """
      consumer running: \(running.summary)
      consumer stopped: \(stopped.summary)
      publish p99 stopped / running: \((ratio * 100).rounded() / 100)
      """)
    if isJudged, ratio > ratioMax {
      throw Fault(
        .checkFailed,
        "a stopped consumer raises publish p99 to \(ratio) of what it was; \(ratioMax) is allowed")
    }
  }
}
