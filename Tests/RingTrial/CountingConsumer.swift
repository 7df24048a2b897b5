import Glibc
import MarketData
import SharedRing

/// A consumer that takes what comes until the last record, and ends well only if every record was whole and in order,
/// every hole was marked, no other record was, and the holes together are what the producer counted as dropped.
enum CountingConsumer {
  /// The sequence of the last record.
  static let last = UInt64.max
  private static let silenceSecondsMax = 60

  static func run(feed: String, lane: String) throws(Fault) {
    var reader = try LaneReader(feed: feed, lane: lane)
    var previous: UInt64 = 0
    var received: UInt64 = 0
    var lost: UInt64 = 0
    var isDone = false
    while !isDone {
      let count = try reader.drain(max: 256) { run throws(Fault) in
        for index in run.indices {
          let tick = run[index]
          guard tick.isWhole else { throw Fault(.checkFailed, "torn: \(tick)") }
          if tick.sequence == last {
            isDone = true
            return
          }
          guard tick.sequence > previous else {
            throw Fault(.checkFailed, "out of order: \(tick.sequence) after \(previous)")
          }
          let hole = tick.sequence - previous - 1
          guard (hole > 0) == tick.flags.contains(.gapBefore) else {
            throw Fault(.checkFailed, "a hole of \(hole) before \(tick.sequence), flags \(tick.flags)")
          }
          lost += hole
          received += 1
          previous = tick.sequence
        }
      }
      if count == 0, !isDone,
        !reader.wait(.spinThenYield, nanosecondsMax: Int64(silenceSecondsMax) * 1_000_000_000)
      {
        throw Fault(.checkFailed, "nothing came for \(silenceSecondsMax) s")
      }
    }
    guard lost == reader.dropped else {
      throw Fault(
        .checkFailed, "the holes are \(lost) records, but \(reader.dropped) were counted as dropped")
    }
    print("consumer of lane \(lane): received \(received), lost \(lost), each loss marked and counted")
  }
}

extension LaneWriter {
  /// Publishes one trial record, as a batch of its own.
  mutating func publishTrial(_ value: UInt64) {
    _ = write(.trial(value: value, start: 0))
    flush()
  }

  /// Waits for room and publishes the record that ends a consumer.
  mutating func publishLast() throws(Fault) {
    let deadline = Timestamp.monotonicNanoseconds() + 30_000_000_000
    while !hasRoom(for: 1) {
      guard Timestamp.monotonicNanoseconds() < deadline else {
        throw Fault(.checkFailed, "the consumer did not go on")
      }
      usleep(100)
    }
    publishTrial(CountingConsumer.last)
  }

  /// Waits until the consumer has taken the lane.
  func waitForConsumer() throws(Fault) {
    let deadline = Timestamp.monotonicNanoseconds() + 10_000_000_000
    while !hasConsumer {
      guard Timestamp.monotonicNanoseconds() < deadline else {
        throw Fault(.checkFailed, "no consumer came")
      }
      usleep(1_000)
    }
  }
}
