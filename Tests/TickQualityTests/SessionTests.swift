import MarketData
import Testing
import TickQuality

/// The calendar decides the phase of each tick.
@Suite struct SessionTests {
  /// Pre-open, a lunch break without trading, and a closing auction.
  private struct OneDay: SessionSchedule {
    func tradingDay(_ dayNumber: Int, of group: MarketGroup) throws(Fault) -> TradingDay {
      let start = Timestamp(seconds: sessionStartSeconds)
      guard dayNumber == CivilTime(start).dayNumber else { throw Fault(.configuration, "not known") }
      func span(_ phase: SessionPhase, _ from: Int64, _ to: Int64) -> PhaseSpan {
        PhaseSpan(
          phase, from: start + from * Timestamp.nanosecondsPerSecond,
          to: start + to * Timestamp.nanosecondsPerSecond)
      }
      let phases = [span(.preOpen, -900, 0), span(.continuous, 0, 600), span(.closingAuction, 660, 700)]
      let session = TradingSession(name: "regular", phases: phases)
      return TradingDay(dayNumber: dayNumber, sessions: session.map { [$0] } ?? [])
    }
  }

  private func flags(_ seconds: [Int64], isDefined: Bool = true) -> [TickFlags] {
    let phases = MarketPhases(OneDay())
    if isDefined { phases.define(InstrumentID(rawValue: 0), group: MarketGroup(.cash)) }
    var inspector = makeInspector([RuleSetting("outside-session")], phases: phases)
    var batch = seconds.map { makeTick($0) }
    inspector.inspect(&batch)
    return batch.map(\.flags)
  }

  @Test func rule16AuctionsAreTaggedAndClosedHoursFlagged() {
    #expect(
      flags([-901, -900, -1, 0, 599, 600, 659, 660, 699, 700])
        == [
          .outsideSession, .auction, .auction, [], [], .outsideSession, .outsideSession, .auction, .auction,
          .outsideSession,
        ])
  }

  @Test func theTradesOwnTimeDecidesNotThatOfTheSnapshot() {
    let phases = MarketPhases(OneDay())
    phases.define(InstrumentID(rawValue: 0), group: MarketGroup(.cash))
    var inspector = makeInspector([], phases: phases)
    var tick = makeTick(1)
    tick.lastTradeSeconds = UInt32(sessionStartSeconds - 1)
    var batch = [tick]
    inspector.inspect(&batch)
    #expect(batch[0].flags == .auction)
  }

  @Test func aDayThatTheCalendarDoesNotKnowIsNeverSilentlyOpen() {
    let phases = MarketPhases(OneDay())
    phases.define(InstrumentID(rawValue: 0), group: MarketGroup(.cash))
    let later = Timestamp(seconds: sessionStartSeconds + 5 * 86_400)
    #expect(phases.window(of: InstrumentID(rawValue: 0), at: later).flags == .outsideSession)
    #expect(phases.unknownDays == 1)
  }

  @Test func anInstrumentThatNoCalendarCoversIsLeftAlone() {
    #expect(flags([-5000, 0, 650], isDefined: false) == [[], [], []])
  }
}
