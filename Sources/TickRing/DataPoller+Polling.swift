internal import MarketData
public import SharedRing

extension DataPoller {
  /// Hands out what arrived since the last call, at most `max` ticks, and returns how many ticks there were.
  ///
  /// Never waits: call it in a loop, with ``pause()`` or a sleep in between when it returns 0. In a back-test events
  /// come in the order in which they would have been known: a candle at its sealing, before any tick received later.
  @discardableResult
  public func poll(max: Int = pollMax, _ handle: (MarketEvent) -> Void) -> Int {
    guard isOpen, max > 0 else { return 0 }
    if mode == .backtest {
      if !choice.candles, choice.ticks { return pollTicks(max: max, handle) }
      var count = 0
      while count < max, let isTick = step(handle) { count += isTick ? 1 : 0 }
      return count
    }
    guard fill(max: max) else {
      noteIdle(handle)
      return 0
    }
    // Handed out from a copy, so that a handler may use everything of this type, polling included.
    let ticks = batch
    batchPosition = batch.count
    for tick in ticks {
      if tick.kind == .gap { noteMove(FeedGap(tick)) }
      if choice.candles {
        closeAll(by: tick.receiveTime, handle)
        minutes.apply(tick, into: &closed)
      }
      handOut(tick, choice, handle)
      handOutClosed(handle)
    }
    feed.release()
    return ticks.count
  }

  /// Waits until a tick is there, or for at most `milliseconds`; then poll again.
  ///
  /// - Parameter strategy: what the wait may cost: a whole processor, its idle time, or some microseconds of the
  ///   kernel's at each wake.
  public func wait(_ strategy: WaitStrategy = .spinThenFutex, milliseconds: Int = 100) {
    guard isOpen else { return }
    feed.wait(strategy, nanosecondsMax: Int64(milliseconds) * 1_000_000)
  }

  /// Drops what waits in the lane and goes on with what comes from now on; returns how many ticks were passed over.
  @discardableResult
  public func skipToLatest() -> UInt64 { feed.skipToLatest() }

  /// Ticks of a back-test alone, the shortest way.
  private func pollTicks(max: Int, _ handle: (MarketEvent) -> Void) -> Int {
    guard batchPosition < batch.count || fill(max: max) else {
      if let notice = feed.notice() { tell(notice, handle) }
      return 0
    }
    let ticks = batch
    let positions = batchPosition..<min(batchPosition + max, ticks.count)
    batchPosition = positions.upperBound
    let choice = choice
    let feed = feed
    let voidBatches = voidBatches
    for position in positions {
      feed.note(ticks[position])
      handOut(ticks[position], choice, handle)
      if self.voidBatches != voidBatches { return position - positions.lowerBound + 1 }
    }
    return positions.count
  }

  /// One step of a back-test: at most one tick or one candle with what is rolled up from it. Nil when there is
  /// nothing, else whether it was a tick. What comes later is not to be seen from anywhere before it is handed out.
  func step(_ handle: (MarketEvent) -> Void) -> Bool? {
    while isOpen {
      if let candle = nextClosed() {
        handOut(candle, handle)
        return false
      }
      if let candle = overdue.popLast() {
        feed.advance(to: closedUntil)
        handle(.candle(candle))
        return false
      }
      let isThereTick = batchPosition < batch.count || fill(max: Self.pollMax)
      let limit = isThereTick ? batch[batchPosition].receiveTime : feed.quietUntil
      if choice.candles, closeNext(by: limit, handle) { continue }
      guard isThereTick else {
        // What is not sealed by the end of a back-test's range stays unsaid, as in live trading.
        if let notice = feed.notice() { tell(notice, handle) }
        return nil
      }
      let tick = batch[batchPosition]
      batchPosition += 1
      feed.note(tick)
      if choice.candles {
        closedUntil = limit
        minutes.apply(tick, into: &closed)
      }
      handOut(tick, choice, handle)
      return true
    }
    return nil
  }

  /// Makes ready what closes next in a back-test, by `limit` at the latest: a candle of the store, those of this run's
  /// ticks, or longer ones that are over without their last minutes. One instant at a time, so that whoever observes
  /// more meanwhile finds nothing gone by. False when there is nothing.
  private func closeNext(by limit: Timestamp, _ handle: (MarketEvent) -> Void) -> Bool {
    do throws(Fault) {
      let stored = try feed.nextStoredCandle()
      let next = min(stored?.time ?? minutes.deadline, minutes.deadline)
      guard min(next, rollUps.deadline) <= limit else { return false }
      closedUntil = min(next, rollUps.deadline)
      if next > rollUps.deadline {
        overdue = rollUps.takeOverdue(by: closedUntil).reversed()
        return true
      }
      minutes.advance(to: next, into: &closed)
      if let stored, stored.time == next {
        feed.skipStoredCandle()
        if minutes.takesStored(stored.candle) { closed.append(stored.candle) }
      }
    } catch {
      tell(.halt(reason: error.message), handle)
    }
    return true
  }

