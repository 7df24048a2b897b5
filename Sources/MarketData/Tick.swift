/// One normalised record of the feed: 64 bytes, one cache line, the same in shared memory, archive and replay.
///
/// The layout is mirrored in `CSharedRing.h` for readers in other languages and pinned on both sides. The same
/// 64 bytes carry records of other ``TickKind``s, whose fields are documented there.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | ``stamp`` |
/// | 4 | 4 | ``instrument`` |
/// | 8 | 8 | ``sequence`` |
/// | 16 | 8 | ``receiveTime`` |
/// | 24 | 8 | ``exchangeTime`` |
/// | 32 | 8 | ``lastPrice`` |
/// | 40 | 8 | ``dayVolume`` |
/// | 48 | 4 | ``lastTradeSeconds`` |
/// | 52 | 4 | ``lastQuantity`` |
/// | 56 | 4 | ``openInterest`` |
/// | 60 | 2 | ``flags`` |
/// | 62 | 1 | ``kind`` |
/// | 63 | 1 | zero |
public struct Tick: Sendable, Hashable, BitwiseCopyable {
  /// The publication stamp: the low 32 bits of (ring position + 1). Belongs to the slot, not to the tick: two
  /// copies of one tick differ in it, and neither archive nor hash looks at it.
  public var stamp: UInt32
  /// The instrument, or ``InstrumentID/all``.
  public var instrument: InstrumentID
  /// Number of the record in the feed, from 1, without holes, continued across restarts.
  public var sequence: UInt64
  /// When the bytes were read from the socket, by the feed's clock; never decreases within a feed.
  public var receiveTime: Timestamp
  /// The venue's own time; ``Timestamp/unknown`` where the venue sends none.
  public var exchangeTime: Timestamp
  /// Last traded price.
  public var lastPrice: Price
  /// Quantity traded since the start of the day, cumulative; 0 for an index.
  public var dayVolume: Int64
  /// Time of the last trade in seconds since 1970 UTC; 0 where the venue sends none.
  public var lastTradeSeconds: UInt32
  /// Quantity of the last trade; describes one trade only and must never be summed.
  public var lastQuantity: UInt32
  /// Open interest; 0 where there is none.
  public var openInterest: UInt32
  /// What is remarkable about this record.
  public var flags: TickFlags
  /// How to read the fields.
  public var kind: TickKind
  /// Always zero; pads the record to its 64 bytes.
  public var reserved: UInt8

  /// Makes a record; `stamp` and `reserved` are zero.
  @inlinable
  public init(
    instrument: InstrumentID, sequence: UInt64, receiveTime: Timestamp, exchangeTime: Timestamp,
    lastPrice: Price, dayVolume: Int64, lastTradeSeconds: UInt32, lastQuantity: UInt32, openInterest: UInt32,
    flags: TickFlags = [], kind: TickKind = .trade
  ) {
    self.stamp = 0
    self.instrument = instrument
    self.sequence = sequence
    self.receiveTime = receiveTime
    self.exchangeTime = exchangeTime
    self.lastPrice = lastPrice
    self.dayVolume = dayVolume
    self.lastTradeSeconds = lastTradeSeconds
    self.lastQuantity = lastQuantity
    self.openInterest = openInterest
    self.flags = flags
    self.kind = kind
    self.reserved = 0
  }

  /// The time by which the tick is put into a candle: last trade time, else exchange time, else receive time
  /// (candle rule 2).
  @inlinable
  public var eventTime: Timestamp {
    if lastTradeSeconds != 0 { return Timestamp(seconds: Int64(lastTradeSeconds)) }
    return exchangeTime.isKnown ? exchangeTime : receiveTime
  }
}

/// How the fields of a ``Tick`` are to be read.
public struct TickKind: RawRepresentable, Sendable, Hashable, BitwiseCopyable {
  /// The number on the wire and in the archive.
  public var rawValue: UInt8

  /// Makes a kind from its number.
  @inlinable
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// A snapshot of the instrument's last trade: the ordinary tick.
  @inlinable public static var trade: TickKind { TickKind(rawValue: 0) }
  /// The feed went down or came back: ``Tick/exchangeTime`` is the start of the gap, ``Tick/receiveTime`` its end
  /// (or, while ``TickFlags/gapOpen`` is set, when it was noticed), ``Tick/lastQuantity`` the ``GapCause``, and
  /// ``Tick/instrument`` the instrument or ``InstrumentID/all``.
  @inlinable public static var gap: TickKind { TickKind(rawValue: 1) }
  /// The day's prices as the venue states them, sent before the tick with which they changed: see ``DaySummary``.
  @inlinable public static var daySummary: TickKind { TickKind(rawValue: 2) }
  /// A tick that a quality rule rejected: the fields of ``trade``; no candle and no strategy sees it.
  @inlinable public static var rejected: TickKind { TickKind(rawValue: 3) }
  /// A tick as it was before a quality rule corrected it: the fields of ``trade``; no candle and no strategy sees it.
  @inlinable public static var original: TickKind { TickKind(rawValue: 4) }
  /// The prices between which the instrument may trade today: see ``PriceLimits``.
  @inlinable public static var priceLimits: TickKind { TickKind(rawValue: 5) }

  /// What an outage took away was fetched from the venue: ``Tick/exchangeTime`` is the start of the gap,
  /// ``Tick/dayVolume`` its end in nanoseconds since 1970, ``Tick/lastQuantity`` the ``GapCause``, and
  /// ``Tick/instrument`` the instrument or ``InstrumentID/all``.
  @inlinable public static var repaired: TickKind { TickKind(rawValue: 6) }

  /// True for what the quality rules took out of the stream, which is kept for people and for nobody else.
  @inlinable public var isQuarantined: Bool { rawValue == 3 || rawValue == 4 }
}

/// Why a stretch of the feed is missing.
public struct GapCause: RawRepresentable, Sendable, Hashable {
  /// The number carried in ``Tick/lastQuantity``.
  public var rawValue: UInt32

  /// Makes a cause from its number.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Nothing was received before this process started.
  public static let start = GapCause(rawValue: 1)
  /// The connection to the venue was lost.
  public static let disconnected = GapCause(rawValue: 2)
  /// The venue was connected but sent nothing, not even heartbeats.
  public static let stalled = GapCause(rawValue: 3)
  /// The feed handler was stopped in good order.
  public static let stopped = GapCause(rawValue: 4)
  /// A replay went on from elsewhere: nothing is missing in the archive, but nothing between the two times was
  /// published. The end lies before the start when the replay went back.
  public static let moved = GapCause(rawValue: 5)
  /// The venue turned the connection away.
  public static let refused = GapCause(rawValue: 6)
  /// The venue refused the credentials, or they expired.
  public static let token = GapCause(rawValue: 7)
  /// A strategy's lane was full: records are missing in that lane alone.
  public static let laneFull = GapCause(rawValue: 8)
  /// The venue broke its protocol.
  public static let brokenProtocol = GapCause(rawValue: 9)
  /// The venue's own numbering shows that messages are missing.
  public static let missed = GapCause(rawValue: 10)

  /// The causes with their names, for output.
  public static let names: [(cause: GapCause, name: String)] = [
    (.start, "start"), (.disconnected, "disconnected"), (.stalled, "stalled"), (.stopped, "stopped"),
    (.moved, "moved"), (.refused, "refused"), (.token, "token"), (.laneFull, "lane-full"),
    (.brokenProtocol, "broken-protocol"), (.missed, "missed"),
  ]

  /// The cause in a word or two.
  public var name: String { Self.names.first { $0.cause == self }?.name ?? "cause \(rawValue)" }
}
