import CandleBuilding
import MarketData
import Testing

/// The candles follow from the records alone: neither timer calls nor pauses nor absurd values change how they end.
@Suite struct DeterminismTests {
  struct Key: Hashable {
    var instrument: InstrumentID
    var start: Timestamp
  }

  /// The last state of every candle.
  private func lastStates(_ candles: [Candle]) -> [Key: Candle] {
    var states: [Key: Candle] = [:]
    for candle in candles { states[Key(instrument: candle.instrument, start: candle.start)] = candle }
    return states
  }

  private func run(_ records: [Tick], between: (inout CandleAggregator, inout [Candle], Tick) -> Void)
    -> [Key: Candle]
  {
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    for record in records {
      aggregator.apply(record, into: &closed)
      between(&aggregator, &closed, record)
    }
    aggregator.finish(into: &closed)
    return lastStates(closed)
  }

  /// Some minutes of a few instruments with delays, late trades, gaps, resets and every flag there is.
  private func randomRecords(count: Int, using generator: inout SeededGenerator) -> [Tick] {
    var received = Feed.time("09:14:30")
    var volumes = [Int64](repeating: 1000, count: 5)
    var records: [Tick] = []
    for number in 1...count {
      received = received + Int64.random(in: 0...2_000_000_000, using: &generator)
      if Int.random(in: 0..<200, using: &generator) == 0 {
        received = received + Int64.random(in: 0...300_000_000_000, using: &generator)
      }
      let chance = Int.random(in: 0..<100, using: &generator)
      let instrument = InstrumentID(rawValue: UInt32.random(in: 0..<5, using: &generator))
      if chance < 2 {
        let began = received + -Int64.random(in: 0...120_000_000_000, using: &generator)
        records.append(
          Tick(
            instrument: chance == 0 ? .all : instrument, sequence: UInt64(number), receiveTime: received,
            exchangeTime: Bool.random(using: &generator) ? began : .unknown, lastPrice: .zero, dayVolume: 0,
            lastTradeSeconds: 0, lastQuantity: GapCause.stalled.rawValue, openInterest: 0,
            flags: Bool.random(using: &generator) ? .gapOpen : [], kind: .gap))
        continue
      }
      let index = instrument.index
      volumes[index] += Int64.random(in: 0...3, using: &generator)
      if chance == 2 { volumes[index] = 0 }
      let delay =
        chance < 10
        ? Int64.random(in: 0...400, using: &generator) : Int64.random(in: 0...4, using: &generator)
      let stamped = Int.random(in: 0..<10, using: &generator) > 0
      let flags = chance < 20 ? TickFlags(rawValue: UInt16.random(in: 0..<2048, using: &generator)) : []
      records.append(
        Tick(
          instrument: instrument, sequence: UInt64(number), receiveTime: received,
          exchangeTime: stamped ? received + -400_000_000 : .unknown,
          lastPrice: Price(units: Int64.random(in: 99...101, using: &generator) * Price.unitsPerOne),
          dayVolume: volumes[index],
          lastTradeSeconds: stamped ? UInt32(received.seconds - delay) : 0, lastQuantity: 1,
          openInterest: UInt32(number), flags: flags))
    }
    return records
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func timerCallsAtAnyTimeLeaveTheSameCandles(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let records = randomRecords(count: 1500, using: &generator)
    let plain = run(records) { _, _, _ in }
    #expect(plain.count > 50)
    for hurry in [1_000_000_000, 5_000_000_000, 90_000_000_000] as [Int64] {
      let timed = run(records) { aggregator, closed, record in
        guard Int.random(in: 0..<4, using: &generator) == 0 else { return }
        let ahead = Int64.random(in: -hurry...hurry, using: &generator)
        aggregator.advance(to: record.receiveTime + ahead, into: &closed)
      }
      #expect(timed == plain)
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func batchesOfAnySizeHandOutTheSameStates(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let records = randomRecords(count: 1500, using: &generator)
    var single = CandleAggregator()
    var singleClosed: [Candle] = []
    for record in records { single.apply(record, into: &singleClosed) }
    var batched = CandleAggregator()
    var batchedClosed: [Candle] = []
    var position = 0
    while position < records.count {
      let end = min(records.count, position + Int.random(in: 1...200, using: &generator))
      batched.apply(records.span.extracting(position..<end), into: &batchedClosed)
      position = end
    }
    #expect(batchedClosed == singleClosed)
    #expect(batched.droppedLateTicks == single.droppedLateTicks)
    #expect(batched.ignoredRecords == single.ignoredRecords)
    for instrument in 0..<5 as Range<UInt32> {
      let id = InstrumentID(rawValue: instrument)
      #expect(batched.forming(id) == single.forming(id))
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func everyStateEndsWithTheSameCandles(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let records = randomRecords(count: 1500, using: &generator)
    let plain = run(records) { _, _, _ in }
    var aggregator = CandleAggregator(announcing: .everyState)
    var closed: [Candle] = []
    for record in records { aggregator.apply(record, into: &closed) }
    aggregator.finish(into: &closed)
    #expect(lastStates(closed) == plain)
    #expect(closed.contains { $0.state == .forming })
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func finishingInBetweenAndGoingOnLeavesTheSameCandles(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let records = randomRecords(count: 1500, using: &generator)
    let plain = run(records) { _, _, _ in }
    let paused = run(records) { aggregator, closed, record in
      let chance = Int.random(in: 0..<50, using: &generator)
      if chance == 0 { aggregator.finish(into: &closed) }
      if chance == 1 { aggregator.advance(to: record.receiveTime + 30_000_000_000, into: &closed) }
    }
    #expect(paused == plain)
  }

  @Test func rebuildingFromTheRecordsOverwritesWhatACrashLeftBehind() {
    var generator = SeededGenerator(state: 11)
    let records = randomRecords(count: 1000, using: &generator)
    let plain = run(records) { _, _, _ in }
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    for record in records[..<600] { aggregator.apply(record, into: &closed) }
    aggregator = CandleAggregator()
    for record in records { aggregator.apply(record, into: &closed) }
    aggregator.finish(into: &closed)
    #expect(lastStates(closed) == plain)
  }

  @Test func aRevisionIsNeverTakenBackAndSealedStatesNeverReopen() {
    var generator = SeededGenerator(state: 5)
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    for record in randomRecords(count: 3000, using: &generator) { aggregator.apply(record, into: &closed) }
    var latest: [Key: Candle] = [:]
    for candle in closed {
      let key = Key(instrument: candle.instrument, start: candle.start)
      if let before = latest[key] {
        #expect(before.revision <= candle.revision && before.state.rawValue <= candle.state.rawValue)
      }
      latest[key] = candle
    }
    #expect(closed.contains { $0.revision > 0 })
  }

  /// Independent arithmetic: every trade that counts, grouped by minute after the fact.
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func candlesAgreeWithGroupingTheTradesAfterwards(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    var received = Feed.time("09:15:00")
    var volume: Int64 = 0
    var records: [Tick] = []
    for number in 1...2000 {
      received = received + Int64.random(in: 0...1_500_000_000, using: &generator)
      volume += max(0, Int64.random(in: -5...20, using: &generator))
      let delay = Int64.random(in: 0...5, using: &generator)
      records.append(
        Tick(
          instrument: Feed.instrument, sequence: UInt64(number), receiveTime: received,
          exchangeTime: received,
          lastPrice: Price(units: Int64.random(in: 1...1_000_000, using: &generator)), dayVolume: volume,
          lastTradeSeconds: UInt32(received.seconds - delay), lastQuantity: 1, openInterest: 0))
    }
    let trades = zip(records, records.dropFirst()).filter { $0.dayVolume < $1.dayVolume }.map {
      (second: $1.lastTradeSeconds, price: $1.lastPrice, volume: $1.dayVolume - $0.dayVolume)
    }
    let minutes = Dictionary(grouping: trades) { $0.second / 60 * 60 }
    let candles = run(records) { _, _, _ in }
    #expect(candles.count == minutes.count)
    for (minute, group) in minutes {
      let sorted = group.enumerated().sorted {
        ($0.element.second, $0.offset) < ($1.element.second, $1.offset)
      }
      let key = Key(instrument: Feed.instrument, start: Timestamp(seconds: Int64(minute)))
      let oldest = sorted.first.map(\.element.second)
      #expect(candles[key]?.open == sorted.first { $0.element.second == oldest }?.element.price)
      #expect(candles[key]?.close == sorted.last?.element.price)
      #expect(candles[key]?.high == group.map(\.price).max())
      #expect(candles[key]?.low == group.map(\.price).min())
      #expect(candles[key]?.volume == group.map(\.volume).reduce(0, +))
      #expect(candles[key]?.tickCount == group.count)
      let turnover = group.map { $0.price.units * $0.volume }.reduce(0, +) / 100_000
      #expect(candles[key]?.turnover == turnover)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func recordsOfRandomBytesNeverTrap(seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max, 1_795_405_559_000_000_000]
    func word() -> Int64 {
      Bool.random(using: &generator)
        ? extremes[Int.random(in: 0..<extremes.count, using: &generator)]
        : Int64(bitPattern: generator.next())
    }
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    for _ in 0..<2000 {
      let number = generator.next()
      aggregator.apply(
        Tick(
          instrument: number % 16 == 0
            ? .all : InstrumentID(rawValue: UInt32(truncatingIfNeeded: number >> (number % 33))),
          sequence: number, receiveTime: Timestamp(nanoseconds: word()),
          exchangeTime: Timestamp(nanoseconds: word()), lastPrice: Price(units: word()), dayVolume: word(),
          lastTradeSeconds: UInt32(truncatingIfNeeded: word()), lastQuantity: 1, openInterest: .max,
          flags: TickFlags(rawValue: UInt16(truncatingIfNeeded: number >> 8)),
          kind: TickKind(rawValue: UInt8(number >> 24 & 3))),
        into: &closed)
    }
    aggregator.advance(to: Timestamp(nanoseconds: .max), into: &closed)
    aggregator.finish(into: &closed)
    #expect(closed.allSatisfy { (0...100).contains($0.coverage) && $0.low <= $0.high })
    #expect(aggregator.ignoredRecords > 0)
  }

  @Test func anInstrumentOutOfRangeIsIgnoredAndCounted() {
    var feed = Feed()
    for number in [UInt32(CandleAggregator.instrumentsMax), .max] {
      feed.tick("09:15:00", price: 1, volume: 0, instrument: InstrumentID(rawValue: number))
    }
    #expect(feed.aggregator.ignoredRecords == 2)
    #expect(feed.aggregator.forming(.all) == nil)
  }

  @Test func volumesAtTheEndOfTheRangeAreClampedNotWrapped() {
    var feed = Feed()
    feed.tick("09:15:00", traded: "09:15:00", price: 9_000_000, volume: 0)
    for _ in 0..<3 {
      feed.tick("09:15:01", traded: "09:15:01", price: 9_000_000, volume: .max)
      feed.tick("09:15:02", traded: "09:15:02", price: 9_000_000, volume: 0)
    }
    #expect(feed.candle("09:15:00")?.volume == .max)
    #expect(feed.candle("09:15:00")?.turnover == .max)
  }
}
