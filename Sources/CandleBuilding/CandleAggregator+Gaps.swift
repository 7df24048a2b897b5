internal import MarketData

// Outages: what they withhold and how they lower coverage (candle rules 6 and 11).
extension CandleAggregator {
  /// A gap withholds the next volume of the instruments concerned (rule 6) and lowers the coverage of the candles
  /// that it overlaps, sealed ones included: a stall is noticed only after it has lasted. That is no revision, for
  /// what was traded stays the same.
  mutating func takeGap(_ gap: Tick, lastAlive: Timestamp, into closed: inout [Candle]) {
    let isWholeFeed = gap.instrument == .all
    guard isWholeFeed || gap.instrument.index < Self.instrumentsMax else {
      ignoredRecords &+= 1
      return
    }
    // A gap that does not say when it began did so after the last sign of life.
    let start = gap.exchangeTime > .unknown ? min(gap.exchangeTime, gap.receiveTime) : lastAlive
    let affected = coverage.note(
      scope: gap.instrument, from: start, to: gap.receiveTime, isOpen: gap.flags.contains(.gapOpen))

    let first = isWholeFeed ? 0 : min(gap.instrument.index, baselines.count)
    let count = isWholeFeed ? baselines.count : 1
    for index in first..<min(first + count, baselines.count) {
      baselines[index].noteOutage()
      for position in shelf.positions(of: index) where shelf.builders[position].announced != .vacant {
        let candleStart = shelf.builders[position].start
        guard candleStart < affected.to, candleStart + length > affected.from else { continue }
        if cover(position) && shelf.builders[position].announced == .final {
          closed.append(candle(at: position, state: shelf.builders[position].sealedState))
        }
      }
    }
    let concerned = first..<min(first + count, baselines.count)
    rollUp.coverageChanged(
      of: concerned, from: affected.from, to: affected.to, coverage: coverage, into: &closed)
  }

  /// Brings the coverage of the candle at `position` up to date; true when it changed.
  mutating func cover(_ position: Int) -> Bool {
    let start = shelf.builders[position].start
    let end = start + length
    let instrument = shelf.instrument(at: position)
    return shelf.builders[position].cover(
      percent: coverage.percent(of: instrument, from: start, to: end, knownUntil: end),
      cameBackInside: coverage.cameBack(instrument, after: start, before: end))
  }
}
