import Foundation
import MarketData
import Testing
import VenueSimulator

/// The vendor's own Python client, unchanged but for its addresses, as a customer of the simulated venue.
@Suite struct AngelOneVendorTests {
  /// Logs in, asks for candles, subscribes in every mode, and writes what it got as one JSON object.
  private static let script = """
    import io, json, sys, threading, contextlib, logging
    import requests
    port, seconds = sys.argv[1], 20
    # Importing the package asks the internet for this machine's address, which it then does not use.
    requests.get = lambda *arguments, **keywords: (_ for _ in ()).throw(OSError("not here"))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        from SmartApi import SmartConnect
        from SmartApi.smartWebSocketV2 import SmartWebSocketV2
    import logzero, pyotp
    logzero.loglevel(logging.CRITICAL)
    result = {}
    client = SmartConnect("simkey", root=f"http://127.0.0.1:{port}")
    wrong = client.generateSession("DEMO", "1111", "000000")
    result["wrong"] = wrong["errorcode"]
    session = client.generateSession("DEMO", "0000", pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").now())
    result["client"] = session["data"]["clientcode"]
    result["candles"] = client.getCandleData({
        "exchange": "NSE", "symboltoken": "1020", "interval": "ONE_MINUTE",
        "fromdate": "2024-08-02 09:15", "todate": "2024-08-02 09:19"})["data"]
    client.generateToken(client.refresh_token)
    SmartWebSocketV2.ROOT_URI = f"ws://127.0.0.1:{port}/smart-stream"
    stream = SmartWebSocketV2("Bearer " + client.access_token, "simkey", "DEMO", client.feed_token)
    frames, texts, done = [], [], threading.Event()

    def on_open(wsapp):
        for mode in (1, 2, 3, 4):
            stream.subscribe("all", mode, [{"exchangeType": 1, "tokens": ["1014"]}])
        stream.subscribe("cur", 3, [{"exchangeType": 13, "tokens": ["1201"]}])

    def on_data(wsapp, frame):
        frames.append(frame)
        if len(frames) == 200:
            done.set()

    stream.on_open, stream.on_data = on_open, on_data
    stream.on_close = stream.on_error = lambda *arguments: done.set()
    threading.Thread(target=stream.connect, daemon=True).start()
    done.wait(seconds)
    result["frames"] = frames
    with open(sys.argv[2], "w") as file:
        json.dump(result, file)
    import os
    os._exit(0)
    """

  private struct Result: Decodable, Sendable {
    struct Frame: Decodable, Sendable {
      var subscription_mode: Int
      var exchange_type: Int
      var token: String
      var sequence_number: Int64?
      var last_traded_price: Int64?
      var high_price_of_the_day: Int64?
      var best_5_buy_data: [Level]?
      var best_5_sell_data: [Level]?
      var depth_20_buy_data: [Level]?
    }

    struct Level: Decodable, Sendable { var price: Int64 }

    var wrong: String
    var client: String
    var candles: [[Cell]]
    var frames: [Frame]
  }

  /// A cell of a row of candles.
  private enum Cell: Decodable, Equatable, Sendable {
    case text(String)
    case number(Double)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .number(try container.decode(Double.self))
      }
    }
  }

  @Test func theVendorsClientLogsInAsksAndReceives() async throws {
    let python: String
    do {
      python = try await onThread { try PythonEnvironment.python(with: VendorGolden.angelOne.packages) }
    } catch {
      try Test.cancel("the vendor's client cannot be had: \(error)")
    }
    let result = try await withTemporaryFolder { folder in
      try await withSimulatedAngelOne(instruments: 40, updatesPerSecond: 100) { port in
        let output = folder.appending(path: "result.json")
        try Tool.run(python, ["-c", Self.script, "\(port)", output.path], directory: folder)
        return try JSONDecoder().decode(Result.self, from: try Data(contentsOf: output))
      }
    }
    #expect(result.wrong == "AB1007" && result.client == "DEMO")
    #expect(result.candles.map { $0.first } == (15...19).map { .text("2024-08-02T09:\($0):00+05:30") })
    #expect(result.candles.allSatisfy { $0.count == 6 })
    #expect(result.frames.count >= 200)
    #expect(Set(result.frames.map(\.subscription_mode)) == [1, 2, 3, 4])
    #expect(Set(result.frames.map(\.token)) == ["1014", "1201"])
    for frame in result.frames where frame.subscription_mode == 3 {
      let price = try #require(frame.last_traded_price)
      #expect(try #require(frame.high_price_of_the_day) >= price)
      // The client reads the sides off the flags; buyers stand at or below the price, sellers at or above it.
      #expect(frame.best_5_buy_data?.count == 5 && frame.best_5_sell_data?.count == 5)
      #expect(frame.best_5_buy_data?.allSatisfy { $0.price <= price } == true)
      #expect(frame.best_5_sell_data?.allSatisfy { $0.price >= price } == true)
    }
    #expect(result.frames.contains { $0.subscription_mode == 4 && $0.depth_20_buy_data?.count == 20 })
  }
}
