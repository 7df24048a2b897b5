import Foundation
import MarketData
import Testing

@testable import Venues

/// The decoders of JSON venues against Python's own json and decimal modules, on messages that a script beside this
/// file makes: thousands, good and broken.
@Suite struct JSONLinesTests {
  private struct Row: Decodable {
    var line: String
    /// What decoding must give, as JSON; nil for a bad message.
    var expected: String?
  }

  private static let seeds = [1, 2026, 31_337]
  private static let count = 2500

  private static func rows(_ venue: String, seed: Int) async throws -> [Row] {
    guard let python = Tool.path("python3"),
      let script = Bundle.module.path(forResource: "json_lines", ofType: "py", inDirectory: "Resources")
    else { try Test.cancel("there is no python3, which judges the messages") }
    return try await withTemporaryFolder { folder in
      let output = folder.appending(path: "lines.jsonl")
      try await onThread {
        try Tool.run(
          python, [script, venue, "--seed", "\(seed)", "--count", "\(count)", "--out", output.path])
      }
      return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map {
        try JSONDecoder().decode(Row.self, from: Data($0.utf8))
      }
    }
  }

  private static func check(_ rows: [Row], _ describe: (String) -> FrameDescription) throws {
    var goodCount = 0
    for row in rows {
      let description = describe(row.line)
      guard let expected = row.expected else {
        #expect(description.lines == [] && description.errors.count == 1, "\(row.line)")
        #expect(description.errors.first?.contains("\n") == false)
        continue
      }
      goodCount += 1
      #expect(description.errors == [], "\(row.line)")
      let line = try #require(description.lines.first, "\(row.line)")
      #expect(try value(line) == value(expected), "\(row.line)\n\(line)\n\(expected)")
    }
    #expect(rows.count > 2000 && goodCount > 1000 && rows.count - goodCount > 500)
  }

