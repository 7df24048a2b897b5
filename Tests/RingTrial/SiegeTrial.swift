import CSharedRing
import Glibc
import MarketData
import SharedRing

/// A consumer that writes garbage into everything it may write, while the producer publishes to it and to another.
///
/// The producer must go on, at a bounded cost, and the other consumer must get every record as it was.
enum SiegeTrial {
  private static let capacity = 1024
  private static let canaryRows = 64

  static func run(seconds: Int) throws(Fault) {
    let feed = "siege-\(getpid())"
    let segment = try FeedSegment(
      feed: feed, instrumentsMax: canaryRows, controlSocket: "/run/siege.sock", dataDirectory: "/siege")
    for row in 0..<canaryRows { segment.storeLastValue(canary(row)) }
    var besieged = try LaneWriter(feed: feed, lane: "besieged", capacity: capacity)
    var honest = try LaneWriter(feed: feed, lane: "honest", capacity: 65_536)
    defer {
      segment.unlink()
      for lane in ["besieged", "honest"] { SharedMapping.unlink(SegmentNames.lane(lane, of: feed)) }
    }
    let consumer = try Child(["count", feed, "honest"])
    defer { consumer.signal(SIGKILL) }
    try honest.waitForConsumer()

    var publishing = PacedPublishing()
    var peace = PublishTimes()
    var war = PublishTimes()
    let length = Int64(seconds) * 500_000_000
    publishing.run(nanoseconds: length, into: &peace) {
      besieged.publishTrial($0)
      honest.publishTrial($0)
    }
    let before = besieged.position
    let vandal = try Child(["vandal", SegmentNames.lane("besieged", of: feed), "\(seconds * 1000)"])
    defer { vandal.signal(SIGKILL) }
    publishing.run(nanoseconds: length, into: &war) {
      besieged.publishTrial($0)
      honest.publishTrial($0)
    }
    vandal.signal(SIGKILL)
    try honest.publishLast()
    try consumer.waitForSuccess("other consumer")
    let view = try FeedView(feed: feed)
    for row in 0..<canaryRows {
      var found = view.latest(InstrumentID(rawValue: UInt32(row)))
      found?.stamp = 0
      guard found == canary(row) else {
        throw Fault(.checkFailed, "last value \(row) is \(String(describing: found))")
      }
    }
    guard view.controlSocket == "/run/siege.sock", view.dataDirectory == "/siege" else {
      throw Fault(.checkFailed, "the feed's header was changed")
    }
    print(
      """
      in peace: mean \(Int(peace.mean)) ns, \(peace.summary)
      besieged: mean \(Int(war.mean)) ns, \(war.summary)
      mean besieged / in peace: \((war.mean / max(peace.mean, 1) * 100).rounded() / 100)
      the producer went on from \(before) to \(besieged.position) on the besieged lane; the other consumer, \
      last values and header are untouched
      """)
  }

  private static func canary(_ row: Int) -> Tick {
    var tick = Tick.trial(value: UInt64(row) + 1, start: 7)
    tick.instrument = InstrumentID(rawValue: UInt32(row))
    return tick
  }
}

/// Maps an object read-write, as a consumer must, and overwrites all of it, over and over.
enum Vandal {
  static func run(object: String, milliseconds: Int) throws(Fault) {
    let descriptor = shm_open(object, O_RDWR, 0)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0,
      let base = mmap(nil, Int(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw Fault(.missingInput, "cannot map '\(object)'") }
    let released = base + Int(TICKRING_LANE_READER_OFFSET)
    let sleeping = released + 128
    let published = base + Int(TICKRING_LANE_WRITER_OFFSET)
    var chance = Chance(seed: UInt64(getpid()))
    let words = Int(status.st_size) / 8
    let end = Timestamp.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
    while Timestamp.monotonicNanoseconds() < end {
      for _ in 0..<512 {
        let now = tickring_word_load_relaxed(published)
        let claims: [UInt64] = [
          0, 1, now, now &+ 1, now &- 1, now &- 1024, now &+ 1024, .max, .max - 1, 1 << 63, now &+ 1 << 32,
          UInt64(chance.next(below: .max)),
        ]
        tickring_word_store_relaxed(released, claims[chance.next(below: claims.count)])
        tickring_word_store_relaxed(sleeping, UInt64(chance.next(below: 3)))
        // Any word: header, the producer's own page, filter, slots.
        tickring_word_store_relaxed(
          base + chance.next(below: words) * 8, claims[chance.next(below: claims.count)])
      }
      memset(base, Int32(chance.next(below: 256)), Int(TICKRING_LANE_SLOTS_OFFSET))
    }
  }
}
