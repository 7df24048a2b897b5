internal import MarketData

// Extremes that snapshots missed, by the venue's day high and low (candle rule 8).

extension CandleAggregator {
  /// The venue's day high and low; where one moved, the next snapshot decides to which candle it belongs.
  mutating func takeSummary(_ record: Tick) {
    let index = record.instrument.index
    guard index < baselines.count || grow(toHold: index) else {
      ignoredRecords &+= 1
      return
    }
    if extremes[index].note(DaySummary(record)) { baselines[index].extremesMoved = true }
  }

  /// Widens the candle to an extreme that moved since the previous snapshot, when both snapshots are of its
  /// interval: the previous one by its last trade or by its own time, which is the later bound.
  @discardableResult
  mutating func foldExtremes(into position: Int, _ tick: Tick, before: VolumeBaseline) -> Bool {
    guard before.extremesMoved else { return false }
    let index = tick.instrument.index
    defer {
      extremes[index].settle()
      baselines[index].extremesMoved = false
    }
    let builder = shelf.builders[position]
    guard tick.flags.isDisjoint(with: [.cachedOnSubscribe, .auction, .notPositive]),
      builder.holds(before.previousEventTime, length: length)
        || builder.holds(before.previousExchangeTime, length: length)
    else { return false }
    return shelf.builders[position].fold(high: extremes[index].newHigh, low: extremes[index].newLow)
  }

  /// Folds the extremes that came with a snapshot which was no trade itself.
  mutating func foldAlone(
    _ tick: Tick, eventTime: Timestamp, before: VolumeBaseline, into closed: inout [Candle]
  ) {
    let index = tick.instrument.index
    guard baselines[index].extremesMoved else { return }
    // Without a candle of its interval, or without a price, the snapshot leaves them to nobody.
    guard case .occupied(let position) = shelf.place(of: start(of: eventTime), instrument: index) else {
      extremes[index].settle()
      baselines[index].extremesMoved = false
      return
    }
    if foldExtremes(into: position, tick, before: before) {
      announceChange(at: position, received: tick.receiveTime, into: &closed)
    }
  }
}
