public import MarketData

/// What trades at the simulated venue: a pure machine that is given the feed's time and says what changed.
///
/// The same market, made from the same seed or file, yields the same updates in the same order, however its time
/// is cut into steps.
public protocol SimulatedMarket: Sendable {
  /// The instruments, whose positions are the indices used elsewhere; tokens are unique.
  var instruments: [SimulatedInstrument] { get }

  /// The feed's time at which the market begins to move.
  var start: Timestamp { get }

  /// Candles of the minutes before ``start``.
  var history: PriceHistory { get }

  /// True when no update will come any more.
  var isFinished: Bool { get }

  /// The state of the instrument at `index` now.
  func quote(of index: Int) -> Quote

  /// Moves on to the next update that is due at or before `time`, and returns the index of the instrument that
  /// it changed; nil when none is due.
  mutating func nextUpdate(until time: Timestamp) -> Int?

  /// True when the market can trade any instrument at any time, as measurements of throughput need it.
  var tradesOnDemand: Bool { get }

  /// Trades the instrument at `index` at feed time `time`, outside the market's own schedule; does nothing unless
  /// ``tradesOnDemand``.
  mutating func trade(_ index: Int, at time: Timestamp)
}
