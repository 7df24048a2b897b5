public import MarketData

/// One thing that can be wrong with the minute candles of one instrument and day, decided from all of them together.
///
/// A rule is a value with a name. One of the user's own is a type that conforms, and one call of
/// ``CandleRuleCatalogue/register(_:)``. Rules look at candles off the path of ticks: when the venue's are fetched, and
/// when a report is made.
public protocol CandleRule: QualityRule {
  /// Makes the rule with values for all of its ``parameters``, each within its bounds.
  init(_ values: CandleRuleValues)

  /// What is wrong with the day, in order of time.
  func findings(in day: CandleDay) -> [CandleFinding]
}

/// A value for each parameter of a candle rule.
public struct CandleRuleValues: Sendable {
  private let values: [String: Int]

  init(_ values: [String: Int]) {
    self.values = values
  }

  /// The value of one of the rule's parameters; a name that is none of them is a programmer's error.
  public subscript(_ name: String) -> Int {
    guard let value = values[name] else { preconditionFailure("the rule has no parameter '\(name)'") }
    return value
  }
}

/// The minute candles of one instrument on one day, and what is known of the day besides.
public struct CandleDay: Sendable {
  /// Built here, ascending.
  public var built: [Candle]
  /// The venue's own, sealed, ascending.
  public var venue: [Candle]
  /// The stretches of continuous trading, as far as they are over, ascending.
  public var sessions: [Range<Timestamp>]
  /// The stretches in which the instrument had no feed, ascending.
  public var outages: [Range<Timestamp>]

  /// Makes a day.
  public init(
    built: [Candle], venue: [Candle] = [], sessions: [Range<Timestamp>] = [], outages: [Range<Timestamp>] = []
  ) {
    self.built = built
    self.venue = venue
    self.sessions = sessions
    self.outages = outages
  }

  /// The starts of all minutes of continuous trading.
  public var expectedMinutes: [Timestamp] {
    var minutes: [Timestamp] = []
    for session in sessions {
      var minute = session.lowerBound
      while minute < session.upperBound {
        minutes.append(minute)
        minute = minute + Interval.minute.nanoseconds
      }
    }
    return minutes
  }

  /// Whether some of the minute that starts then was without feed.
  public func hadOutage(inMinuteFrom start: Timestamp) -> Bool {
    outages.contains { $0.lowerBound < start + Interval.minute.nanoseconds && $0.upperBound > start }
  }

  /// All candles, ours first.
  var all: [Candle] { built + venue }
}

/// Something wrong with a candle, or with a minute that has none.
public struct CandleFinding: Sendable, Hashable {
  /// The rule's name.
  public var rule: String
  /// Start of the minute.
  public var start: Timestamp
  /// Whose candle; nil for a minute without one.
  public var origin: CandleOrigin?
  /// One sentence.
  public var sentence: String

  /// Makes a finding of a rule.
  public init(_ rule: some CandleRule, _ start: Timestamp, _ origin: CandleOrigin?, _ sentence: String) {
    self.rule = type(of: rule).name
    self.start = start
    self.origin = origin
    self.sentence = sentence
  }
}
