/// What is remarkable about one tick. The flags travel with it through ring, archive and replay, so quality is
/// never a side channel.
public struct TickFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits, as in `CSharedRing.h`.
  public var rawValue: UInt16

  /// Makes a set from its bits.
  @inlinable
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The venue replayed an old snapshot on subscribe; it sets the last value and the volume baseline only.
  public static let cachedOnSubscribe = TickFlags(rawValue: 1 << 0)
  /// Ticks for this consumer were dropped before this one because its lane was full.
  public static let gapBefore = TickFlags(rawValue: 1 << 1)
  /// Equal to the instrument's previous tick in all the venue said.
  public static let duplicate = TickFlags(rawValue: 1 << 2)
  /// Older by exchange time than a tick of the same instrument already seen.
  public static let outOfOrder = TickFlags(rawValue: 1 << 3)
  /// Received long after the exchange time it carries.
  public static let stale = TickFlags(rawValue: 1 << 4)
  /// The price jumped further from the previous one than the configured band.
  public static let offBand = TickFlags(rawValue: 1 << 5)
  /// Cumulative volume fell: a new day or a correction by the venue.
  public static let volumeReset = TickFlags(rawValue: 1 << 6)
  /// The venue sent no exchange time.
  public static let noExchangeTime = TickFlags(rawValue: 1 << 7)
  /// Traded in an auction, outside continuous trading.
  public static let auction = TickFlags(rawValue: 1 << 8)
  /// Price is zero or negative.
  public static let notPositive = TickFlags(rawValue: 1 << 9)
  /// Instrument has no volume (an index): every price change counts as a trade.
  public static let withoutVolume = TickFlags(rawValue: 1 << 10)
  /// On a record of kind ``TickKind/gap``: the gap has not ended yet.
  public static let gapOpen = TickFlags(rawValue: 1 << 11)

  /// The flags' names in the order of their bits, for output.
  public static let names: [(flag: TickFlags, name: String)] = [
    (.cachedOnSubscribe, "cached"), (.gapBefore, "gap-before"), (.duplicate, "duplicate"),
    (.outOfOrder, "out-of-order"), (.stale, "stale"), (.offBand, "off-band"), (.volumeReset, "volume-reset"),
    (.noExchangeTime, "no-exchange-time"), (.auction, "auction"), (.notPositive, "not-positive"),
    (.withoutVolume, "without-volume"), (.gapOpen, "gap-open"),
  ]
}

extension TickFlags: CustomStringConvertible {
  /// The names of the set flags joined by `|`, or the empty string.
  public var description: String {
    Self.names.filter { contains($0.flag) }.map(\.name).joined(separator: "|")
  }
}