  private static func value(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  @Test(arguments: seeds)
  func everyMessageOfOpenAlgoIsWhatPythonMakesOfIt(seed: Int) async throws {
    let rows = try await Self.rows("openalgo", seed: seed)
    try Self.check(rows) { OpenAlgoMessage.describe(line: $0) }
    // The receive path must agree, and take a tick from nothing that is bad.
    for row in rows {
      let members = try row.expected.flatMap { try Self.value($0).members }
      var decoder = OpenAlgoDecoder()
      // A name too long for a symbol is nobody's.
      var isKnown = false
      if case .string(let symbol)? = members?["symbol"], case .string(let exchange)? = members?["exchange"],
        let symbol = try? Symbol("\(exchange):\(symbol)")
      {
        decoder.insert(symbol, InstrumentID(rawValue: 7))
        isKnown = true
      }
      let ticks = Self.ticks { ticks, statistics in
        _ = decoder.decode(
          Array(row.line.utf8), receiveTime: .wallClock(), into: &ticks, statistics: &statistics)
      }
      #expect(ticks.map(\.instrument.rawValue) == (isKnown ? [7] : []), "\(row.line)")
      try Self.check(ticks.first, price: members?["data"]?.members?["ltp"])
    }
  }

  @Test(arguments: seeds)
  func everyLineOfAGatewayIsWhatPythonMakesOfIt(seed: Int) async throws {
    let rows = try await Self.rows("gateway", seed: seed)
    try Self.check(rows) { line in
      // Many of these ticks have times that cannot be read, of which people are told.
      var description = GatewayOutput.describe(line: line)
      if !description.lines.isEmpty {
        description.errors.removeAll { $0.hasSuffix("counts as one without it") }
      }
      return description
    }
    for row in rows {
      let members = try row.expected.flatMap { try Self.value($0).members }
      var decoder = GatewayDecoder()
      if case .string(let symbol)? = members?["symbol"] {
        decoder.instruments.insert(symbol, InstrumentID(rawValue: 7))
      }
      let bytes = Array("x\(row.line)\n{".utf8)
      let ticks = Self.ticks { ticks, statistics in
        _ = decoder.decode(
          bytes, 1..<bytes.count - 2, receiveTime: .wallClock(), into: &ticks, statistics: &statistics)
      }
      #expect(ticks.map(\.instrument.rawValue) == (row.expected == nil ? [] : [7]), "\(row.line)")
      try Self.check(ticks.first, price: members?["price"])
    }
  }

  private static func ticks(_ decode: (inout [Tick], inout SourceStatistics) -> Void) -> [Tick] {
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    decode(&ticks, &statistics)
    return ticks
  }

  private static func check(_ tick: Tick?, price: JSONValue?) throws {
    guard let tick else { return }
    switch price {
    case .number(let number)?: #expect(Decimal(string: tick.lastPrice.description) == number)
    // In quotes on the wire, where it is not rounded by the judge.
    case .string(let text)?:
      let number = try #require(Decimal(string: text))
      #expect(
        abs(try #require(Decimal(string: tick.lastPrice.description)) - number) <= Decimal(string: "5e-10")
          ?? 0)
    default: Issue.record("a tick without a price")
    }
  }

  @Test func whatTheDecodersSayAboutBadMessages() {
    let openAlgo = [
      ("{\"type\":\"market_data\"}", "a market_data message needs the texts symbol and exchange"),
      (
        "{\"type\":\"market_data\",\"symbol\":\"INFY\",\"exchange\":\"NSE\",\"data\":{\"ltt\":1}}",
        "the market_data of NSE:INFY carries no number ltp"
      ),
      (
        "{\"status\":\"error\",\"code\":\"INVALID_MODE\",\"message\":\"Invalid mode\"}",
        "the server says: INVALID_MODE: Invalid mode"
      ),
      ("{\"type\":\"auth\",\"status\":\"error\",\"message\":\"no\"}", "the server says: no"),
      ("{\"type\":\"news\"}", "a message of the unknown type 'news'; ticks are of the type market_data"),
      ("[]", "malformed JSON at byte 0: '[]' where '{' should be"),
      ("7b7", "the line ends in half a byte: 3 hexadecimal digits, where pairs are needed"),
    ]
    for (line, sentence) in openAlgo {
      #expect(OpenAlgoMessage.describe(line: line) == FrameDescription(errors: [sentence]))
    }
    for line in [
      "{\"type\":\"auth\",\"status\":\"success\"}", "{\"type\":\"pong\",\"server_timestamp\":1}", "", "  ",
    ] {
      #expect(OpenAlgoMessage.describe(line: line) == FrameDescription(), "\(line)")
    }
    let tick = "{\"type\":\"tick\",\"symbol\":\"NSE:INFY\",\"price\":1500.0500000000002}"
    let hex = tick.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: " ")
    for line in [tick, hex] {
      #expect(
        GatewayOutput.describe(line: line).lines == [
          "{\"type\":\"tick\",\"symbol\":\"NSE:INFY\",\"price\":1500.05}"
        ])
    }
    let gateway = [
      ("{\"type\":\"tick\",\"price\":1}", "the tick has no text \"symbol\", as in \"NSE:RELIANCE\""),
      ("{\"type\":\"tick\",\"symbol\":\"NSE:A\"}", "the tick of NSE:A has no number \"price\""),
      (
        "{\"type\":\"tick\",\"symbol\":\"NSE:A\",\"price\":\"x\"}",
        "its price is 'x', where a number should be"
      ),
      ("{\"price\":1}", "the object has no text \"type\", as in {\"type\":\"heartbeat\"}"),
      ("{\"type\":\"hello\",\"protocol\":2}", "the gateway speaks protocol 2; 1 is known"),
      ("{\"type\":\"error\",\"kind\":\"refused\",\"message\":\"no\"}", "the gateway says: refused: no"),
      ("{\"type\":\"candles\",\"id\":1}", "the candles have no list \"rows\""),
      (
        "{\"type\":\"candles\",\"id\":1,\"rows\":[[1700000000,1,2,3,1,5]]}",
        "row 1 has open 1, high 2, low 3, close 1; open and close must lie between low and high"
      ),
      (
        "{\"type\":\"instruments\",\"id\":1,\"rows\":[{\"symbol\":\"INFY\"}]}",
        "row 1: symbol 'INFY' is not of the form EXCHANGE:SYMBOL, as in NSE:RELIANCE"
      ),
    ]
    for (line, sentence) in gateway {
      #expect(GatewayOutput.describe(line: line) == FrameDescription(errors: [sentence]))
    }
  }

  @Test func aGatewaysTimeThatCannotBeReadIsSaid() {
    func errors(_ time: String) -> [String] {
      let line = "{\"type\":\"tick\",\"symbol\":\"NSE:A\",\"price\":1,\"last_trade_time\": \(time) }"
      let description = GatewayOutput.describe(line: line)
      #expect(description.lines.count == 1, "\(time)")
      return description.errors
    }
    for time in [
      "1764042300.25", "\"1764042300\"", "\"2025-11-25T09:15:00+05:30\"", "null", "NaN", "\"\"", "0",
    ] {
      #expect(errors(time).isEmpty, "\(time)")
    }
    for time in ["\"2025-11-25 09:15:00\"", "\"today\"", "-5", "1e30", "{\"a\":1}", "true"] {
      #expect(
        errors(time) == [
          "its last_trade_time is \(time), where Unix time or a text with its zone, as in \"2025-11-25T09:15:00+05:30\", "
            + "should be; the tick counts as one without it"
        ])
    }
  }
}
