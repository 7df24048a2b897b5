import MarketData
import TickQuality

/// 2026-11-23 09:15:00 IST in seconds since 1970.
let sessionStartSeconds: Int64 = 1_795_405_500

/// A tick of instrument 0, `seconds` after the session's start by exchange and trade time, received 0.4 s later.
///
/// Volume grows with time unless it is given, so that two ticks made for different seconds are two trades.
func makeTick(
  _ seconds: Int64, price: String = "100", volume: Int64? = nil, instrument: UInt32 = 0,
  receivedAfterNanoseconds: Int64 = 400_000_000, flags: TickFlags = []
) -> Tick {
  let time = Timestamp(seconds: sessionStartSeconds + seconds)
  return Tick(
    instrument: InstrumentID(rawValue: instrument), sequence: 0,
    receiveTime: time + receivedAfterNanoseconds, exchangeTime: time,
    lastPrice: Price(decimal: price) ?? .zero, dayVolume: volume ?? 1000 + seconds,
    lastTradeSeconds: UInt32(sessionStartSeconds + seconds), lastQuantity: 5, openInterest: 0, flags: flags)
}

/// An inspector of some rules; unless told of those that need neither a calendar nor a clock.
func makeInspector(
  _ settings: [RuleSetting] = ordinaryRules, phases: MarketPhases? = nil, instrumentsMax: Int = 16_384
) -> TickQualityInspector {
  do throws(Fault) {
    return TickQualityInspector(
      rules: try RuleCatalogue.make(settings, phases: phases ?? MarketPhases()), phases: phases,
      instrumentsMax: instrumentsMax)
  } catch {
    preconditionFailure("\(error)")
  }
}

/// The rules that look at nothing but ticks and subscriptions.
let ordinaryRules = [
  "not-positive", "cached", "duplicate", "out-of-order", "stale", "volume-reset", "off-band",
]
.map { RuleSetting($0) }

/// The ordinary rules, one of them tuned; nil leaves it out.
func rules(_ rule: String, _ parameter: String, _ value: Int?) -> [RuleSetting] {
  ordinaryRules.compactMap { setting in
    guard setting.rule == rule else { return setting }
    return value.map { RuleSetting(rule, values: [parameter: $0]) }
  }
}

/// A small reproducible generator of random numbers (xorshift64).
struct TestRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
