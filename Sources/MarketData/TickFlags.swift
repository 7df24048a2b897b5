/// What is remarkable about one tick. The flags travel with it through ring, archive and replay, so quality is
/// never a side channel.
public struct TickFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits, as in `tickring_record.h`.
  public var rawValue: UInt16

  /// Makes a set from its bits.
  @inlinable
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The venue replayed an old snapshot on subscribe; it sets the last value and the volume baseline only.
  @inlinable public static var cachedOnSubscribe: TickFlags { TickFlags(rawValue: 1 << 0) }
  /// Ticks for this consumer were dropped before this one because its lane was full.
  @inlinable public static var gapBefore: TickFlags { TickFlags(rawValue: 1 << 1) }
  /// Equal to the instrument's previous tick in all the venue said.
  @inlinable public static var duplicate: TickFlags { TickFlags(rawValue: 1 << 2) }
  /// Older by exchange time than a tick of the same instrument already seen.
  @inlinable public static var outOfOrder: TickFlags { TickFlags(rawValue: 1 << 3) }
  /// Received long after the exchange time it carries.
  @inlinable public static var stale: TickFlags { TickFlags(rawValue: 1 << 4) }
  /// The price jumped further from the previous one than the configured band.
  @inlinable public static var offBand: TickFlags { TickFlags(rawValue: 1 << 5) }
  /// Cumulative volume fell: a new day or a correction by the venue.
  @inlinable public static var volumeReset: TickFlags { TickFlags(rawValue: 1 << 6) }
  /// The venue sent no exchange time.
  @inlinable public static var noExchangeTime: TickFlags { TickFlags(rawValue: 1 << 7) }
  /// Traded in an auction, outside continuous trading.
  @inlinable public static var auction: TickFlags { TickFlags(rawValue: 1 << 8) }
  /// Price is zero or negative.
  @inlinable public static var notPositive: TickFlags { TickFlags(rawValue: 1 << 9) }
  /// Instrument has no volume (an index): every price change counts as a trade.
  @inlinable public static var withoutVolume: TickFlags { TickFlags(rawValue: 1 << 10) }
  /// On a record of kind ``TickKind/gap``: the gap has not ended yet.
  @inlinable public static var gapOpen: TickFlags { TickFlags(rawValue: 1 << 11) }

  /// Traded while the market was closed by its calendar.
  @inlinable public static var outsideSession: TickFlags { TickFlags(rawValue: 1 << 12) }
  /// The venue sent something between the previous tick and this one that never arrived.
  @inlinable public static var missedBefore: TickFlags { TickFlags(rawValue: 1 << 13) }
  /// The venue's clock and ours disagree about this tick.
  @inlinable public static var clockSkew: TickFlags { TickFlags(rawValue: 1 << 14) }
  /// A rule that the user brought has something to say.
  @inlinable public static var userRule: TickFlags { TickFlags(rawValue: 1 << 15) }

  /// The flags' names in the order of their bits, for output.
  public static let names: [(flag: TickFlags, name: String)] = [
    (.cachedOnSubscribe, "cached"), (.gapBefore, "gap-before"), (.duplicate, "duplicate"),
    (.outOfOrder, "out-of-order"), (.stale, "stale"), (.offBand, "off-band"), (.volumeReset, "volume-reset"),
    (.noExchangeTime, "no-exchange-time"), (.auction, "auction"), (.notPositive, "not-positive"),
    (.withoutVolume, "without-volume"), (.gapOpen, "gap-open"), (.outsideSession, "outside-session"),
    (.missedBefore, "missed-before"), (.clockSkew, "clock-skew"), (.userRule, "user-rule"),
  ]
}

extension TickFlags: CustomStringConvertible {
  /// The names of the set flags joined by `|`, or the empty string.
  public var description: String {
    Self.names.filter { contains($0.flag) }.map(\.name).joined(separator: "|")
  }
}
