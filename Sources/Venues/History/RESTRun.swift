import MarketData

/// One call of ``RESTHistory/fetch(_:urgency:until:deliver:)``: from parts that wait to parts that are delivered.
struct RESTRun {
  private let history: RESTHistory
  private let multi: HTTPMulti
  private let urgency: CandleUrgency
  /// Parts that were never sent, the next one last.
  private var fresh: [RESTJob]
  /// Parts that wait for another attempt.
  private var waiting: [RESTJob] = []
  private var underWay: [Int: RESTJob] = [:]
  private var nextTag = 0
  private var failuresInARow = 0
  private var generator = SystemRandomNumberGenerator()

  /// Longest sleep, so that a stop is seen soon.
  private static let waitMillisecondsMax = 50

  init(_ history: RESTHistory, _ multi: HTTPMulti, _ jobs: [RESTJob], _ urgency: CandleUrgency) {
    self.history = history
    self.multi = multi
    self.urgency = urgency
    fresh = jobs.reversed()
  }

  /// Runs until every part is delivered, or until told to stop.
  mutating func carryOut(
    until shouldStop: () -> Bool, deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    while !fresh.isEmpty || !waiting.isEmpty || !underWay.isEmpty {
      if shouldStop() { return }
      let pause = try sendWhatMay()
      for (tag, outcome) in try multi.wait(milliseconds: pause) {
        guard let job = underWay.removeValue(forKey: tag) else { continue }
        try take(outcome, of: job, deliver)
        if shouldStop() { return }
      }
    }
  }

  /// Sends as many parts as places, budget and pauses allow, and returns how long nothing more can be sent.
  private mutating func sendWhatMay() throws(Fault) -> Int {
    while underWay.count < history.options.requestsAtOnce {
      let now = RequestBudget.monotonicNanoseconds()
      let ready = waiting.firstIndex { $0.earliest <= now }
      guard ready != nil || !fresh.isEmpty else {
        return Self.milliseconds((waiting.map(\.earliest).min() ?? .max) - now)
      }
      let pause = history.budget.takeTurn(urgency)
      if pause > 0 { return Self.milliseconds(pause) }
      var job = ready.map { waiting.remove(at: $0) } ?? fresh.removeLast()
      let request = try history.request(for: job.part)
      job.request = request
      job.attempts += 1
      try multi.start(request, tag: nextTag)
      underWay[nextTag] = job
      nextTag += 1
    }
    return Self.waitMillisecondsMax
  }

  private static func milliseconds(_ nanoseconds: Int64) -> Int {
    Int(min(max(nanoseconds, 0) / 1_000_000 + 1, Int64(waitMillisecondsMax)))
  }

  private mutating func take(
    _ outcome: Result<HTTPResponse, Fault>, of job: RESTJob, _ deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    let response: HTTPResponse
    switch outcome {
    case .success(let answer): response = answer
    case .failure(let fault):
      return try retry(job, fault, remedy: fault.kind == .unavailable ? .retry : .none, nil, deliver)
    }
    do {
      let candles = try history.service.candles(in: response, for: job.part)
        .within(job.part, of: history.service.name)
      failuresInARow = 0
      try deliver(CandleDelivery(part: job.part, requestIndex: job.requestIndex, outcome: .success(candles)))
    } catch let refusal as CandleRefusal {
      try retry(job, refusal.fault, remedy: refusal.remedy, response.retryAfterSeconds, deliver)
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault(.software, "\(error)")
    }
  }

  /// Decides what becomes of a part that brought no candles.
  private mutating func retry(
    _ job: RESTJob, _ fault: Fault, remedy: CandleRefusal.Remedy, _ retryAfterSeconds: Int?,
    _ deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    var job = job
    let milliseconds = history.options.retry.pauseMilliseconds(afterAttempts: job.attempts, using: &generator)
    switch remedy {
    case .newCredentials:
      guard let sent = job.request, milliseconds != nil else { throw fault }
      history.noteRefusal(of: sent, fault)
      waiting.append(job)
      return
    case .slowDown, .retry:
      guard var milliseconds, retryAfterSeconds ?? 0 <= history.options.pauseSecondsMax else { break }
      if let retryAfterSeconds { milliseconds += retryAfterSeconds * 1000 }
      let pause = Int64(milliseconds) * 1_000_000
      history.notice("\(fault.message); again in \(milliseconds) ms")
      if remedy == .slowDown || retryAfterSeconds != nil {
        history.budget.postpone(nanoseconds: pause)
      } else {
        job.earliest = RequestBudget.monotonicNanoseconds() + pause
      }
      waiting.append(job)
      return
    case .none: break
    }
    if remedy != .none {
      failuresInARow += 1
      if failuresInARow >= history.options.failuresMax { throw fault }
    }
    try deliver(CandleDelivery(part: job.part, requestIndex: job.requestIndex, outcome: .failure(fault)))
  }
}

extension [Candle] {
  /// Those that lie in the part's range.
  ///
  /// - Throws: ``CandleRefusal`` when they do not ascend: what the venue mixed up once it may send right the next time.
  func within(_ part: CandleRequest, of venue: String) throws(CandleRefusal) -> [Candle] {
    var previous: Timestamp?
    var isInside = true
    for candle in self {
      if let previous, candle.start <= previous {
        throw CandleRefusal(
          Fault(
            .protocolViolation,
            "\(venue)'s \(part.interval) candles of \(part.instrument.symbol) are not ascending at "
              + candle.start.rfc3339), remedy: .retry)
      }
      previous = candle.start
      isInside = isInside && candle.start >= part.from && candle.start < part.to
    }
    return isInside ? self : filter { $0.start >= part.from && $0.start < part.to }
  }
}
