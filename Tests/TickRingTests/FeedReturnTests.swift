import Foundation
import MarketData
import Testing

@testable import SharedRing
@testable import TickRing

/// When a feed handler that died counts as back.
@Suite struct FeedReturnTests {
  private static func segment(_ feed: String, instrumentsMax: Int = 8) throws -> FeedSegment {
    let segment = try FeedSegment(
      feed: feed, instrumentsMax: instrumentsMax, controlSocket: "", dataDirectory: "")
    segment.setClock(.system)
    segment.set(.state, FeedState.running.rawValue)
    return segment
  }

  private static func word(_ outcome: FeedReturn.Outcome) -> String {
    switch outcome {
    case .waiting: "waiting"
    case .returned(let view): "returned \(view.epoch)"
    case .halted(let reason): "halted \(reason)"
    case .givenUp: "given up"
    }
  }

  private static func look(_ feedReturn: inout FeedReturn) -> String {
    // It looks every ten milliseconds.
    usleep(11_000)
    return word(feedReturn.look())
  }

  /// A feed that has died, and its name.
  private static func deadFeed() throws -> (name: String, view: FeedView) {
    let name = "test-\(UUID().uuidString.prefix(8).lowercased())"
    let first = try segment(name)
    let view = try FeedView(feed: name)
    withExtendedLifetime(first) {}
    return (name, view)
  }

  @Test func whatTheDeadOneLeftIsNobodysReturnEvenWhileTheNextOneTakesItOver() throws {
    let (name, view) = try Self.deadFeed()
    defer { SharedMapping.unlink(SegmentNames.feed(name)) }
    var feedReturn = FeedReturn(of: view, secondsMax: 60)
    #expect(Self.look(&feedReturn) == "waiting")
    do {
      // The next one holds the segment and has not touched it yet: its state is still the dead one's.
      let opened = try SharedMapping(existing: SegmentNames.feed(name), access: .readWrite)
      guard let claimed = opened else { throw Fault(.missingInput, "no segment") }
      let isHeld = claimed.tryLock(role: 0)
      #expect(isHeld)
      #expect(view.isProducerAlive && view.state == .running && !view.isSuperseded)
      #expect(Self.look(&feedReturn) == "waiting")
    }
    let second = try Self.segment(name)
    #expect(Self.look(&feedReturn) == "returned 2")
    withExtendedLifetime(second) {}
  }

  @Test func aSegmentThatWasMadeAnewIsAReturnThoughItCountsFromOne() throws {
    let (name, view) = try Self.deadFeed()
    defer { SharedMapping.unlink(SegmentNames.feed(name)) }
    var feedReturn = FeedReturn(of: view, secondsMax: 60)
    let second = try Self.segment(name, instrumentsMax: 9)
    #expect(!view.isSuperseded)
    #expect(Self.look(&feedReturn) == "returned 1")
    withExtendedLifetime(second) {}
  }

  @Test func aHaltOfTheNextOneIsWaitedInWhileItLivesAndTheEndOnceItIsGone() throws {
    let (name, view) = try Self.deadFeed()
    defer { SharedMapping.unlink(SegmentNames.feed(name)) }
    var feedReturn = FeedReturn(of: view, secondsMax: 60)
    do {
      let second = try Self.segment(name)
      second.halt(reason: "no token")
      #expect(Self.look(&feedReturn) == "returned 2")
      withExtendedLifetime(second) {}
    }
    #expect(Self.look(&feedReturn) == "halted no token")
    var impatient = FeedReturn(of: try FeedView(feed: name), secondsMax: 0)
    #expect(Self.look(&impatient) == "given up")
  }
}
