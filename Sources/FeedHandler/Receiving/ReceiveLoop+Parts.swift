internal import Configuration
internal import Logging
internal import MarketData
internal import SharedRing
internal import TickQuality

// One connection of several: its loss concerns what it carried, and nothing else.
extension ReceiveLoop {
  /// Tells of the parts that the source has lost and regained, and comes back to those that are due.
  ///
  /// - Throws: the fault with which the whole source is to be connected anew: the venue refuses the credentials.
  func tendParts() throws(Fault) {
    for change in source.takePartChanges() {
      switch change {
      case .lost(let lost):
        try noteLost(lost)
        try schedule(lost.part, because: lost.fault)
      case .opened(let part, let instruments): try noteOpened(part, carrying: instruments)
      case .failed(let part, let fault):
        logger.warning("\(fault.message)")
        try schedule(part, because: fault)
      }
    }
    if lostParts.isEmpty { return }
    if lostParts.hasGivenUp { lookForResumption() }
    for part in lostParts.due(at: Timestamp.monotonicNanoseconds()) {
      lostParts.noteAttempt(part)
      source.restore(part: part)
    }
  }

  private func noteLost(_ lost: LostPart) throws(Fault) {
    let monotonic = Timestamp.monotonicNanoseconds()
    let start = clock.feedTime(at: Timestamp.wallClock() + (lost.lastAlive - monotonic))
    let cause =
      lost.manner == .stalled
      ? .stalled : OutageLog.cause(of: lost.fault, whileConnecting: lost.manner == .unopened)
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
  }

  private func schedule(_ part: Int, because fault: Fault) throws(Fault) {
    guard [.unavailable, .protocolViolation].contains(fault.kind) else {
      isConnecting = true
      throw fault
    }
    let isIdle = !isMarketOpen
    guard
      let delay = lostParts.delay(
        part, at: Timestamp.monotonicNanoseconds(), isIdle: isIdle, using: &generator)
    else {
      let reason =
        "gave up on it after \(retry.attemptsMax) attempts; the last one failed so: \(fault.message)"
      return recovery.latch.latch(
        Halt(
          scope: .connection, subject: "\(part + 1) of \(source.name)", fault: Fault(fault.kind, reason),
          rule: .request, since: .wallClock()))
    }
    logger.info("next attempt at connection \(part + 1) in \(delay) ms")
  }

  /// Comes back to what was given up, once somebody asks for it or the market opens.
  private func lookForResumption() {
    let isOpen = isMarketOpen
    defer { wasMarketOpen = isOpen }
    let opens = isOpen && !wasMarketOpen
    guard isResumeRequested || opens else { return }
    isResumeRequested = false
    lostParts.renew(at: Timestamp.monotonicNanoseconds())
    recovery.latch.release(.connection, as: .running, because: opens ? "the market opens" : "by request")
  }

  private func noteOpened(_ part: Int, carrying carried: [InstrumentID]) throws(Fault) {
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
    if lostParts.hasGivenUp {
      recovery.latch.release(.connection, as: .running, because: "all connections are opened anew")
    }
    for outage in lostParts.noteConnected(at: Timestamp.monotonicNanoseconds()) {
      try publishEnd(of: outage, now: now)
    }
  }

  private func publishEnd(of outage: LostParts.Outage, now: Timestamp) throws(Fault) {
    try publisher.publishGap(
      of: outage.instruments, start: outage.gap.start, end: now, now: now, cause: outage.gap.cause)
  }
}
