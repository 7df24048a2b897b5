import MarketData

// What clients of Angel One's stream and REST interface ask of the venue.
extension VenueState {
  /// Carries out a client's message.
  mutating func handle(_ request: AngelOneRequest, from id: Int, now: Timestamp) {
    guard let connection = connections[id], case .open = connection.phase, !isDraining, !connection.isDeaf
    else { return }
    switch request {
    case .ping: connection.outbox.append(.text("pong"))
    case .malformed(let correlationID): complain(.malformed(correlationID), to: connection)
    case .change(true, let mode, let lists, let correlationID):
      _ = startClock(now: now)
      subscribe(connection, to: lists, mode: mode, correlationID: correlationID)
    case .change(false, let mode, let lists, _):
      for index in indices(lists) where connection.remove(mode, of: index) {
        subscribers[index].removeAll { $0 === connection }
      }
    }
    connection.signal.raise()
  }

  /// Takes the whole request or, beyond a limit, nothing of it. Pairs that are there already do not count again, and
  /// tokens that do not exist are passed over in silence.
  private mutating func subscribe(
    _ connection: Connection, to lists: [AngelOneTokenList], mode: TickerMode, correlationID: String
  ) {
    let added = indices(lists).filter { !connection.modes[$0].contains(mode) }
    let limits = configuration.angelOne
    guard connection.requestCount + added.count <= limits.pairsPerConnectionMax else {
      let reason = "Subscription Limit Exceeded: at most \(limits.pairsPerConnectionMax) tokens"
      return complain(.overLimit(correlationID, reason), to: connection)
    }
    if mode == .depth {
      guard lists.allSatisfy({ $0.exchangeType == 1 }) else {
        return complain(.overLimit(correlationID, "Depth is for exchangeType 1 only"), to: connection)
      }
      let present = connection.modes.count { $0.contains(.depth) }
      guard present + added.count <= limits.depthTokensMax else {
        let reason = "Depth Limit Exceeded: at most \(limits.depthTokensMax) tokens"
        return complain(.overLimit(correlationID, reason), to: connection)
      }
    }
    for index in added {
      if connection.add(mode, of: index) {
        if staysMute(index) { connection.muted.insert(index) }
        subscribers[index].append(connection)
      }
      queue(index, mode: mode, for: connection, isSnapshot: true)
    }
  }

  private func complain(_ complaint: AngelOneComplaint, to connection: Connection) {
    connection.outbox.append(.text(complaint.text))
  }

  /// The listed instruments, each once, in their order.
  private func indices(_ lists: [AngelOneTokenList]) -> [Int] {
    var seen: Set<Int> = []
    return lists.flatMap { list in
      list.tokens.compactMap { directory.index(exchange: list.exchangeType, token: $0) }
    }.filter { seen.insert($0).inserted }
  }

  /// What the clients of this venue call the instrument.
  func venueToken(of index: Int) -> String {
    switch configuration.vendor {
    case .kite: String(market.instruments[index].token)
    case .angelone: directory.identities[index]?.venueToken ?? ""
    }
  }

  /// What a request for the history of one instrument needs to know; nil for one that is not listed.
  func historicalMaterial(exchange: String, token: String, now: Timestamp) -> HistoricalMaterial? {
    guard let index = directory.index(word: exchange, token: token) else { return nil }
    return HistoricalMaterial(
      instrument: market.instruments[index], history: market.history, traded: minuteLog[index],
      now: runningFeedTime(now: now) ?? market.start)
  }
}
