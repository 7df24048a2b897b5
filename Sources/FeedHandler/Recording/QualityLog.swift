internal import CandleBuilding
internal import CandleStore
internal import MarketData
internal import TickQuality

/// What the recorder notes of the quality rules' verdicts: how many ticks of each instrument carry which flag on which
/// day, and the records that were rejected or corrected.
///
/// It sees records in their order and nothing else, so that replaying the archive gives the same counts again. What was
/// noted waits here until ``flush(to:)``; rows beyond the day's bound are counted only.
struct QualityLog {
  private let rules: [ChosenRule]
  private let rowsMax: Int
  /// A name for each bit of a tick's flags: that of the rule that raises it, where there is only one.
  private let names: [String]
  private var dayEnd = Timestamp(nanoseconds: .min)
  private var day = 0
  /// By instrument and flag.
  private var flagged: [UInt32] = []
  private var changed: [Int] = []
  private var isChanged: [Bool] = []
  private var verdicts: [VerdictKey: QualityCount] = [:]
  /// Counts of days that are over and wait to be stored.
  private var settled: [QualityCount] = []
  private var waiting: [QuarantinedRecord] = []
  private var withheld: [WithheldVolume] = []
  private var rows = 0
  private var haveVerdictsChanged = false

  private struct VerdictKey: Hashable {
    var instrument: InstrumentID
    var rule: String
  }

  private static let flagBits = TickFlags.RawValue.bitWidth
  /// What is no verdict: a fact about the venue or the lane.
  private static let facts: TickFlags = [.gapBefore, .noExchangeTime, .withoutVolume, .gapOpen]

  init(rules: [ChosenRule], rowsMax: Int) {
    self.rules = rules
    self.rowsMax = rowsMax
    names = (0..<Self.flagBits).map { bit in
      let flag = TickFlags(rawValue: 1 << bit)
      let raising = rules.filter { $0.flag == flag }
      return raising.count == 1 ? raising[0].name : flag.description
    }
  }

  /// True when there is nothing to store.
  var isEmpty: Bool {
    changed.isEmpty && waiting.isEmpty && withheld.isEmpty && settled.isEmpty && !haveVerdictsChanged
  }

  /// Takes the next records.
  mutating func take(_ run: Span<Tick>) {
    for index in run.indices {
      if run[index].receiveTime >= dayEnd { beginDay(of: run[index].receiveTime) }
      let kind = run[index].kind
      if kind == .trade {
        let flags = run[index].flags.subtracting(Self.facts)
        if !flags.isEmpty { count(flags, run[index].instrument.index) }
      } else if kind.isQuarantined {
        quarantine(run[index])
      }
    }
  }

  /// Takes what outages withheld (candle rule 6).
  mutating func take(_ volumes: [CandleAggregator.Withheld]) {
    withheld += volumes.map {
      WithheldVolume(instrument: $0.instrument, since: $0.since, back: $0.back, volume: $0.volume)
    }
  }

  private mutating func count(_ flags: TickFlags, _ instrument: Int) {
    if instrument >= isChanged.count {
      let missing = instrument + 1 - isChanged.count
      isChanged.append(contentsOf: repeatElement(false, count: missing))
      flagged.append(contentsOf: repeatElement(0, count: missing * Self.flagBits))
    }
    var bits = flags.rawValue
    while bits != 0 {
      flagged[instrument &* Self.flagBits &+ bits.trailingZeroBitCount] &+= 1
      bits &= bits &- 1
    }
    if !isChanged[instrument] {
      isChanged[instrument] = true
      changed.append(instrument)
    }
  }

  private mutating func quarantine(_ record: Tick) {
    let verdict = rules.verdict(on: record)
    let rule = verdict?.rule ?? record.flags.subtracting(Self.facts).description
    let key = VerdictKey(instrument: record.instrument, rule: rule)
    var count =
      verdicts[key] ?? QualityCount(day: day, instrument: record.instrument, rule: rule)
    if record.kind == .original { count.corrected += 1 } else { count.rejected += 1 }
    verdicts[key] = count
    haveVerdictsChanged = true
    guard rows < rowsMax else { return }
    rows += 1
    let was = record.kind == .original ? "corrected" : "rejected"
    waiting.append(
      QuarantinedRecord(
        instrument: record.instrument, record: .tick, rule: rule,
        reason: verdict?.reason ?? "by an earlier configuration", receiveTime: record.receiveTime,
        exchangeTime: record.exchangeTime, price: record.lastPrice, volume: record.dayVolume,
        detail: "{\"verdict\":\"\(was)\",\"flags\":\"\(record.flags)\",\"last_trade_seconds\":"
          + "\(record.lastTradeSeconds),\"last_quantity\":\(record.lastQuantity),\"open_interest\":"
          + "\(record.openInterest)}",
        sequence: record.sequence))
  }

  private mutating func beginDay(of time: Timestamp) {
    settle()
    settled += verdicts.values
    verdicts = [:]
    flagged = Array(repeating: 0, count: flagged.count)
    day = CivilTime(time).dayNumber
    dayEnd = CivilTime(dayNumber: day + 1).timestamp()
    rows = 0
  }

  /// Turns the counts that changed into rows.
  private mutating func settle() {
    for instrument in changed {
      isChanged[instrument] = false
      for bit in 0..<Self.flagBits {
        let count = flagged[instrument * Self.flagBits + bit]
        guard count > 0 else { continue }
        settled.append(
          QualityCount(
            day: day, instrument: InstrumentID(rawValue: UInt32(instrument)), rule: names[bit],
            flagged: Int(count)))
      }
    }
    changed.removeAll(keepingCapacity: true)
  }

  /// Gives everything noted to the store; what it refuses stays and is given again.
  ///
  /// - Throws: what the store throws.
  mutating func flush(to store: CandleStore) throws(Fault) {
    settle()
    try store.recordQuality(settled + verdicts.values)
    settled.removeAll(keepingCapacity: true)
    haveVerdictsChanged = false
    try store.quarantine(waiting)
    waiting.removeAll(keepingCapacity: true)
    try store.recordWithheld(withheld)
    withheld.removeAll(keepingCapacity: true)
  }
}
