import Foundation
import MarketData
import SharedRing
import Synchronization
import Testing

@Suite struct WaitingTests {
  @Test(arguments: WaitStrategy.allCases) func anEmptyLaneIsWaitedForNoLongerThanTold(strategy: WaitStrategy)
    throws
  {
    let name = LaneName()
    defer { name.unlink() }
    let writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    let start = Timestamp.monotonicNanoseconds()
    let found = reader.wait(strategy, nanosecondsMax: 3_000_000)
    #expect(!found)
    #expect(Timestamp.monotonicNanoseconds() - start >= 3_000_000)
    let atOnce = reader.wait(strategy, nanosecondsMax: 0)
    #expect(!atOnce)
    _ = writer.position
  }

  /// Each record is written only after the one before was read, by a reader that may sleep before every one of them:
  /// a lost wake would cost the whole bound of a sleep each time.
  @Test(arguments: WaitStrategy.allCases) func everyRecordIsFoundByAWaitingReader(strategy: WaitStrategy)
    throws
  {
    let name = LaneName()
    defer { name.unlink() }
    let box = Mutex<LaneWriter?>(try name.writer(capacity: 16))
    var reader = try name.reader()
    let read = Atomic<UInt64>(0)
    let count: UInt64 = 300
    try withThread {
      guard var writer = box.withLock({ $0.take() }) else { return }
      for sequence in 0..<count {
        while read.load(ordering: .acquiring) < sequence { usleep(20) }
        if sequence % 3 == 0 { usleep(150) }
        _ = writer.write(.sample(sequence: sequence))
        writer.flush()
      }
    } while: {
      for sequence in 0..<count {
        let found = reader.wait(strategy, nanosecondsMax: 20_000_000_000)
        try #require(found)
        _ = reader.drain(max: 1) { #expect($0[0].sequence == sequence) }
        read.store(sequence + 1, ordering: .releasing)
      }
    }
    if strategy == .spinThenFutex {
      #expect(reader.value(.sleeps) > 0)
      #expect(reader.value(.wakes) > 0)
    } else {
      #expect(reader.value(.wakes) == 0, "nobody sleeps, nobody is woken")
    }
  }

  @Test func aHostileSleeperCostsOneWakeABatch() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 64)
    let reader = try name.reader()
    let ticks = (0..<10).map { Tick.sample(sequence: UInt64($0)) }
    for batch in UInt64(1)...3 {
      try name.forge(offset: 8192 + 128, value: .max)
      _ = writer.write(ticks.span)
      #expect(reader.value(.wakes) == batch)
    }
  }

  @Test func aBatchWithNothingForTheLaneWakesNobody() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 64)
    let reader = try name.reader()
    let ticks = [Tick.sample(instrument: 3, sequence: 1)]
    try name.forge(offset: 8192 + 128, value: 1)
    writer.noteFilter(InstrumentSet([InstrumentID(rawValue: 4)]), version: 1, behind: 0)
    writer.writeObserved(ticks.span)
    #expect(reader.value(.wakes) == 0)
    writer.noteFilter(InstrumentSet([InstrumentID(rawValue: 3)]), version: 2, behind: 0)
    writer.writeObserved(ticks.span)
    #expect(reader.value(.wakes) == 1)
  }

  /// Runs one body on a thread of its own while another runs here.
  private func withThread(_ body: @escaping @Sendable () -> Void, while other: () throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    Thread {
      body()
      done.signal()
    }.start()
    defer { done.wait() }
    try other()
  }
}
