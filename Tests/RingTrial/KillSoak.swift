import CSharedRing
import Glibc
import MarketData
import SharedRing

/// Kills the producer and the consumer of a lane in turn, at random moments, and starts each again.
///
/// Nothing may be torn, nothing lost that was published, nothing doubled that was released.
enum KillSoak {
  private static let delayMicrosecondsMax = 1_500
  private static let readySecondsMax = 20

  /// Longest recovery, from a kill to a new process that is attached.
  static let recoveryMillisecondsMax = 100.0

  /// - Parameter isJudged: fail beyond ``recoveryMillisecondsMax``; only on a machine that does nothing else.
  static func run(kills: Int, seededBug: String?, isJudged: Bool) throws(Fault) {
    let feed = "soak-\(getpid())"
    let path = "/tmp/tickring-\(feed).ledger"
    let ledger = try Ledger(path: path, create: true)
    defer {
      unlink(path)
      SharedMapping.unlink(SegmentNames.lane(SoakProducer.lane, of: feed))
    }
    var producer = try Child(["soak-producer", feed, path])
    var consumer = try Child(["soak-consumer", feed, path])
    defer {
      producer.signal(SIGKILL)
      consumer.signal(SIGKILL)
    }
    try waitUntilReady(ledger, since: 0)
    var chance = Chance(seed: 20_250_101)
    var recovery: [Int64] = []
    var attach: [UInt64] = []
    let begin = Timestamp.monotonicNanoseconds()
    for kill in 0..<kills {
      usleep(UInt32(chance.next(below: delayMicrosecondsMax)))
      let isProducer = kill % 2 == 0
      if isProducer { try producer.kill() } else { try consumer.kill() }
      let killed = Timestamp.monotonicNanoseconds()
      if isProducer {
        producer = try Child(["soak-producer", feed, path])
      } else {
        consumer = try Child(["soak-consumer", feed, path])
      }
      // Half of the kills hit a process that works, the others one that may still be attaching.
      if chance.next(below: 2) == 0 {
        try waitUntilReady(ledger, since: killed, producer: isProducer, consumer: !isProducer)
        recovery.append(Int64(ledger[isProducer ? .producerReady : .consumerReady]) - killed)
        attach.append(ledger[isProducer ? .producerAttach : .consumerAttach])
      }
      if let seededBug, kill == kills / 2 {
        try wait("the consumer reads nothing") { ledger.place.next > 0 }
        try consumer.kill()
        try wait("the producer publishes nothing") { ledger[.done] >= ledger.place.value + 2 }
        try producer.kill()
        try seed(seededBug, feed, ledger)
        producer = try Child(["soak-producer", feed, path])
        consumer = try Child(["soak-consumer", feed, path])
      }
    }
    let seconds = Double(Timestamp.monotonicNanoseconds() - begin) / 1e9
    ledger[.stop] = Ledger.producersStop
    try producer.waitForSuccess("producer")
    ledger[.stop] = Ledger.everybodyStops
    try consumer.waitForSuccess("consumer")
    recovery.sort()
    attach.sort()
    print(
      """
      kills \(kills) in \(tenths(seconds)) s, records \(ledger.place.next), \
      torn 0, lost 0, doubled beyond the unreleased batch 0 (within it \(ledger[.doubled]))
      attach and stamp scan: median \(tenths(Double(middle(attach)) / 1e3)) us, \
      max \(tenths(Double(attach.last ?? 0) / 1e3)) us
      from the kill to a new process that is attached: median \(tenths(Double(middle(recovery)) / 1e6)) ms, \
      max \(tenths(Double(recovery.last ?? 0) / 1e6)) ms
      """)
    let longest = Double(recovery.last ?? 0) / 1e6
    if isJudged, longest > recoveryMillisecondsMax {
      throw Fault(
        .checkFailed, "a recovery took \(tenths(longest)) ms; \(recoveryMillisecondsMax) are allowed")
    }
  }

  /// Waits until a role says that it is ready since a moment; throws when a process ended instead.
  private static func waitUntilReady(
    _ ledger: Ledger, since: Int64, producer: Bool = true, consumer: Bool = true
  ) throws(Fault) {
    try wait("a process that was started again does not get ready") {
      (!producer || ledger[.producerReady] > since) && (!consumer || ledger[.consumerReady] > since)
    }
  }

  private static func wait(_ otherwise: String, until isSo: () -> Bool) throws(Fault) {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(readySecondsMax) * 1_000_000_000
    while !isSo() {
      guard Timestamp.monotonicNanoseconds() < deadline else {
        throw Fault(.checkFailed, "for \(readySecondsMax) s \(otherwise)")
      }
      usleep(50)
    }
  }

  /// Does to the ring what a bug would, while neither process lives and records wait: the checker must notice.
  private static func seed(_ bug: String, _ feed: String, _ ledger: Ledger) throws(Fault) {
    let name = SegmentNames.lane(SoakProducer.lane, of: feed)
    let descriptor = shm_open(name, O_RDWR, 0)
    guard descriptor >= 0 else { throw Fault(.system, "cannot open '\(name)'") }
    defer { close(descriptor) }
    let unread = ledger.place.next
    func slot(_ position: UInt64) -> Int {
      Int(TICKRING_LANE_SLOTS_OFFSET) + Int(position % UInt64(SoakProducer.capacity))
        * Int(TICKRING_SLOT_BYTES)
    }
    switch bug {
    case "loses":
      // As if a producer that starts again did not follow the stamps behind the published cursor.
      set(descriptor, Int(TICKRING_LANE_WRITER_OFFSET), unread)
      set(descriptor, slot(unread), 0)
    case "tears":
      set(descriptor, slot(unread) + 40, word(descriptor, slot(unread + 1) + 40))
    case "doubles":
      guard ledger[.released] > 0 else { throw Fault(.checkFailed, "the consumer has released nothing") }
      set(descriptor, Int(TICKRING_LANE_READER_OFFSET), ledger[.released] - 1)
    default: throw Fault(.usage, "there is no seeded bug '\(bug)'")
    }
  }

  private static func word(_ descriptor: Int32, _ offset: Int) -> UInt64 {
    var word: UInt64 = 0
    pread(descriptor, &word, 8, off_t(offset))
    return word
  }

  private static func set(_ descriptor: Int32, _ offset: Int, _ value: UInt64) {
    var word = value
    pwrite(descriptor, &word, 8, off_t(offset))
  }

  private static func middle<Number: Comparable & Numeric>(_ sorted: [Number]) -> Number {
    sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  private static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
