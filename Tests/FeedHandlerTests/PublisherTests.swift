import Foundation
import Glibc
import MarketData
import SharedRing
import Testing

@testable import FeedHandler

/// The publisher on real shared memory, its recorder and a strategy's lane read back in the same process.
@Suite struct PublisherTests {
  private func feedName() -> String { "pub-\(UUID().uuidString.prefix(8).lowercased())" }

  private func segment(_ feed: String) throws -> FeedSegment {
    try FeedSegment(
      feed: feed, instrumentsMax: 16, controlSocket: "", dataDirectory: "")
  }

  private func tick(_ instrument: UInt32, volume: Int64) -> Tick {
    Tick(
      instrument: InstrumentID(rawValue: instrument), sequence: 0, receiveTime: Timestamp(seconds: 100),
      exchangeTime: .unknown, lastPrice: Price(units: 5), dayVolume: volume, lastTradeSeconds: 0,
      lastQuantity: 1,
      openInterest: 0)
  }

  private func lane(_ name: String, _ writer: consuming LaneWriter, carrying instrument: UInt32) -> Lane {
    let lane = Lane(name: name, writer: writer)
    lane.observe(
      Lane.Filter(instruments: InstrumentSet([InstrumentID(rawValue: instrument)]), version: 1), behind: 0)
    return lane
  }

  @Test func everyRecordGetsTheNextSequenceInEachLane() throws {
    let feed = feedName()
    let segment = try segment(feed)
    defer { segment.unlink() }
    let recorder = try LaneWriter(feed: feed, lane: "recorder", capacity: 64)
    let strategy = try LaneWriter(feed: feed, lane: "strategy", capacity: 64)
    var recorderReader = try LaneReader(feed: feed, lane: "recorder")
    var strategyReader = try LaneReader(feed: feed, lane: "strategy")
    var publisher = Publisher(
      segment: segment, recorder: recorder, lastSequence: 41, recorderWaitMillisecondsMax: 10)
    publisher.add(lane("strategy", strategy, carrying: 2))
    var batch = [tick(1, volume: 10), tick(2, volume: 20), tick(1, volume: 30)]
    try publisher.publish(&batch)
    try publisher.publishGap(
      start: Timestamp(seconds: 1), end: Timestamp(seconds: 2), now: Timestamp(seconds: 2),
      cause: .disconnected)

    var recorded: [UInt64] = []
    _ = recorderReader.drain(max: 64) { run in
      for index in run.indices { recorded.append(run[index].sequence) }
    }
    #expect(recorded == [42, 43, 44, 45])
    var seen: [UInt64] = []
    _ = strategyReader.drain(max: 64) { run in for index in run.indices { seen.append(run[index].sequence) } }
    #expect(seen == [43, 45], "what it observes, and what concerns the whole feed")

    let view = try FeedView(feed: feed)
    #expect(view.latest(InstrumentID(rawValue: 1))?.dayVolume == 30)
    #expect(view.latest(InstrumentID(rawValue: 3)) == nil)
    #expect(view.tickCount(InstrumentID(rawValue: 1)) == 2)
    #expect(view.value(.ticks) == 3)
    #expect(view.value(.sequence) == 45)
    for lane in ["recorder", "strategy"] { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) }
  }

  @Test func aLaneThatItsConsumerCutShortIsGivenUpAndCounted() throws {
    let feed = feedName()
    let segment = try segment(feed)
    defer { segment.unlink() }
    defer {
      for lane in ["recorder", "cut", "whole"] { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) }
    }
    let recorder = try LaneWriter(feed: feed, lane: "recorder", capacity: 64)
    let cut = lane("cut", try LaneWriter(feed: feed, lane: "cut", capacity: 1024), carrying: 1)
    let whole = lane("whole", try LaneWriter(feed: feed, lane: "whole", capacity: 64), carrying: 1)
    var reader = try LaneReader(feed: feed, lane: "whole")
    var publisher = Publisher(
      segment: segment, recorder: recorder, lastSequence: 0, recorderWaitMillisecondsMax: 10)
    publisher.add(cut)
    publisher.add(whole)
    let descriptor = shm_open(SegmentNames.lane("cut", of: feed), O_RDWR, 0)
    #expect(ftruncate(descriptor, 0) == 0)
    close(descriptor)
    for volume in 1...3 {
      var batch = [tick(1, volume: Int64(volume))]
      try publisher.publish(&batch)
    }
    #expect(cut.isTruncated && !whole.isTruncated)
    #expect(segment.value(.truncatedLanes) == 1, "counted once, since it is given up")
    let received = reader.drain(max: 64) { _ in }
    #expect(received == 3)
  }

  @Test func aRecorderThatStaysBehindIsAnIncidentAndNeverASilentHole() throws {
    let feed = feedName()
    let segment = try segment(feed)
    defer { segment.unlink() }
    let recorder = try LaneWriter(feed: feed, lane: "recorder", capacity: 16)
    defer { SharedMapping.unlink(SegmentNames.lane("recorder", of: feed)) }
    var publisher = Publisher(
      segment: segment, recorder: recorder, lastSequence: 0, recorderWaitMillisecondsMax: 5)
    var full = (0..<16).map { tick(1, volume: Int64($0)) }
    try publisher.publish(&full)
    var refusal: Fault?
    do {
      var more = [tick(1, volume: 99)]
      try publisher.publish(&more)
    } catch {
      refusal = error
    }
    #expect(refusal?.kind == .inputOutput)
    #expect(refusal?.message.contains("the recorder fell behind") == true)
    #expect(segment.value(.recorderDrops) == 1)
    #expect(segment.value(.recorderWaits) == 1)
  }
}
