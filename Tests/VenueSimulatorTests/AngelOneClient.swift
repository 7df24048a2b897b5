import Foundation
import MarketData

@testable import VenueSimulator

/// A customer of the simulated Angel One, written from the vendor's documentation alone.
struct AngelOneClient {
  let port: UInt16
  var apiKey = "simkey"
  private(set) var jwt = ""
  private(set) var refresh = ""
  private(set) var feed = ""

  /// An answer to a request.
  struct Answer {
    let status: Int
    let text: String

    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }
    var data: [String: Any] { json["data"] as? [String: Any] ?? [:] }
    /// The error's code in either of the two spellings.
    var code: String? { (json["errorcode"] ?? json["errorCode"]) as? String }
  }

  init(port: UInt16) { self.port = port }

  func post(_ path: String, _ body: [String: String]) throws -> Answer {
    try request("POST", path, body: try JSONEncoder().encode(body))
  }

  func get(_ path: String) throws -> Answer { try request("GET", path, body: Data()) }

  private func request(_ method: String, _ path: String, body: Data) throws -> Answer {
    let client = try TickerClient(port: port)
    let lines = [
      "\(method) \(path) HTTP/1.1", "Host: 127.0.0.1", "X-PrivateKey: \(apiKey)",
      "Authorization: Bearer \(jwt)",
      "Content-Length: \(body.count)", "", "",
    ]
    client.send(Array(lines.joined(separator: "\r\n").utf8) + body)
    let answer = try client.httpAnswer()
    let parts = answer.components(separatedBy: "\r\n\r\n")
    return Answer(
      status: Int(parts[0].split(separator: " ")[1]) ?? 0,
      text: parts.dropFirst().joined(separator: "\r\n\r\n"))
  }

  func candles(
    _ token: String, from: String, to: String, exchange: String = "NSE", interval: String = "ONE_MINUTE"
  ) throws -> Answer {
    try post(
      "/rest/secure/angelbroking/historical/v1/getCandleData",
      [
        "exchange": exchange, "symboltoken": token, "interval": interval, "fromdate": from, "todate": to,
      ])
  }

  /// Logs in with the venue's own secret and the password of now.
  mutating func logIn(clientCode: String = "DEMO", pin: String = "0000", totp: String? = nil) throws -> Answer
  {
    let password = totp ?? Self.passwords.password(at: .wallClock())
    let answer = try post(
      "/rest/auth/angelbroking/user/v1/loginByPassword",
      ["clientcode": clientCode, "password": pin, "totp": password])
    take(answer)
    return answer
  }

  mutating func renew() throws -> Answer {
    let answer = try post(
      "/rest/auth/angelbroking/jwt/v1/generateTokens", ["refreshToken": refresh])
    take(answer)
    return answer
  }

  private mutating func take(_ answer: Answer) {
    jwt = answer.data["jwtToken"] as? String ?? jwt
    refresh = answer.data["refreshToken"] as? String ?? refresh
    feed = answer.data["feedToken"] as? String ?? feed
  }

  private static let passwords = SimulatedOneTimePassword(base32: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

  /// Opens the stream, with changes to what is sent; returns the head of the answer.
  func open(_ client: TickerClient, changing changes: [String: String] = [:], query: String = "") throws
    -> String
  {
    var fields = [
      "Authorization": "Bearer \(jwt)", "x-api-key": apiKey, "x-client-code": "DEMO", "x-feed-token": feed,
    ]
    fields.merge(changes) { $1 }
    let lines =
      [
        "GET /smart-stream\(query) HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
      ] + fields.filter { !$0.value.isEmpty }.map { "\($0.key): \($0.value)" } + ["", ""]
    client.send(Array(lines.joined(separator: "\r\n").utf8))
    return try client.httpAnswer()
  }

  /// Opens the stream as it should be.
  func stream() throws -> TickerClient {
    let client = try TickerClient(port: port)
    let answer = try open(client)
    guard answer.hasPrefix("HTTP/1.1 101") else { throw TickerClient.Failure(what: answer) }
    return client
  }
}

extension TickerClient {
  func change(_ action: Int, mode: Int, _ lists: [(exchange: Int, tokens: [String])], id: String = "abc") {
    let texts = lists.map { list in
      let tokens = list.tokens.map { "\"\($0)\"" }.joined(separator: ",")
      return #"{"exchangeType":\#(list.exchange),"tokens":[\#(tokens)]}"#
    }
    send(
      text:
        #"{"correlationID":"\#(id)","action":\#(action),"params":{"mode":\#(mode),"tokenList":[\#(texts.joined(separator: ","))]}}"#
    )
  }

  /// The next binary message.
  func frame() throws -> [UInt8] {
    let message = try receive()
    guard case .binary(let bytes) = message else { throw Failure(what: "no frame but \(message)") }
    return bytes
  }

  /// The next text, passing over frames.
  func text() throws -> String {
    while true {
      switch try receive() {
      case .text(let text): return text
      case .binary: continue
      case let other: throw Failure(what: "no text but \(other)")
      }
    }
  }
}
