internal import FeedControl
internal import Glibc
internal import MarketData
internal import SharedRing
internal import Synchronization

/// What the control socket can do for a feed that is starting: past candles are loaded first, which may take minutes, or
/// wait for a token that only a person can get. Runs on the control server's threads.
final class StartDesk: Sendable {
  private let feed: String
  private let segment: FeedSegment
  private let latch: HaltLatch
  private let isResumeRequested = Atomic<Bool>(false)

  init(feed: String, segment: FeedSegment, latch: HaltLatch) {
    self.feed = feed
    self.segment = segment
    self.latch = latch
  }

  func status() -> ControlStatus {
    ControlStatus(segment, feed: feed, lanes: [], halts: latch.all.map { $0.line(feed: feed) })
  }

  /// Lets what the HALT has stopped be tried again.
  ///
  /// - Throws: ``Fault`` of kind `usage` when there is none.
  func resume() throws(Fault) -> ResumeAnswer {
    let halts = latch.all
    guard !halts.isEmpty else { throw Halt.nothingToResume(feed: feed) }
    isResumeRequested.store(true, ordering: .releasing)
    return ResumeAnswer(resumed: halts.map { $0.line(feed: feed) })
  }

  /// True once for the requests since the last call.
  func takeResume() -> Bool { isResumeRequested.exchange(false, ordering: .acquiringAndReleasing) }

  /// Everything else has to wait.
  func refusal() -> Fault {
    Fault(
      .unavailable,
      "feed '\(feed)' does not take this yet, since it is starting (past candles are loaded first); "
        + "`tickring status --feed \(feed)` shows when it runs")
  }
}
