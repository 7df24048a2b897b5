/// A bound that the ring sets itself, as a ratio within one placement or in nanoseconds.
struct RingBound {
  let text: String
  let measured: Double
  let limit: Double
  var isMet: Bool { measured <= limit }

  /// The bounds that can be told from what was run in a placement.
  static func all(in report: RingReport, _ placement: RingPlacement) -> [RingBound] {
    guard placement != .between else { return [] }
    let isFar = placement == .far
    func row(_ peer: String, _ measure: RingMeasure) -> RingReport.Row? {
      report.row(peer, measure, placement)
    }
    func ours(_ measure: RingMeasure) -> RingReport.Row? { row(RingProgram.ourName, measure) }
    func limit(_ measure: RingMeasure) -> RingReport.Row? { row(RingProgram.limitName, measure) }
    var bounds: [RingBound] = []
    func add(_ text: String, _ measured: Double?, _ over: Double?, atMost limit: Double) {
      guard let measured, let over else { return }
      bounds.append(RingBound(text: text, measured: measured / over, limit: limit))
    }
    add(
      "round trip p50, x one cache line there and back", ours(.roundTrip)?.p50, limit(.roundTrip)?.p50,
      atMost: isFar ? 1.45 : 1.10)
    if !isFar {
      add(
        "round trip p99, x that of one cache line", ours(.roundTrip)?.p99, limit(.roundTrip)?.p99, atMost: 1.5
      )
    }
    add(
      "batches, ns a record, x boost's", ours(.batches)?.nanoseconds, row("boost", .batches)?.nanoseconds,
      atMost: isFar ? 1 / 1.5 : 1 / 2)
    if isFar {
      add(
        "batches past the caches, ns a record, x boost's", ours(.streamed)?.nanoseconds,
        row("boost", .batches)?.nanoseconds, atMost: 1 / 1.5)
    } else {
      add(
        "one at a time, ns a record, x boost's", ours(.singles)?.nanoseconds,
        row("boost", .singles)?.nanoseconds,
        atMost: 1 / 2.5)
    }
    add("producer alone, ns a record", ours(.producerAlone)?.nanoseconds, 1, atMost: 1.3)
    add(
      "producer alone, x boost's", ours(.producerAlone)?.nanoseconds,
      row("boost", .producerAlone)?.nanoseconds,
      atMost: 1)
    add("one way at 1 M/s, p50, x boost's", ours(.paced)?.p50, row("boost", .paced)?.p50, atMost: 1)
    for measure in [RingMeasure.lanes2, .lanes4, .lanes8] {
      add(
        "producer with \(measure.laneCount) lanes, x \(measure.laneCount) times one lane",
        ours(measure)?.nanoseconds,
        ours(.lanes1)?.nanoseconds.map { $0 * Double(measure.laneCount) }, atMost: 1.1)
    }
    add("last value, ns a read at 1 M/s of writes", ours(.lastValue)?.nanoseconds, 1, atMost: 25)
    add("waking a sleeper, p50, x a bare futex wake", ours(.wake)?.p50, limit(.wake)?.p50, atMost: 1.3)
    add(
      "looking for sleepers, x not looking", ours(.wakeCheck)?.nanoseconds, ours(.noWakeCheck)?.nanoseconds,
      atMost: 1.05)
    return bounds
  }
}
