import MarketData
import Testing

@testable import TickRing

/// The buffer as a state machine: no thread, no task.
@Suite struct EventBufferTests {
  private func tick(_ second: Double, instrument: UInt32 = 0) -> MarketEvent {
    .tick(ScriptedFeed.tick(second, 100, volume: 1, instrument: instrument))
  }
  private let gap = MarketEvent.gap(FeedGap(start: ScriptedFeed.open, end: nil, cause: .stalled))

  private func drain(_ buffer: inout EventBuffer) -> [MarketEvent] {
    var events: [MarketEvent] = []
    while case .event(let event) = buffer.next() { events.append(event) }
    return events
  }

  @Test func eventsComeOutInOrderAndThenOneWaits() {
    var buffer = EventBuffer(capacity: 2, policy: .suspend)
    #expect(buffer.next() == .wait)
    #expect(buffer.offer(tick(1)) == .stored)
    #expect(buffer.offer(tick(2)) == .stored)
    #expect(drain(&buffer) == [tick(1), tick(2)])
    #expect(buffer.next() == .wait)
  }

  @Test func aFullBufferSuspendsAndLosesNothing() {
    var buffer = EventBuffer(capacity: 1, policy: .suspend)
    #expect(buffer.offer(tick(1)) == .stored)
    #expect(buffer.offer(tick(2)) == .suspend)
    #expect(drain(&buffer) == [tick(1)])
    #expect(buffer.offer(tick(2)) == .stored)
    #expect(buffer.dropped == 0)
  }

  @Test func dropOldestKeepsTheNewest() {
    var buffer = EventBuffer(capacity: 2, policy: .dropOldest)
    for second in 1...5 { _ = buffer.offer(tick(Double(second))) }
    #expect(drain(&buffer) == [tick(4), tick(5)])
    #expect(buffer.dropped == 3)
  }

  @Test func dropNewestKeepsTheOldest() {
    var buffer = EventBuffer(capacity: 2, policy: .dropNewest)
    for second in 1...5 { _ = buffer.offer(tick(Double(second))) }
    #expect(drain(&buffer) == [tick(1), tick(2)])
    #expect(buffer.dropped == 3)
  }

  @Test func latestOnlyKeepsOneOfEachInstrumentInItsPlace() {
    var buffer = EventBuffer(capacity: 1, policy: .latestOnly)
    for second in 1...3 {
      for instrument in 0...2 as ClosedRange<UInt32> {
        _ = buffer.offer(tick(Double(second), instrument: instrument))
      }
    }
    #expect(drain(&buffer) == [tick(3), tick(3, instrument: 1), tick(3, instrument: 2)])
    #expect(buffer.dropped == 6)
    _ = buffer.offer(tick(4))
    _ = buffer.offer(tick(5))
    #expect(drain(&buffer) == [tick(5)])
  }

  @Test(arguments: FullBufferPolicy.allCases)
  func gapsAndHaltsAreNeverDropped(policy: FullBufferPolicy) {
    var buffer = EventBuffer(capacity: 1, policy: policy)
    _ = buffer.offer(tick(1))
    for _ in 0..<3 { #expect(buffer.offer(gap) == .stored) }
    #expect(buffer.offer(.halt(reason: "x")) == .stored)
    #expect(drain(&buffer) == [tick(1), gap, gap, gap, .halt(reason: "x")])
  }

  @Test func whatWaitsIsTakenAfterTheEnd() {
    var buffer = EventBuffer(capacity: 4, policy: .dropOldest)
    _ = buffer.offer(tick(1))
    buffer.finish()
    #expect(buffer.offer(tick(2)) == .finished)
    #expect(buffer.next() == .event(tick(1)))
    #expect(buffer.next() == .finished)
  }

  /// Against the plainest model, over many random walks.
  @Test func everyPolicyKeepsOrderAndItsBound() {
    var random = SplitMix(state: 7)
    for policy in [FullBufferPolicy.suspend, .dropOldest, .dropNewest] {
      var buffer = EventBuffer(capacity: 3, policy: policy)
      var model: [MarketEvent] = []
      for second in 0..<5000 {
        if random.next() % 3 > 0 {
          let event = tick(Double(second))
          let offer = buffer.offer(event)
          if model.count < 3 {
            #expect(offer == .stored)
            model.append(event)
          } else if policy == .dropOldest {
            model.removeFirst()
            model.append(event)
          }
        } else {
          let expected: EventBuffer.Answer = model.isEmpty ? .wait : .event(model.removeFirst())
          #expect(buffer.next() == expected)
        }
        #expect(buffer.count == model.count)
      }
    }
  }
}

/// A small generator: the same numbers in every run.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
