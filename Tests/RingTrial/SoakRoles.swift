import Glibc
import MarketData
import SharedRing

/// A producer that publishes numbered records as fast as the lane takes them, until it is killed.
enum SoakProducer {
  static let lane = "soak"
  /// Small, so that kills meet every place of the ring, and the end of the ring often.
  static let capacity = 256
  private static let runMax = 24
  /// Records of the shortest batch that is streamed.
  private static let streamedMin = 64

  static func run(feed: String, ledger path: String) throws(Fault) {
    let ledger = try Ledger(path: path)
    let start = try ledger.enterStart()
    let begin = Timestamp.monotonicNanoseconds()
    var writer = try LaneWriter(feed: feed, lane: lane, capacity: capacity)
    let end = Timestamp.monotonicNanoseconds()
    ledger[.producerAttach] = UInt64(end - begin)
    ledger[.producerReady] = UInt64(end)
    var chance = Chance(seed: UInt64(end))
    var value = ledger[.attempted]
    while ledger[.stop] == 0 {
      // A long batch is streamed, and published by its first slot.
      let isStreamed = chance.next(below: 3) == 0
      let count = isStreamed ? streamedMin + chance.next(below: runMax) : chance.next(below: runMax) + 1
      guard writer.hasRoom(for: count) else {
        writer.flush()
        continue
      }
      ledger[.attempted] = value + UInt64(count)
      if isStreamed {
        let batch = (1...UInt64(count)).map { Tick.trial(value: value + $0, start: start) }
        _ = writer.write(batch.span)
      } else if chance.next(below: 2) == 0 {
        for step in 1...UInt64(count) { _ = writer.write(.trial(value: value + step, start: start)) }
      } else {
        var filled = 0
        while filled < count {
          let run = writer.reserve(count - filled)
          for index in 0..<run {
            writer.append(.trial(value: value + UInt64(filled + index + 1), start: start))
          }
          filled += run
        }
      }
      value += UInt64(count)
      ledger[.done] = value
      if chance.next(below: 8) == 0 { writer.flush() }
    }
    writer.flush()
  }
}

/// A consumer that checks every record against the ledger, until it is killed.
enum SoakConsumer {
  private static let attachSecondsMax = 10
  private static let drainSecondsMax = 5

  static func run(feed: String, ledger path: String) throws(Fault) {
    let ledger = try Ledger(path: path)
    let deadline = Timestamp.monotonicNanoseconds() + Int64(attachSecondsMax) * 1_000_000_000
    var reader = try attach(feed, until: deadline, ledger)
    let resumed = reader.position
    var place = ledger.place
    guard resumed >= ledger[.released] else {
      throw failure("doubled: resumed at \(resumed), though all before \(ledger[.released]) was released")
    }
    guard resumed <= place.next else {
      throw failure("lost: resumed at \(resumed), though \(place.next) was next")
    }
    ledger[.doubled] += place.next - resumed
    var chance = Chance(seed: UInt64(ledger[.consumerReady]))
    var end: Int64?
    while true {
      let isLast = ledger[.stop] == Ledger.everybodyStops
      let first = reader.position
      let count = try reader.read(max: chance.next(below: 64) + 1) { run throws(Fault) in
        for index in run.indices {
          try check(run[index], at: first + UInt64(index), &place, ledger)
        }
      }
      if count > 0, chance.next(below: 3) == 0 {
        reader.release(upTo: reader.position)
        ledger[.released] = reader.position
      }
      if count == 0 {
        if isLast {
          if place.value >= ledger[.done] { break }
          let now = Timestamp.monotonicNanoseconds()
          if end == nil { end = now + Int64(drainSecondsMax) * 1_000_000_000 }
          guard now < end ?? 0 else {
            throw failure("lost: \(ledger[.done]) were published, but nothing came after \(place.value)")
          }
        }
        reader.release(upTo: reader.position)
        ledger[.released] = reader.position
        reader.wait(.spinThenFutex, nanosecondsMax: 1_000_000)
      }
    }
  }

  private static func attach(_ feed: String, until deadline: Int64, _ ledger: Ledger) throws(Fault)
    -> LaneReader
  {
    while true {
      let begin = Timestamp.monotonicNanoseconds()
      do throws(Fault) {
        let reader = try LaneReader(feed: feed, lane: SoakProducer.lane)
        let end = Timestamp.monotonicNanoseconds()
        ledger[.consumerAttach] = UInt64(end - begin)
        ledger[.consumerReady] = UInt64(end)
        return reader
      } catch {
        // Its producer may be dead in the middle of making it.
        guard error.kind == .unavailable, begin < deadline else { throw error }
        usleep(100)
      }
    }
  }

  private static func check(
    _ tick: Tick, at position: UInt64, _ place: inout Ledger.Place, _ ledger: Ledger
  ) throws(Fault) {
    guard tick.isWhole else { throw failure("torn: position \(position) holds \(tick)") }
    guard position >= place.next else { return }
    if tick.sequence != place.value + 1 || tick.trialStart != place.start {
      let before = ledger.before(start: tick.trialStart)
      // The first record of a start: all that earlier ones finished came before it, and what the one killed had only
      // begun is never published again.
      let isNext =
        tick.trialStart > place.start && place.value >= before.done && tick.sequence == before.attempted + 1
      guard isNext || (position == 0 && tick.sequence == before.attempted + 1) else {
        throw failure(
          "lost: after value \(place.value) of start \(place.start) came \(tick.sequence) of start "
            + "\(tick.trialStart), which began when \(before.done) were published and \(before.attempted) tried"
        )
      }
      guard position == 0 || tick.flags.contains(.gapBefore) else {
        throw failure("not said: value \(tick.sequence) begins a new start and has no gap mark")
      }
    }
    place = Ledger.Place(next: position + 1, value: tick.sequence, start: tick.trialStart)
    ledger.place = place
  }

  private static func failure(_ text: String) -> Fault { Fault(.checkFailed, text) }
}
