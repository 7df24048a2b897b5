public import MarketData

/// Something that a strategy is told.
public enum MarketEvent: Sendable, Equatable {
  /// A tick of an observed instrument.
  case tick(Tick)
  /// A candle of an observed instrument whose interval ended: provisional, final, or revised after that.
  case candle(Candle)
  /// The feed went down, or came back.
  case gap(FeedGap)
  /// The minutes of an outage were fetched from the venue: candles read again are whole.
  case repaired(FeedGap)
  /// The feed handler died; what it had published has been handed out, and its return is waited for.
  case feedLost(reason: String)
  /// A feed handler runs again, or its HALT was resumed; `epoch` counts its starts. The lane goes on, with its
  /// instruments.
  case feedReturned(epoch: UInt64)
  /// The feed stands still for a reason that a person must look at. While the poller is open the HALT can be resumed,
  /// which ``feedReturned(epoch:)`` tells; otherwise nothing will follow.
  case halt(reason: String)
  /// The feed handler, or the range of a back-test, ended in good order; nothing will follow.
  case ended
}

/// Kinds of events that one subscribes to.
public enum EventKind: Sendable, Hashable {
  /// Every tick of the observed instruments.
  case ticks
  /// Candles of this length, a whole number of minutes.
  case candles(Interval)
  /// Outages of the feed, when they begin, when they end, and when they are repaired.
  case gaps
  /// A HALT of the feed handler, its death and its return.
  case halts
}

/// The newest tick of an instrument and how old it is.
public struct Latest: Sendable, Equatable {
  /// The tick.
  public var tick: Tick
  /// Time since it was received, by the feed's clock, in nanoseconds.
  public var ageNanoseconds: Int64

  /// Its price.
  public var price: Price { tick.lastPrice }
  /// What is remarkable about it.
  public var flags: TickFlags { tick.flags }
}

/// Where a strategy's data come from. A strategy need not care; what places orders must.
public enum DataMode: String, Sendable, Hashable, CaseIterable {
  /// A running feed: orders may be real.
  case live
  /// A running feed that must not lead to real orders. The data are those of ``live``.
  case paper
  /// The past, by its own clock.
  case backtest
}
