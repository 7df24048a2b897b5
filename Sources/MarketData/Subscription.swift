/// How much of an instrument a venue is asked for.
public enum FeedMode: String, Sendable, Hashable, CaseIterable, Comparable, Codable {
  /// The last price alone. Kite sends no time with it, so candles have to go by the receive time.
  case ltp
  /// Price, volume and the day's prices.
  case quote
  /// All there is, times included: what candles need.
  case full

  /// What asks for less comes first.
  public static func < (left: FeedMode, right: FeedMode) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .ltp: 0
    case .quote: 1
    case .full: 2
    }
  }
}

/// An instrument that a venue is asked for, and how much of it.
public struct Subscription: Sendable, Hashable {
  /// The instrument.
  public var instrument: Instrument
  /// How much of it.
  public var mode: FeedMode

  /// Makes a subscription.
  public init(_ instrument: Instrument, mode: FeedMode = .full) {
    self.instrument = instrument
    self.mode = mode
  }
}
