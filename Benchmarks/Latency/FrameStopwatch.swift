internal import FeedControl
internal import Foundation
internal import MarketData
internal import SharedRing

/// Times single frames from the relay's `send` until the benchmark, spinning on a strategy's lane, has their last tick.
struct FrameStopwatch: ~Copyable {
  /// What a run has found, in nanoseconds.
  struct Samples {
    var sinceSend: [Int64] = []
    var sinceRead: [Int64] = []
    /// All ticks seen, folded.
    var checksum: UInt64 = 0
  }

  private let view: FeedView
  private let clock: FeedClock
  private var reader: LaneReader
  private let restMicroseconds: UInt32
  private var ticks = 0
  private var lastTick = Timestamp.unknown
  private var checksum: UInt64 = 0

  private static let startSeconds = 60.0
  private static let filterNanosecondsMax: Int64 = 10_000_000_000
  private static let relayMilliseconds = 20
  private static let tickNanosecondsMax: Int64 = 2_000_000_000
  private static let runMax = 4096

  /// Passes everything on until the feed runs, then attaches a lane that observes all instruments.
  init(feed: BenchmarkFeed, relay: inout FrameRelay, lane: String, restMicroseconds: UInt32) throws {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(Self.startSeconds * 1e9)
    var running: FeedView?
    while running == nil {
      if let delivery = try relay.next(withinMilliseconds: Self.relayMilliseconds) {
        try relay.pass(delivery)
      }
      if let view = try? FeedView(feed: feed.name), view.state == .running, view.value(.ticks) > 0 {
        running = view
      }
      guard Timestamp.monotonicNanoseconds() < deadline else {
        throw Fault(.unavailable, "the feed handler did not get going: \(feed.errorText)")
      }
    }
    guard let running else { throw Fault(.unavailable, "the feed handler did not get going") }
    let symbols = running.instruments().map(\.symbol.text)
    let answer = try ControlClient(path: running.controlSocket).attach(
      LaneRequest(lane: lane, symbols: symbols))
    let reader = try LaneReader(feed: feed.name, lane: lane)
    // Until then a frame passes the lane by.
    guard reader.waitForFilter(version: answer.filterVersion, nanosecondsMax: Self.filterNanosecondsMax)
    else { throw Fault(.unavailable, "the feed handler took no notice of the lane '\(lane)'") }
    view = running
    clock = running.clock
    self.reader = reader
    self.restMicroseconds = restMicroseconds
  }

  /// Times so many frames; others, such as heartbeats and frames that came together, are passed on untimed.
  mutating func time(_ count: Int, over relay: inout FrameRelay) throws -> Samples {
    var samples = Samples()
    while samples.sinceSend.count < count {
      guard let delivery = try relay.next(withinMilliseconds: Self.relayMilliseconds) else { continue }
      // The venue shares this processor, and is to be asleep again.
      LoopbackWake.rest(microseconds: restMicroseconds)
      drain()
      let expected = delivery.packets ?? 0
      ticks = 0
      let start = Timestamp.monotonicNanoseconds()
      try relay.pass(delivery)
      guard expected > 0 else { continue }
      while ticks < expected {
        drain()
        guard Timestamp.monotonicNanoseconds() - start < Self.tickNanosecondsMax else {
          throw Fault(.software, "a frame of \(expected) ticks left \(ticks) in the lane")
        }
      }
      let end = Timestamp.wallClock()
      samples.sinceSend.append(Timestamp.monotonicNanoseconds() - start)
      samples.sinceRead.append(end - clock.wallTime(at: lastTick))
    }
    samples.checksum = checksum
    return samples
  }

  private mutating func drain() {
    var ticks = ticks
    var last = lastTick
    var sum = checksum
    while reader.drain(
      max: Self.runMax,
      { run in
        for index in run.indices where run[index].kind == .trade {
          ticks += 1
          last = run[index].receiveTime
          sum = sum &* 31 &+ UInt64(bitPattern: run[index].lastPrice.units) &+ run[index].sequence
        }
      }) > 0
    {}
    (self.ticks, lastTick, checksum) = (ticks, last, sum)
  }
}
