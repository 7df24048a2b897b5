internal import Configuration
internal import Logging
internal import MarketData
internal import SharedRing
internal import TickQuality

// One connection of several: its loss concerns what it carried, and nothing else.
extension ReceiveLoop {
  /// Tells of the parts that the source has lost, and comes back to those that are due.
  ///
  /// - Throws: the fault with which the whole source is to be connected anew: a part's budget is spent, or the venue
  ///   refuses.
  func tendParts() throws(Fault) {
    for lost in source.takeLostParts() { try noteLost(lost) }
    if lostParts.isEmpty { return }
    for part in lostParts.due(at: Timestamp.monotonicNanoseconds()) { try restore(part) }
  }

  private func noteLost(_ lost: LostPart) throws(Fault) {
    let monotonic = Timestamp.monotonicNanoseconds()
    let start = clock.feedTime(at: Timestamp.wallClock() + (lost.lastAlive - monotonic))
    let cause = lost.isStalled ? .stalled : OutageLog.cause(of: lost.fault, whileConnecting: false)
    let gap = FeedGap(start: start, end: nil, cause: cause)
    lostParts.noteLost(
      lost.part, LostParts.Outage(gap: gap, instruments: lost.instruments), at: monotonic)
    try publisher.publishGap(
      of: lost.instruments, start: start, end: nil, now: clock.now(), cause: cause)
    recovery.board.noteLost(lost.instruments)
    let sentence =
      "\(lost.fault.message); \(lost.instruments.count) instruments are without ticks, the others go on"
    logger.warning("\(sentence)")
    recovery.alerts.post(AlertEvent(.gap, reason: sentence, details: RepairLoop.details(gap)))
    try schedule(lost.part, because: lost.fault)
  }

  private func schedule(_ part: Int, because fault: Fault) throws(Fault) {
    let isIdle = !isMarketOpen
    guard
      let delay = lostParts.delay(
        part, at: Timestamp.monotonicNanoseconds(), isIdle: isIdle, using: &generator)
    else {
      throw Fault(
        fault.kind,
        "connection \(part + 1) could not be restored alone, so all are opened anew: \(fault.message)")
    }
    logger.info("next attempt at connection \(part + 1) in \(delay) ms")
  }

  private func restore(_ part: Int) throws(Fault) {
    let carried: [InstrumentID]
    isConnecting = true
    do {
      carried = try source.restore(part: part)
    } catch {
      guard [.unavailable, .protocolViolation].contains(error.kind) else { throw error }
      isConnecting = false
      logger.warning("\(error.message)")
      return try schedule(part, because: error)
    }
    isConnecting = false
    segment.add(.connects)
    let now = clock.now()
    inspector.noteSubscribed(carried, at: now)
    recovery.board.noteSent(except: source.lostInstruments)
    guard let outage = lostParts.noteRestored(part, at: Timestamp.monotonicNanoseconds()) else { return }
    try publishEnd(of: outage, now: now)
    let gap = FeedGap(start: outage.gap.start, end: now, cause: outage.gap.cause)
    let sentence =
      "connection \(part + 1) of \(source.name) is back with \(carried.count) instruments after \(RepairLoop.text(gap))"
    logger.notice("\(sentence)")
    recovery.alerts.post(AlertEvent(.recovered, reason: sentence, details: RepairLoop.details(gap)))
  }

  /// The whole source is connected: what parts had lost ends with that.
  func publishEndOfParts(now: Timestamp) throws(Fault) {
    for outage in lostParts.noteConnected(at: Timestamp.monotonicNanoseconds()) {
      try publishEnd(of: outage, now: now)
    }
  }

  private func publishEnd(of outage: LostParts.Outage, now: Timestamp) throws(Fault) {
    try publisher.publishGap(
      of: outage.instruments, start: outage.gap.start, end: now, now: now, cause: outage.gap.cause)
  }
}
