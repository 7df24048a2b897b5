import MarketData

/// Which of a source's connections carries which instrument. Pure.
///
/// An instrument stays where it is while it is subscribed to. There are as few connections as carry them all, and a
/// new instrument goes to the one that carries least.
struct InstrumentSpread {
  /// What the venue allows.
  struct Limits: Sendable, Hashable {
    var instrumentsPerConnection: Int
    var connections: Int

    var instruments: Int { instrumentsPerConnection * connections }
  }

  let limits: Limits
  private var places: [InstrumentID: Int] = [:]

  /// Symbols that a refusal names; of more it says the number.
  private static let namesMax = 5

  init(_ limits: Limits) {
    self.limits = limits
  }

  /// Replaces what is carried, and returns each connection's share, in the order given.
  ///
  /// - Throws: ``Fault`` of kind `configuration`, changing nothing, that names what is too much.
  mutating func place(_ subscriptions: [Subscription]) throws(Fault) -> [[Subscription]] {
    try check(subscriptions)
    var counts = [Int](repeating: 0, count: limits.connections)
    var kept: [InstrumentID: Int] = [:]
    for subscription in subscriptions {
      guard let place = places[subscription.instrument.id] else { continue }
      kept[subscription.instrument.id] = place
      counts[place] += 1
    }
    places = kept
    let needed = (subscriptions.count + limits.instrumentsPerConnection - 1) / limits.instrumentsPerConnection
    var shares = [[Subscription]](repeating: [], count: limits.connections)
    for subscription in subscriptions {
      let place: Int
      if let known = places[subscription.instrument.id] {
        place = known
      } else {
        place = counts[..<needed].indices.min { counts[$0] < counts[$1] } ?? 0
        counts[place] += 1
        places[subscription.instrument.id] = place
      }
      shares[place].append(subscription)
    }
    let used = (shares.lastIndex { !$0.isEmpty } ?? 0) + 1
    return Array(shares[..<used])
  }

  private func check(_ subscriptions: [Subscription]) throws(Fault) {
    let refused = subscriptions.dropFirst(limits.instruments)
    guard !refused.isEmpty else { return }
    let names = refused.prefix(Self.namesMax).map { $0.instrument.symbol.description }.joined(separator: ", ")
    let more = refused.count > Self.namesMax ? " and \(refused.count - Self.namesMax) more" : ""
    throw Fault(
      .configuration,
      "\(names)\(more) cannot be had: \(limits.connections) connections carry \(limits.instrumentsPerConnection) "
        + "instruments each")
  }
}
