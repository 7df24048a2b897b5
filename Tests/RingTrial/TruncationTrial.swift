import Glibc
import MarketData
import SharedRing

/// A consumer that cuts its lane's shared memory short under the producer, again and again.
///
/// The producer must outlive each cut, know of it, and keep another lane whole; without its guard it dies of SIGBUS.
enum TruncationTrial {
  private static let capacity = 1024
  private static let recordsAfterCut = 4096

  static func run(rounds: Int, isGuarded: Bool) throws(Fault) {
    let feed = "cut-\(getpid())"
    defer { for lane in ["cut", "honest"] { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) } }
    // In a process of its own, so that its death leaves somebody to tell of it.
    guard isGuarded else {
      let producer = try Child(["unguarded", feed])
      return try producer.waitForSuccess("producer without a guard")
    }
    var honest = try LaneWriter(feed: feed, lane: "honest", capacity: 65_536)
    let consumer = try Child(["count", feed, "honest"])
    defer { consumer.signal(SIGKILL) }
    try honest.waitForConsumer()
    var value: UInt64 = 0
    for round in 1...rounds {
      let isTruncated = try suffer(feed) {
        value += 1
        $0.publishTrial(value)
        honest.publishTrial(value)
      }
      guard isTruncated, !honest.isTruncated else {
        throw Fault(.checkFailed, "round \(round): the lane that was cut does not say so, or another does")
      }
    }
    try honest.publishLast()
    try consumer.waitForSuccess("other consumer")
    print(
      "\(rounds) lanes cut short under the producer, which went on to record \(value); the other lane is whole"
    )
  }

  /// The seeded bug: a producer as if its guard had never been there.
  static func runUnguarded(feed: String) throws(Fault) {
    _ = try suffer(feed) {
      signal(SIGBUS, SIG_DFL)
      $0.publishTrial(1)
    }
  }

  /// Publishes on a lane before, while and after it is cut short; returns whether the lane knows.
  private static func suffer(_ feed: String, _ publish: (inout LaneWriter) -> Void) throws(Fault) -> Bool {
    let before = SharedMapping.truncations
    var cut = try LaneWriter(feed: feed, lane: "cut", capacity: capacity)
    let vandal = try Child(["truncate", SegmentNames.lane("cut", of: feed)])
    while SharedMapping.truncations == before { publish(&cut) }
    try vandal.waitForSuccess("vandal")
    for _ in 0..<recordsAfterCut { publish(&cut) }
    SharedMapping.unlink(SegmentNames.lane("cut", of: feed))
    return cut.isTruncated
  }

  /// Cuts an object to nothing, as anybody can who may write it.
  static func truncate(object: String) throws(Fault) {
    let descriptor = shm_open(object, O_RDWR, 0)
    guard descriptor >= 0, ftruncate(descriptor, 0) == 0 else {
      throw Fault(.missingInput, "cannot cut '\(object)' short")
    }
  }
}
