import Foundation
import Testing

/// The ring between real processes that are killed, stopped or hostile; the trials are in `Tests/RingTrial`.
@Suite(.serialized) struct RingTrialTests {
  private func trial(_ arguments: [String]) throws -> Tool.Outcome {
    let running = try Running(arguments, executable: Tool.products.appendingPathComponent("ring-trial"))
    return try running.wait(timeoutSeconds: 120)
  }

  @Test func fiveHundredKillsTearLoseAndDoubleNothing() throws {
    let outcome = try trial(["soak", "500"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("torn 0, lost 0"))
  }

  @Test(arguments: [("loses", "lost"), ("tears", "torn"), ("doubles", "doubled")])
  func theCheckerNoticesWhatABugWouldDo(bug: String, word: String) throws {
    let outcome = try trial(["soak", "100", "--seeded-bug", bug])
    #expect(outcome.code == 1, "\(outcome.output)")
    #expect(outcome.output.contains(word), "\(outcome.output)")
  }

  @Test func aStoppedConsumerLosesExactlyWhatIsCounted() throws {
    let outcome = try trial(["stall", "1"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("each loss marked and counted"))
  }

  @Test func aVandalHurtsNobodyElse() throws {
    let outcome = try trial(["siege", "2"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
  }

  @Test func aConsumerThatCutsItsLaneShortHurtsNobodyElse() throws {
    let outcome = try trial(["truncation", "20"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
  }

  @Test func withoutItsGuardTheProducerDiesOfACut() throws {
    let outcome = try trial(["truncation", "1", "--seeded-bug", "unguarded"])
    #expect(outcome.code == 1, "\(outcome.output)")
    #expect(outcome.output.contains("wait status \(SIGBUS)"), "\(outcome.output)")
  }
}
