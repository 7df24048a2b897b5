/// The thresholds of the quality rules.
public struct TickQualityOptions: Sendable, Hashable {
  /// A tick received longer than this after its exchange time is stale; 0 to 86 400 seconds, 0 turns the rule off.
  public let staleSeconds: Int
  /// A price further than this from the last accepted one is off band; 0 to 10 000 percent, 0 turns the rule off.
  public let bandPercent: Int
  /// Instruments with an index below this are judged; 1 to ``instrumentsMaxLimit``.
  public let instrumentsMax: Int

  /// The greatest ``staleSeconds``: one day.
  public static let staleSecondsLimit = 86_400
  /// The greatest ``bandPercent``: a hundredfold price.
  public static let bandPercentLimit = 10_000
  /// The greatest ``instrumentsMax``; at about 128 bytes an instrument it bounds the inspector's memory.
  public static let instrumentsMaxLimit = 1_048_576

  /// Makes a set of thresholds, which must lie within their limits.
  public init(staleSeconds: Int = 60, bandPercent: Int = 20, instrumentsMax: Int = 16_384) {
    precondition((0...Self.staleSecondsLimit).contains(staleSeconds), "staleSeconds is out of its limits")
    precondition((0...Self.bandPercentLimit).contains(bandPercent), "bandPercent is out of its limits")
    precondition(
      (1...Self.instrumentsMaxLimit).contains(instrumentsMax), "instrumentsMax is out of its limits")
    self.staleSeconds = staleSeconds
    self.bandPercent = bandPercent
    self.instrumentsMax = instrumentsMax
  }
}
