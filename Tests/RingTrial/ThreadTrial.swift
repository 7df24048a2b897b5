import Glibc
import MarketData
import SharedRing

/// A writer and a reader on two threads of one process: the hot path as AddressSanitizer and UBSan judge it.
enum ThreadTrial {
  private static let feed = "threads-\(getpid())"
  private static let lane = "lane"
  private static let capacity = 64

  static func run(records: Int, overflows: Bool) throws(Fault) {
    if overflows { overflow() }
    let writer = try LaneWriter(feed: feed, lane: lane, capacity: capacity)
    defer { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) }
    let reader = try LaneReader(feed: feed, lane: lane)
    let work = Work(writer: writer, records: UInt64(records))
    try read(records, with: reader, beside: work)
    print("threads: \(records) records in order")
  }

  private static func read(_ records: Int, with reader: consuming LaneReader, beside work: Work) throws(Fault)
  {
    var thread = pthread_t()
    let hand = Unmanaged.passRetained(work).toOpaque()
    guard
      pthread_create(
        &thread, nil,
        { hand in
          if let hand { Unmanaged<Work>.fromOpaque(hand).takeRetainedValue().run() }
          return nil
        }, hand) == 0
    else { throw Fault(.system, "cannot start a thread") }
    var expected: UInt64 = 1
    while expected <= UInt64(records) {
      let count = try reader.drain(max: 24) { run throws(Fault) in
        for index in run.indices {
          guard run[index].isWhole, run[index].sequence == expected else {
            throw Fault(.checkFailed, "\(expected) was due, and \(run[index]) came")
          }
          expected += 1
        }
      }
      if count == 0 {
        reader.wait(expected % 3 == 0 ? .spinThenFutex : .spinThenYield, nanosecondsMax: 1_000_000)
      }
    }
    pthread_join(thread, nil)
  }

  /// Reads behind the end of an array on the heap: what AddressSanitizer must report.
  private static func overflow() {
    let bytes = UnsafeMutablePointer<UInt64>.allocate(capacity: 4)
    defer { bytes.deallocate() }
    bytes.initialize(repeating: 1, count: 4)
    print("overflow: \(bytes[4])")
  }

  /// The writer's thread owns the writer.
  private final class Work: @unchecked Sendable {
    // @unchecked: handed to the thread before it starts, and used by it alone.
    private var writer: LaneWriter
    private let records: UInt64

    init(writer: consuming LaneWriter, records: UInt64) {
      self.writer = writer
      self.records = records
    }

    func run() {
      var chance = Chance(seed: 3)
      var value: UInt64 = 0
      while value < records {
        let count = min(UInt64(chance.next(below: 20) + 1), records - value)
        if chance.next(below: 2) == 0 {
          guard writer.hasRoom(for: Int(count)) else {
            writer.flush()
            continue
          }
          for step in 1...count { _ = writer.write(.trial(value: value + step, start: 0)) }
          value += count
        } else {
          let run = writer.reserve(Int(count))
          for index in 0..<run { writer.append(.trial(value: value + UInt64(index) + 1, start: 0)) }
          value += UInt64(run)
        }
        writer.flush()
      }
    }
  }
}