  /// Reads the next records into ``batch``; false when there are none.
  private func fill(max: Int) -> Bool {
    if mode == .backtest { feed.release() }
    batch.removeAll(keepingCapacity: true)
    batchPosition = 0
    return feed.read(max: max) { run in for index in run.indices { batch.append(run[index]) } } > 0
  }

  @inline(__always)
  private func handOut(_ tick: Tick, _ choice: Choice, _ handle: (MarketEvent) -> Void) {
    // After a feed handler's death the first record is flagged as well, and is the outage's own.
    if tick.flags.contains(.gapBefore), tick.kind != .gap { noteLoss(before: tick, choice, handle) }
    lastReceiveTime = tick.receiveTime
    if tick.kind == .gap {
      if choice.gaps { handle(.gap(FeedGap(tick))) }
    } else if tick.kind == .repaired {
      if choice.gaps { handle(.repaired(FeedGap(tick))) }
    } else if choice.ticks, tick.kind == .trade, isNew(tick) {
      handle(.tick(tick))
    }
  }

  /// A replay that went back: what was built from its later ticks is the future now.
  private func noteMove(_ gap: FeedGap) {
    guard gap.cause == .moved, let end = gap.end, end < gap.start else { return }
    dropClosed()
    joins.removeAll()
    minutes = MinuteCandles(graceNanoseconds: minutes.graceNanoseconds)
    rollUps.reset()
  }

  /// The lane was full: what came between the record handed out before and this one is lost to this strategy alone.
  private func noteLoss(before tick: Tick, _ choice: Choice, _ handle: (MarketEvent) -> Void) {
    guard choice.gaps else { return }
    handle(.gap(FeedGap(start: lastReceiveTime, end: tick.receiveTime, cause: .laneFull)))
  }

  private func noteIdle(_ handle: (MarketEvent) -> Void) {
    let machineTime = Timestamp.monotonicNanoseconds()
    if choice.candles, machineTime - lastTimer > Self.timerNanoseconds {
      lastTimer = machineTime
      closeAll(by: feed.now, handle)
    }
    if let notice = feed.notice() { tell(notice, handle) }
  }

  /// Hands out what closes by `now`, each candle at its own time, as a back-test does.
  private func closeAll(by now: Timestamp, _ handle: (MarketEvent) -> Void) {
    while true {
      let next = min(minutes.deadline, rollUps.deadline)
      guard next <= now else { break }
      // First those that may be the last minutes of longer ones.
      if minutes.deadline == next {
        minutes.advance(to: next, into: &closed)
        handOutClosed(handle)
      } else {
        for candle in rollUps.takeOverdue(by: next) { handle(.candle(candle)) }
      }
    }
    minutes.advance(to: now, into: &closed)
  }

  private func handOutClosed(_ handle: (MarketEvent) -> Void) {
    while let candle = nextClosed() { handOut(candle, handle) }
  }

  private func nextClosed() -> Candle? {
    guard closedPosition < closed.count else { return nil }
    let candle = closed[closedPosition]
    closedPosition += 1
    if closedPosition == closed.count { dropClosed() }
    return candle
  }

  private func dropClosed() {
    closed.removeAll(keepingCapacity: true)
    closedPosition = 0
  }

  private func handOut(_ candle: Candle, _ handle: (MarketEvent) -> Void) {
    let known = candle.state == .provisional ? candle.end : minutes.sealing(of: candle)
    feed.advance(to: min(known, closedUntil))
    minutes.remember(candle)
    if choice.minutes { handle(.candle(candle)) }
    rollUps.take(candle) { handle(.candle($0)) }
  }

  private func tell(_ event: MarketEvent, _ handle: (MarketEvent) -> Void) {
    switch event {
    case .ended:
      isOpen = false
      handle(event)
    case .halt where feed.canResume:
      if wanted.contains(.halts) { handle(event) }
    case .halt:
      isOpen = false
      handle(wanted.contains(.halts) ? event : .ended)
    default:
      if wanted.contains(.halts) { handle(event) }
    }
  }
}
