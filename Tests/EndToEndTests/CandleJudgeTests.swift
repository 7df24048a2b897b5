import Foundation
import Testing

/// `tickring candles build` before a judge in Python that shares nothing with it but the words of the rules.
@Suite struct CandleJudgeTests {
  private static func judge(_ arguments: [String]) throws -> Tool.Outcome {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Resources/candle_judge.py").path
    return try Running(
      ["python3", script, Tool.tickring.path] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"],
      executable: URL(fileURLWithPath: "/usr/bin/env")
    ).wait(timeoutSeconds: 300)
  }

  @Test func candlesOfRandomTicksAreThoseOfTheJudge() throws {
    let outcome = try Self.judge(["40"])
    #expect(outcome.code == 0, "\(outcome.output.suffix(2000))\(outcome.errors)")
    #expect(outcome.output.hasSuffix("1914 candles compared, 0 differ\n"), "\(outcome.output.suffix(200))")
  }

  @Test func theJudgeFindsABuilderThatForgetsTheMinutesEdge() throws {
    let outcome = try Self.judge(["3", "--seeded-bug"])
    #expect(outcome.code == 1 && !outcome.output.hasSuffix(" 0 differ\n"), "\(outcome.output.suffix(200))")
  }
}
