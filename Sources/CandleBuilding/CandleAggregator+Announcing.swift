internal import MarketData

// Handing out: when a candle's state is told (candle rules 13 to 15).

extension CandleAggregator {
  static let never = Timestamp(nanoseconds: .max)

  /// Hands out what a change to the candle at `position` makes due.
  mutating func announceChange(
    at position: Int, received: Timestamp, into closed: inout [Candle]
  ) {
    let before = shelf.builders[position].announced
    // A running candle has nothing to say before it ends.
    let end = shelf.builders[position].start + length
    if before == .forming, announcing == .settledStates, clock < end {
      builtDeadline = min(builtDeadline, end)
      return
    }
    let sealing = end + graceNanoseconds
    if received >= sealing {
      shelf.builders[position].countRevision()
      shelf.builders[position].announced = .final
      handOut(position, shelf.builders[position].sealedState, received: received, into: &closed)
      return
    }
    // What a hasty timer sealed is due once more.
    announceIfDue(position, received: received, into: &closed)
    guard announcing == .everyState, before != .final, shelf.builders[position].announced == before else {
      return
    }
    handOut(position, before == .forming ? .forming : .provisional, received: received, into: &closed)
  }

  /// Hands out the candle at `position` if its end or its sealing has come, and sets the deadline for what is left.
  mutating func announceIfDue(_ position: Int, received: Timestamp?, into closed: inout [Candle]) {
    let end = shelf.builders[position].start + length
    let sealing = end + graceNanoseconds
    if clock >= sealing {
      shelf.builders[position].announced = .final
      handOut(position, shelf.builders[position].sealedState, received: received, into: &closed)
      return
    }
    if clock >= end && shelf.builders[position].announced == .forming {
      shelf.builders[position].announced = .provisional
      handOut(position, .provisional, received: received, into: &closed)
    }
    builtDeadline = min(builtDeadline, clock < end ? end : sealing)
  }

  mutating func announceDue(into closed: inout [Candle]) {
    let first = closed.count
    builtDeadline = Self.never
    for position in shelf.builders.indices {
      let announced = shelf.builders[position].announced
      if announced == .forming || announced == .provisional {
        announceIfDue(position, received: nil, into: &closed)
      }
    }
    rollUp.announceDue(clock: clock, coverage: coverage, into: &closed)
    order(&closed, from: first)
  }

  /// Hands out a state of the candle at `position`, and lets the longer intervals know it.
  mutating func handOut(
    _ position: Int, _ state: CandleState, received: Timestamp?, into closed: inout [Candle]
  ) {
    let isRunning = state == .forming
    let candle = candle(at: position, state: state, knownUntil: isRunning ? clock : nil)
    closed.append(candle)
    rollUp.take(
      candle, received: received, clock: clock, coverage: coverage,
      announcesForming: announcing == .everyState, into: &closed)
  }

  /// A candle that makes room can change no more, whatever the time: it is handed out as sealed.
  mutating func evict(_ position: Int, into closed: inout [Candle]) {
    let announced = shelf.builders[position].announced
    guard announced == .forming || announced == .provisional else { return }
    handOut(position, shelf.builders[position].sealedState, received: nil, into: &closed)
    rollUp.announceDue(clock: clock, coverage: coverage, into: &closed)
  }

  func candle(at position: Int, state: CandleState, knownUntil: Timestamp? = nil) -> Candle {
    let instrument = shelf.instrument(at: position)
    let builder = shelf.builders[position]
    var candle = builder.candle(of: instrument, interval: interval, state: state)
    if let knownUntil, knownUntil < builder.start + length {
      candle.coverage = Int(
        coverage.percent(
          of: instrument, from: builder.start, to: builder.start + length, knownUntil: knownUntil))
    }
    return candle
  }

  /// Puts what one sweep appended into the order of time, then of instruments.
  func order(_ closed: inout [Candle], from first: Int) {
    guard closed.count - first > 1 else { return }
    closed[first...].sort {
      ($0.interval.seconds, $0.start, $0.instrument) < ($1.interval.seconds, $1.start, $1.instrument)
    }
  }
}
