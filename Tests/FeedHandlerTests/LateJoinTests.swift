import Foundation
import MarketData
import SharedRing
import Synchronization
import Testing

@testable import FeedHandler

/// A consumer that joins while ticks are published as fast as they can: last values, then the lane, with no hole
/// and nothing twice.
@Suite struct LateJoinTests {
  @Test func aLateJoinHasNoHoleAndNoDouble() throws {
    let feed = "join-\(UUID().uuidString.prefix(8).lowercased())"
    let segment = try FeedSegment(feed: feed, instrumentsMax: 16, controlSocket: "", dataDirectory: "")
    let recorder = try LaneWriter(feed: feed, lane: "recorder", capacity: 1 << 12)
    defer {
      segment.unlink()
      for object in SegmentDirectory.objects(of: feed) { SharedMapping.unlink(object) }
    }
    let isStopped = Atomic<Bool>(false)
    let joins = Mutex<[Lane]>([])
    let done = DispatchSemaphore(value: 0)
    let box = Mutex<LaneWriter?>(recorder)
    let thread = Thread {
      defer { done.signal() }
      guard let recorder = box.withLock({ $0.take() }),
        var recorded = try? LaneReader(feed: feed, lane: "recorder")
      else { return }
      var publisher = Publisher(
        segment: segment, recorder: recorder, lastSequence: 0, recorderWaitMillisecondsMax: 10)
      var volumes = [Int64](repeating: 0, count: 4)
      var next = 0
      while !isStopped.load(ordering: .relaxed) {
        for lane in joins.withLock({ waiting in
          defer { waiting = [] }; return waiting
        }) {
          publisher.add(lane)
          let all = InstrumentSet((0..<4).map { InstrumentID(rawValue: $0) })
          publisher.observe(lane.name, Lane.Filter(instruments: all, version: 1))
        }
        var batch = (0..<7).map { _ in
          next = (next + 1) % 4
          volumes[next] += 1
          return Tick(
            instrument: InstrumentID(rawValue: UInt32(next)), sequence: 0, receiveTime: Timestamp(seconds: 1),
            exchangeTime: .unknown, lastPrice: .zero, dayVolume: volumes[next], lastTradeSeconds: 0,
            lastQuantity: 1, openInterest: 0)
        }
        do { try publisher.publish(&batch) } catch { return }
        while recorded.drain(max: 4096, { _ in }) > 0 {}
      }
    }
    thread.start()
    defer {
      isStopped.store(true, ordering: .relaxed)
      done.wait()
    }
    let view = try FeedView(feed: feed)
    var known = 0
    for round in 0..<30 {
      let name = "late-\(round)"
      let lane = Lane(name: name, writer: try LaneWriter(feed: feed, lane: name, capacity: 1 << 16))
      var reader = try LaneReader(feed: feed, lane: name)
      joins.withLock { $0.append(lane) }
      let inForce = reader.waitForFilter(version: 1, nanosecondsMax: 10_000_000_000)
      try #require(inForce)
      // Ticks come meanwhile, into the lane and into the last values: these are the ones that must not double.
      usleep(300)
      let join = LateJoin(of: (0..<4).map { InstrumentID(rawValue: $0) }) { view.latest($0) }
      var last = [Int64](repeating: 0, count: 4)
      for tick in join.ticks { last[tick.instrument.index] = tick.dayVolume }
      try #require(last.allSatisfy { $0 > 0 } || round == 0)
      var taken = 0
      while taken < 2000 {
        reader.wait(.spinThenFutex, nanosecondsMax: 1_000_000_000)
        let count = reader.drain(max: 512) { run in
          for index in run.indices {
            let tick = run[index]
            guard join.isNew(tick) else {
              known += 1
              continue
            }
            let row = tick.instrument.index
            #expect(tick.dayVolume == last[row] + 1, "volumes count one by one, so a hole or a double shows")
            last[row] = tick.dayVolume
          }
        }
        taken += count
      }
      #expect(reader.dropped == 0)
    }
    #expect(known > 0, "some ticks were in the last values and in the lane, else nothing was tested")
  }
}
