import MarketData
import Testing

@testable import SharedRing

/// Several lanes that take the same batches.
struct LaneFanTests {
  /// A lane of the fan and the consumer's end of it.
  final class TestLane: FannedLane {
    let name = LaneName()
    let observed: InstrumentSet
    private var writer: LaneWriter
    private var reader: LaneReader

    init(observing instruments: Range<UInt32>, capacity: Int) throws {
      observed = InstrumentSet(instruments.map { InstrumentID(rawValue: $0) })
      writer = try name.writer(capacity: capacity)
      writer.noteFilter(observed, version: 1, behind: 0)
      reader = try name.reader()
    }

    deinit { name.unlink() }

    func stage(_ batch: Span<Tick>) -> Bool { writer.stageObserved(batch) }
    func publishStaged() { writer.publishStaged() }

    func read() -> [Tick] {
      var ticks: [Tick] = []
      while reader.drain(max: 512, { for index in $0.indices { ticks.append($0[index]) } }) > 0 {}
      return ticks
    }
    var dropped: UInt64 { reader.dropped }
  }

  /// Batches of all lengths, below and above that from which a run is streamed, and around the ends of rings.
  @Test func everyLaneGetsWhatItsConsumerObserves() throws {
    var fan = LaneFan<TestLane>()
    let lanes = try [0..<1, 0..<5, 3..<5, 7..<8].map { try TestLane(observing: $0, capacity: 512) }
    for lane in lanes { fan.add(lane) }
    var sequence: UInt64 = 0
    for round in 0..<80 {
      let ticks = (0..<(round * 13 % 500)).map { index in
        sequence += 1
        return Tick.sample(instrument: UInt32(index % 5), sequence: sequence, price: Int64(sequence))
      }
      fan.write(ticks.span)
      for lane in lanes {
        let wanted = ticks.filter { lane.observed.contains($0.instrument) }
        let seen = lane.read()
        #expect(seen.map(\.sequence) == wanted.map(\.sequence), "round \(round)")
        #expect(seen.map(\.lastPrice) == wanted.map(\.lastPrice), "round \(round)")
      }
    }
    #expect(lanes.allSatisfy { $0.dropped == 0 })
  }

  /// A run that is staged is not there before it is published, and then all of it is.
  @Test func whatIsStagedIsSeenOnceItIsPublished() throws {
    let lane = try TestLane(observing: 0..<5, capacity: 64)
    for round in 0..<5 {
      let ticks = (0..<50).map { Tick.sample(sequence: UInt64(round * 50 + $0)) }
      let isStaged = lane.stage(ticks.span)
      var seen = lane.read()
      // A run ends where the ring does. A short one is published as it is filled, one that another follows with its end.
      let untilEnd = 64 - round * 50 % 64
      let last = untilEnd < 50 ? 50 - untilEnd : 50
      #expect(isStaged == (last >= LaneWriter.streamedMin), "round \(round)")
      #expect(seen.count == (isStaged ? 50 - last : 50), "round \(round)")
      LaneWriter.fence()
      lane.publishStaged()
      seen += lane.read()
      #expect(seen.map(\.sequence) == ticks.map(\.sequence), "round \(round)")
    }
  }

  /// A lane that is full loses what does not fit, and says so on the next record; the others lose nothing.
  @Test func aFullLaneHoldsUpNoOther() throws {
    var fan = LaneFan<TestLane>()
    let small = try TestLane(observing: 0..<5, capacity: 128)
    let large = try TestLane(observing: 0..<5, capacity: 1024)
    for lane in [small, large] { fan.add(lane) }
    for batch in 0..<4 {
      let ticks = (0..<100).map { Tick.sample(sequence: UInt64(batch * 100 + $0)) }
      fan.write(ticks.span)
    }
    #expect(small.read().map(\.sequence) == Array(0..<128))
    #expect(small.dropped == 272)
    #expect(large.read().map(\.sequence) == Array(0..<400))
    let ticks = (400..<450).map { Tick.sample(sequence: UInt64($0)) }
    fan.write(ticks.span)
    let afterGap = small.read()
    #expect(afterGap.map(\.sequence) == Array(400..<450))
    #expect(afterGap.map { $0.flags.contains(.gapBefore) } == [true] + Array(repeating: false, count: 49))
    #expect(large.read().allSatisfy { !$0.flags.contains(.gapBefore) })
  }

  @Test func aLaneThatLeftGetsNothingMore() throws {
    var fan = LaneFan<TestLane>()
    let lanes = try (0..<3).map { _ in try TestLane(observing: 0..<5, capacity: 128) }
    for lane in lanes { fan.add(lane) }
    fan.removeAll { $0 === lanes[1] }
    let ticks = (0..<40).map { Tick.sample(sequence: UInt64($0)) }
    fan.write(ticks.span)
    #expect(lanes.map { $0.read().count } == [40, 0, 40])
    #expect(fan.lanes.count == 2)
  }
}
