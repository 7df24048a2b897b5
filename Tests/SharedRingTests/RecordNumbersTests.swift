import CSharedRing
import MarketData
import Testing

/// The numbers that readers in other languages take from `tickring_record.h` are the ones that are published.
@Suite struct RecordNumbersTests {
  @Test func kindsAreAsTheHeaderSays() {
    let kinds: [(Int, TickKind)] = [
      (TICKRING_KIND_TRADE, .trade), (TICKRING_KIND_GAP, .gap), (TICKRING_KIND_DAY_SUMMARY, .daySummary),
      (TICKRING_KIND_REJECTED, .rejected), (TICKRING_KIND_ORIGINAL, .original),
      (TICKRING_KIND_PRICE_LIMITS, .priceLimits), (TICKRING_KIND_REPAIRED, .repaired),
    ]
    for (number, kind) in kinds { #expect(number == Int(kind.rawValue)) }
  }

  @Test func flagsOfTicksAreAsTheHeaderSays() {
    let bits = [
      TICKRING_FLAG_CACHED, TICKRING_FLAG_GAP_BEFORE, TICKRING_FLAG_DUPLICATE, TICKRING_FLAG_OUT_OF_ORDER,
      TICKRING_FLAG_STALE, TICKRING_FLAG_OFF_BAND, TICKRING_FLAG_VOLUME_RESET, TICKRING_FLAG_NO_EXCHANGE_TIME,
      TICKRING_FLAG_AUCTION, TICKRING_FLAG_NOT_POSITIVE, TICKRING_FLAG_WITHOUT_VOLUME, TICKRING_FLAG_GAP_OPEN,
      TICKRING_FLAG_OUTSIDE_SESSION, TICKRING_FLAG_MISSED_BEFORE, TICKRING_FLAG_CLOCK_SKEW,
      TICKRING_FLAG_USER_RULE,
    ]
    #expect(bits == TickFlags.names.map { Int($0.flag.rawValue) })
  }

  @Test func causesOfGapsAreAsTheHeaderSays() {
    let numbers = [
      TICKRING_CAUSE_START, TICKRING_CAUSE_DISCONNECTED, TICKRING_CAUSE_STALLED, TICKRING_CAUSE_STOPPED,
      TICKRING_CAUSE_MOVED, TICKRING_CAUSE_REFUSED, TICKRING_CAUSE_TOKEN, TICKRING_CAUSE_LANE_FULL,
      TICKRING_CAUSE_BROKEN_PROTOCOL, TICKRING_CAUSE_MISSED,
    ]
    #expect(numbers == GapCause.names.map { Int($0.cause.rawValue) })
  }

  @Test func flagsOfCandlesAreAsTheHeaderSays() {
    let bits = [
      TICKRING_CANDLE_PARTIAL, TICKRING_CANDLE_LATE, TICKRING_CANDLE_RECEIVE_TIME,
      TICKRING_CANDLE_VOLUME_REBASED, TICKRING_CANDLE_VOLUME_IN_GAP, TICKRING_CANDLE_SUSPECT,
      TICKRING_CANDLE_SHORT, TICKRING_CANDLE_EXTREME_FOLDED, TICKRING_CANDLE_OUTSIDE_SESSION,
      TICKRING_CANDLE_REPAIRED,
    ]
    #expect(bits == CandleFlags.names.map { Int($0.flag.rawValue) })
  }
}
