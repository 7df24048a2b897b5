import Foundation
import Testing

/// `tickring gateway` and `tickring decode openalgo|gateway` as a user types them.
@Suite struct GatewayCommandTests {
  @Test func decodeTakesTextAndHexAndGoesOnAfterABadLine() throws {
    let tick =
      "{\"type\":\"market_data\",\"symbol\":\"INFY\",\"exchange\":\"NSE\",\"mode\":1,\"data\":{\"ltp\":1500.0500000000002}}"
    let hex = tick.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let outcome = try Tool.run(["decode", "openalgo"], input: "\(tick)\nnonsense\n\(hex)\n\n")
    let line =
      "{\"type\":\"market_data\",\"symbol\":\"INFY\",\"exchange\":\"NSE\",\"mode\":1,\"data\":{\"ltp\":1500.05}}"
    #expect(outcome.output == "\(line)\n\(line)\n" && outcome.code == 1)
    #expect(outcome.errors == "tickring: line 2: malformed JSON at byte 0: 'nonsense' where '{' should be\n")
    let good = try Tool.run(
      ["decode", "gateway"],
      input:
        "{\"type\":\"hello\",\"protocol\":1}\n{\"type\":\"tick\",\"symbol\":\"NSE:A\",\"price\":\"1e2\"}\n")
    #expect(good.output == "{\"type\":\"tick\",\"symbol\":\"NSE:A\",\"price\":\"1e2\"}\n" && good.code == 0)
  }

  @Test func theProgramCanBeReadAndAMissingEnvironmentIsOneSentence() throws {
    let program = try Tool.run(["gateway", "india-stocks-api", "--print"])
    #expect(program.code == 0 && program.output.contains("india-stocks-api==1.0.0"))
    let outcome = try Tool.run(["gateway", "india-stocks-api", "--environment", "/nonexistent"])
    #expect(outcome.code == 66)
    #expect(
      outcome.errors.contains("'/nonexistent' holds no Python environment; make it with tickring gateway"))
  }

  @Test func theProgramGoesOnAfterALineThatIsNoRequest() throws {
    let outcome = try Tool.run(
      ["gateway", "india-stocks-api"], input: "nonsense\n5\n{\"type\":\"ping\",\"id\":3}\n")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let answers = outcome.output.split(separator: "\n")
    #expect(answers.last == "{\"type\": \"pong\", \"id\": 3}", "\(outcome.output)")
    let told = outcome.errors.split(separator: "\n")
    #expect(told.count == 2 && told.allSatisfy { $0.contains("is no JSON object") }, "\(outcome.errors)")
  }
}
