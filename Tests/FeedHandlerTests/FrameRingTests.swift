import FeedHandler
import Foundation
import MarketData
import Synchronization
import Testing

@Suite struct FrameRingTests {
  private func frame(_ number: Int) -> [UInt8] {
    let length = (number * 37) % 150
    return (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ number) }
  }

  @Test func framesComeOutAsTheyWentInWhileBothSidesRun() async {
    let ring = FrameRing(capacity: 1024, frameBytesMax: 200)
    let count = 20_000
    let producer = Task.detached {
      var taken = 0
      for number in 0..<count {
        let dropped = ring.dropped
        ring.take(
          frame(number).span.bytes, isText: number % 3 == 0, receiveTime: Timestamp(seconds: Int64(number)))
        if ring.dropped == dropped { taken += 1 }
      }
      return taken
    }
    let isOver = Atomic<Bool>(false)
    var received = 0
    var last = -1
    var wrong = 0
    func drain() {
      try? ring.drain { bytes, isText, time throws(Fault) in
        let number = Int(time.seconds)
        let content = bytes.withUnsafeBytes { Array($0) }
        if number <= last || content != frame(number) || isText != (number % 3 == 0) { wrong += 1 }
        last = number
        received += 1
      }
    }
    Task {
      _ = await producer.value
      isOver.store(true, ordering: .releasing)
    }
    while !isOver.load(ordering: .acquiring) {
      drain()
      await Task.yield()
    }
    drain()
    let taken = await producer.value
    #expect(wrong == 0)
    #expect(received == taken)
    #expect(UInt64(count - taken) == ring.dropped)
  }

  @Test func whatDoesNotFitIsDroppedAndCountedAndTheRestGoesOn() {
    let ring = FrameRing(capacity: 64, frameBytesMax: 40)
    ring.take([UInt8](repeating: 1, count: 41).span.bytes, isText: false, receiveTime: .unknown)
    #expect(ring.dropped == 1)
    for _ in 0..<3 {
      ring.take([UInt8](repeating: 2, count: 16).span.bytes, isText: false, receiveTime: .unknown)
    }
    #expect(ring.dropped == 2)
    var lengths: [Int] = []
    for _ in 0..<2 {
      try? ring.drain { bytes, _, _ throws(Fault) in lengths.append(bytes.byteCount) }
      ring.take([UInt8](repeating: 3, count: 40).span.bytes, isText: true, receiveTime: .unknown)
    }
    try? ring.drain { bytes, _, _ throws(Fault) in lengths.append(bytes.byteCount) }
    #expect(lengths == [16, 16, 40, 40])
  }

  @Test func aFaultOfTheReaderCostsOneFrame() {
    let ring = FrameRing(capacity: 256, frameBytesMax: 40)
    for number in 0..<4 as Range<UInt8> {
      ring.take([number].span.bytes, isText: false, receiveTime: .unknown)
    }
    #expect(throws: Fault.self) {
      try ring.drain { _, _, _ throws(Fault) in throw Fault(.inputOutput, "full") }
    }
    var rest: [UInt8] = []
    try? ring.drain { bytes, _, _ throws(Fault) in rest += bytes.withUnsafeBytes { Array($0) } }
    #expect(rest == [1, 2, 3])
  }
}
