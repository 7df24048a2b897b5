import MarketData
import Testing

@testable import Venues

/// What venues and gateways say in words, as it is shown.
@Suite struct ExcerptTests {
  @Test(arguments: [
    ("<html>\r\n  <body>", "<html> <body>"), ("\u{1B}]0;title\u{7}", "]0;title"), ("", ""),
    (String(repeating: "a", count: 300), String(repeating: "a", count: 200) + "…"),
    // The cut goes through the last of them.
    (String(repeating: "₹", count: 100), String(repeating: "₹", count: 66) + "…"),
  ])
  func itIsOneLineOfLimitedLength(text: String, shown: String) {
    #expect(excerpt(of: text.utf8) == shown)
  }

  /// Each of these was found by a fuzzer to carry control characters or thousands of bytes into a sentence, or to say
  /// nothing at all.
  @Test func wordsOfOthersAreFitForASentence() throws {
    let flood = String(repeating: "x", count: 3000)
    let angelOne = AngelOneMessage.describe(
      Array("{\"errorCode\":\"E\\u001b1\",\"errorMessage\":\"\(flood)\"}".utf8))
    #expect(angelOne.errors.map(\.utf8.count).allSatisfy { $0 < 300 } && angelOne.errors.count == 1)
    #expect(AngelOneMessage.errorText(Array("{\"errorCode\":\"\"}".utf8)) == "an error without a code")

    let openAlgo = OpenAlgoMessage.describe(
      Array("{\"type\":\"market_data\",\"symbol\":\"\(flood)\",\"exchange\":\"NSE\"}".utf8))
    #expect(openAlgo.errors.map(\.utf8.count).allSatisfy { $0 < 300 } && openAlgo.errors.count == 1)

    let gateway = GatewayOutput.describe(
      line: "{\"type\":\"error\",\"message\":\"a\\u0007\\u000ab\(flood)\"}")
    #expect(gateway.errors.first?.hasPrefix("the gateway says: a bx") == true)
    #expect(gateway.errors.map(\.utf8.count).allSatisfy { $0 < 300 })

    var csv = CandleFormat()
    csv.shape = .csv
    let fault = #expect(throws: Fault.self) {
      try csv.candles(
        in: Array("\(flood),open\n".utf8), instrument: InstrumentID(rawValue: 1), interval: .minute,
        origin: .venue)
    }
    #expect(fault.map { $0.message.utf8.count <= Fault.messageBytesMax } == true)
  }
}
