import Configuration
import Testing

/// Which words are offered as what was meant.
@Suite struct NearestTests {
  @Test func aSlipOfEachSortIsOneStep() {
    for slip in ["recorde", "recorderr", "recordar", "rceorder", "RECORDER"] {
      #expect(nearest(to: slip, among: ["receive", "retry", "recorder"], count: 1) == ["recorder"])
    }
  }

  @Test func nearerWordsComeFirstAndEquallyNearOnesByAlphabet() {
    let candidates = ["NSE:TCS", "NSE:INFY", "NSE:INFX", "BSE:INFY", "NSE:INF"]
    #expect(nearest(to: "NSE:INFZ", among: candidates, count: 3) == ["NSE:INF", "NSE:INFX", "NSE:INFY"])
    #expect(nearest(to: "NSE:INFZ", among: candidates, count: 0) == [])
  }

  @Test func atMostHalfOfTheLongerWordMayDiffer() {
    #expect(nearest(to: "ab", among: ["axyb", "axyzb"], count: 9) == ["axyb"])
    #expect(nearest(to: "", among: ["a"], count: 1) == [])
    #expect(nearest(to: "a", among: ["", "b"], count: 1) == [])
  }

  @Test func aSwapOfNeighboursCountsAsOneStep() {
    #expect(nearest(to: "ab", among: ["ba"], count: 1) == ["ba"])
    #expect(nearest(to: "abc", among: ["cba"], count: 1) == [])
  }
}
