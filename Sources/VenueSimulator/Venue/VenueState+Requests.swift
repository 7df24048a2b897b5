import MarketData

// What the REST interface asks of the venue.
extension VenueState {
  /// Counts a request for history; false when it is one too many within the last second.
  mutating func admitsHistoricalRequest(now: Timestamp) -> Bool {
    guard let limit = configuration.historicalRequestsPerSecondMax else { return true }
    historicalRequests.removeAll { now - $0 >= Timestamp.nanosecondsPerSecond }
    guard historicalRequests.count < limit else { return false }
    historicalRequests.append(now)
    return true
  }

  /// What a request for the history of one instrument needs to know; nil for an unknown token.
  func historicalMaterial(token: UInt32, now: Timestamp) -> HistoricalMaterial? {
    guard let index = indexByToken[token] else { return nil }
    return HistoricalMaterial(
      instrument: market.instruments[index], history: market.history, traded: minuteLog[index],
      now: runningFeedTime(now: now) ?? market.start)
  }

  /// The mode of every token that any connection is subscribed to, by connection.
  var subscriptions: [String: [String: String]] {
    var answer: [String: [String: String]] = [:]
    for (id, connection) in connections {
      var modes: [String: String] = [:]
      for index in connection.subscribed {
        modes["\(market.instruments[index].token)"] = connection.modes[index].highest.map { "\($0)" }
      }
      answer["\(id)"] = modes
    }
    return answer
  }
}
