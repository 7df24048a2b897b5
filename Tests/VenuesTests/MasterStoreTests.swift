import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// The generic master data store: templates, shapes, times, and what wrong ones say.
@Suite struct MasterStoreTests {
  private static let start = Timestamp(seconds: 1_795_405_500)
  private static func instrument() throws -> Instrument {
    Instrument(
      id: InstrumentID(rawValue: 3), symbol: try Symbol("NSE:M&M"), venueToken: "t/1", priceTick: .zero,
      lotSize: 1)
  }

  private static func fault(_ body: () throws(Fault) -> Void) -> Fault? {
    do throws(Fault) {
      try body()
      return nil
    } catch { return error }
  }

  private static func format(_ change: (inout CandleFormat) -> Void) -> CandleFormat {
    var format = CandleFormat()
    change(&format)
    return format
  }

  private static func read(_ text: String, _ change: (inout CandleFormat) -> Void = { _ in }) throws(Fault)
    -> [Candle]
  {
    try format(change).candles(
      in: Array(text.utf8), instrument: InstrumentID(rawValue: 3), interval: .minute, origin: .venue)
  }

  @Test func templatesTakeInTheRequestAndTheEnvironment() throws {
    let part = CandleRequest(try Self.instrument(), from: Self.start, to: Self.start + 3600_000_000_000)
    let template = try MasterTemplate(
      "https://h/{exchange}/{symbol}/{token}/{interval}?k=${KEY}&a={from}&b={to}&c={from_ms}&d={to_ms}&e={from_date}"
        + "&f={to_date}&g={to_time}", environment: ["KEY": "s3cret"])
    #expect(
      template.text(for: part, interval: "min", encode: percentEncoded)
        == "https://h/NSE/M%26M/t%2F1/min?k=s3cret&a=1795405500&b=1795409100&c=1795405500000&d=1795409100000&e=2026-11-23"
        + "&f=2026-11-23&g=2026-11-23T10%3A14%3A59%2B05%3A30")
  }

  @Test(
    arguments: [
      ("{sym}", "'{sym}' holds the placeholder {sym}; known are exchange, symbol, token, interval, from, to"),
      ("a{symbol", "'a{symbol' holds a { without its }"),
      ("${NOPE}", "'${NOPE}' needs the environment variable NOPE, which is not set"),
      ("${BAD}", "the environment variable BAD holds characters beyond visible ASCII"),
    ])
  func aWrongTemplateSaysWhatIsWrong(text: String, sentence: String) {
    let fault = Self.fault { () throws(Fault) in _ = try MasterTemplate(text, environment: ["BAD": "a\nb"]) }
    #expect(
      fault?.kind == .configuration && fault?.message.hasPrefix(sentence) == true, "\(fault?.message ?? "")")
  }

  @Test func jsonRowsAreObjectsOrArraysWhereverTheyAre() throws {
    let object =
      "{\"timestamp\":1795405500,\"open\":1.1000000000000001,\"high\":2,\"low\":1,\"close\":\"1.5\",\"volume\":9,\"x\":[{}]}"
    let candles = try Self.read("[\(object)]")
    #expect(candles.map(\.start) == [Self.start] && candles.map(\.open.description) == ["1.1"])
    #expect(
      candles.map(\.volume) == [9] && candles.map(\.openInterest) == [0]
        && candles[0].instrument.rawValue == 3)
    let array =
      "{\"status\":\"ok\",\"data\":{\"n\":[1],\"candles\":[[\"2026-11-23T09:15:00+05:30\",110,200,100,150,9,7]]}}"
    let scaled = try Self.read(array) {
      $0.rows = "data.candles"
      $0.columns = ["0", "1", "2", "3", "4", "5", "6"]
      $0.priceScale = 100
    }
    #expect(scaled.map(\.start) == [Self.start] && scaled.map(\.open.description) == ["1.1"])
    #expect(scaled.map(\.openInterest) == [7])
  }

  @Test func csvColumnsAreFoundByName() throws {
    let text = "\u{FEFF}volume,Date,o,h,l,c,extra\r\n9,\"23-Nov-2026 09:15\",1.10,2,1,1.5,\"a,b\"\r\n"
    let candles = try Self.read(text) {
      $0.shape = .csv
      $0.columns = ["Date", "o", "h", "l", "c", "volume"]
      $0.time = .pattern("%d-%b-%Y %H:%M", offsetSeconds: 19_800)
    }
    #expect(candles.map(\.start) == [Self.start] && candles.map(\.close.description) == ["1.5"])
  }

  @Test(
    arguments: [
      ("{\"data\":[]}", "the text is no list of candles"),
      (
        "[{\"timestamp\":1795405500,\"open\":1,\"high\":2,\"low\":1,\"close\":1}]",
        "row 1: there is no 'volume', which is the volume"
      ),
      (
        "[{\"timestamp\":\"today\",\"open\":1,\"high\":2,\"low\":1,\"close\":1,\"volume\":1}]",
        "row 1: timestamp is 'today', but must be a time: Unix time, or RFC 3339 with a zone"
      ),
      (
        "[{\"timestamp\":1795405500,\"open\":\"x\",\"high\":2,\"low\":1,\"close\":1,\"volume\":1}]",
        "row 1: open is 'x', but must be a number, the price"
      ),
      (
        "[{\"timestamp\":1795405500,\"open\":1,\"high\":2,\"low\":1.5,\"close\":1,\"volume\":1}]",
        "row 1: open 1, high 2, low 1.5, close 1: open and close must lie between low and high"
      ),
      (
        "[{\"timestamp\":1795405500,\"open\":1,\"high\":2,\"low\":1,\"close\":1,\"volume\":-1}]",
        "row 1: volume is '-1', but must be a whole number from 0"
      ),
      ("[5]", "row 1 is neither an object nor an array"), ("[[1]", "row 1: there is no 'open'"),
      ("<html>", "malformed JSON at byte 0: '<html>' where a value should be"),
    ])
  func aBadAnswerSaysWhatIsWrongAndWhere(text: String, sentence: String) {
    let fault = Self.fault { () throws(Fault) in _ = try Self.read(text) }
    #expect(
      fault?.kind == .badData && fault?.message.hasPrefix(sentence) == true, "\(fault?.message ?? "no fault")"
    )
  }

  @Test(
    arguments: [
      ("", "there is no line of column names; timestamp, open"),
      (
        "timestamp,open,high,low,volume\n",
        "line 1 has no column 'close' for the close; it has timestamp, open"
      ),
      ("timestamp,open,high,low,close,volume\n1,2\n", "line 2: 2 values, where the first line has 6 columns"),
      (
        "timestamp,open,high,low,close,volume\n1795405500,1,2,1,,5\n",
        "line 2: close is '', but must be a number"
      ),
    ])
  func aBadFileSaysWhatIsWrongAndWhere(text: String, sentence: String) {
    let fault = Self.fault { () throws(Fault) in _ = try Self.read(text) { $0.shape = .csv } }
    #expect(
      fault?.kind == .badData && fault?.message.hasPrefix(sentence) == true, "\(fault?.message ?? "no fault")"
    )
  }

  @Test(arguments: ["%H:%M", "%Y-%m-%q", "yyyy-mm-dd", "%Y-%m-%d %"])
  func aPatternWithoutADateIsAWrongConfiguration(pattern: String) {
    let fault = Self.fault { () throws(Fault) in _ = try TimeFormat(pattern, offsetSeconds: 0) }
    #expect(fault?.kind == .configuration && fault?.message.contains(pattern) == true)
  }

  @Test func aStoreIsAskedOverHTTPAndItsSecretsAreNotShown() async throws {
    let seen = Log<String>()
    try await withServer { server in
      await server.appendRoute("*") { request in
        seen.append("\(request.path) \(request.headers[HTTPHeader("X-Key")] ?? "")")
        if request.path.contains("dead") {
          return HTTPResponse(statusCode: .forbidden, body: Data("no hunter2".utf8))
        }
        if request.path.contains("odd") { return HTTPResponse(statusCode: .ok, body: Data("{}".utf8)) }
        let rows = (0..<3).map { "[\(1_795_405_440 + 60 * $0),1,2,1,1.5,5]" }.joined(separator: ",")
        return HTTPResponse(statusCode: .ok, body: Data("{\"d\":[\(rows)]}".utf8))
      }
    } _: { port in
      try await onThread {
        let environment = ["STORE_KEY": "hunter2"]
        func history(_ path: String) throws -> RESTHistory {
          let format = Self.format {
            $0.rows = "d"
            $0.columns = ["0", "1", "2", "3", "4", "5"]
          }
          return RESTHistory(
            MasterCandles(
              url: try MasterTemplate(
                "http://127.0.0.1:\(port)/\(path)/{symbol}/{interval}", environment: environment),
              headers: [("X-Key", try MasterTemplate("${STORE_KEY}", environment: environment))],
              format: format,
              words: [60: "minute"], daysMax: 1), budget: RequestBudget([]))
        }
        let to = Self.start + 120_000_000_000
        let instrument = try Self.instrument()
        let candles = try history("ok").candles(of: instrument, interval: .minute, from: Self.start, to: to)
        #expect(candles.map(\.start) == [Self.start, Self.start + 60_000_000_000], "the range is cut")
        #expect(seen.all.first == "/ok/M&M/minute hunter2")
        for (path, kind, words) in [
          ("dead", Fault.Kind.refused, "HTTP status 403: no ***"),
          ("odd", .protocolViolation, "there is no list at 'd'"),
        ] {
          let source = try history(path)
          let fault = Self.fault { () throws(Fault) in
            _ = try source.candles(of: instrument, interval: .minute, from: Self.start, to: to)
          }
          #expect(fault?.kind == kind && fault?.message.contains(words) == true, "\(fault?.message ?? "")")
          #expect(fault?.message.contains("hunter2") == false)
        }
      }
    }
  }

  @Test func aSecretInTheAddressIsNotShownEither() async throws {
    try await onThread {
      let url = try MasterTemplate(
        "http://127.0.0.1:1/${STORE_KEY}/{symbol}?apitoken=${STORE_KEY}",
        environment: ["STORE_KEY": "hunter2"])
      let notices = Log<String>()
      var options = RESTHistory.Options()
      (options.retry.attemptsMax, options.retry.firstPauseMilliseconds) = (2, 1)
      let history = RESTHistory(
        MasterCandles(url: url, headers: [], format: CandleFormat(), daysMax: 1), budget: RequestBudget([]),
        options: options, notice: { notices.append($0) })
      let instrument = try Self.instrument()
      let fault = Self.fault { () throws(Fault) in
        _ = try history.candles(
          of: instrument, interval: .minute, from: Self.start, to: Self.start + 60_000_000_000)
      }
      let message = try #require(fault?.message)
      #expect(message.contains("http://127.0.0.1:1/***/M%26M?apitoken=***"), "\(message)")
      #expect(notices.all.count == 1)
      for sentence in notices.all + [message] { #expect(!sentence.contains("hunter2"), "\(sentence)") }
    }
  }

  @Test func filesAreASourceToo() async throws {
    try await withTemporaryFolder { folder in
      let text =
        "timestamp,open,high,low,close,volume\n1795405500,1,2,1,1.5,5\n1795405500,1,2,1,1.5,5\n1795405560,1,2,1,1.5,6\n"
      try text.write(to: folder.appending(path: "NSE_M&M.csv"), atomically: true, encoding: .utf8)
      let files = FileCandles(
        path: try MasterTemplate(folder.path + "/{exchange}_{symbol}.csv", environment: [:]),
        format: Self.format { $0.shape = .csv })
      let instrument = try Self.instrument()
      let all = try files.candles(
        of: instrument, interval: .minute, from: Self.start, to: Self.start + 3600_000_000_000)
      #expect(all.map(\.volume) == [5, 6] && all.allSatisfy { $0.origin == .imported })
      let stranger = Instrument(
        id: InstrumentID(rawValue: 1), symbol: try Symbol("NSE:../x"), venueToken: "", priceTick: .zero,
        lotSize: 1)
      #expect(
        try files.candles(of: stranger, interval: .minute, from: Self.start, to: Self.start + 1).isEmpty)
      try (text + "1795405500,1,2,1,1.5,5\n").write(
        to: folder.appending(path: "NSE_M&M.csv"), atomically: true, encoding: .utf8)
      let fault = Self.fault { () throws(Fault) in
        _ = try files.candles(of: instrument, interval: .minute, from: Self.start, to: Self.start + 1)
      }
      #expect(fault?.kind == .badData && fault?.message.contains("rows must ascend in time") == true)
    }
  }
}
