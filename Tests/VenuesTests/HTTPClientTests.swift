import FlyingFox
import FlyingSocks
import Foundation
import MarketData
import Testing

@testable import Venues

/// The HTTP client against real servers.
@Suite struct HTTPClientTests {
  @Test func methodsHeadersAndBodiesArriveAndSoDoesTheAnswer() async throws {
    let echo: @Sendable (FlyingFox.HTTPRequest) async throws -> FlyingFox.HTTPResponse = { request in
      let body = try await request.bodyData
      let text = "\(request.method.rawValue) \(request.path) \(request.headers[HTTPHeader("X-Test")] ?? "-") "
      return FlyingFox.HTTPResponse(
        statusCode: .accepted, headers: [.contentType: "text/test", HTTPHeader("Retry-After"): "17"],
        body: Data(text.utf8) + body)
    }
    try await withServer {
      await $0.appendRoute("*", handler: echo)
    } _: { port in
      let answers = try await onThread { () throws -> [Venues.HTTPResponse] in
        let client = try Venues.HTTPClient()
        let headers = [(name: "X-Test", value: "yes")]
        let url = "http://127.0.0.1:\(port)/a"
        return [
          try client.send(.init(.get, url, headers: headers)),
          try client.send(.init(.post, url, body: Array("a=1".utf8))), try client.send(.init(.post, url)),
          try client.send(.init(.delete, url)), try client.send(.init(.delete, url, body: [0x42])),
          try client.send(.init(.get, url, body: [0x42])),
        ]
      }
      #expect(
        answers.map { String(decoding: $0.body, as: UTF8.self) } == [
          "GET /a yes ", "POST /a - a=1", "POST /a - ", "DELETE /a - ", "DELETE /a - B", "GET /a - ",
        ])
      #expect(
        answers.allSatisfy { $0.status == 202 && $0.contentType == "text/test" && $0.retryAfterSeconds == 17 }
      )
    }
  }

  @Test func oneConnectionServesManyRequests() async throws {
    let connections = Log<Int>()
    let server = try ScriptedServer { peer in
      connections.append(1)
      while peer.readRequest().hasSuffix("\r\n\r\n") {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      }
    }
    try await onThread {
      let client = try Venues.HTTPClient()
      for _ in 0..<5 {
        #expect(try client.send(.init(.get, "http://127.0.0.1:\(server.port)/")).status == 200)
      }
    }
    server.finish()
    #expect(connections.all.count == 1)
  }

  @Test func gzipIsUnpackedAndTheLimitCountsUnpackedBytes() async throws {
    // "tick" 5000 times over, as gzip packs it into 60 bytes.
    let packed = try #require(
      Data(
        base64Encoded: "H4sIAAAAAAACA+3DsQkAAAgDsGOdxLX/0zNcEkh2Lqqqqqqqqqqqqqqqqqqqqqqqqqq+L6WBOWggTgAA"))
    try await withServer {
      await $0.appendRoute("*") { _ in
        FlyingFox.HTTPResponse(
          statusCode: .ok, headers: [HTTPHeader("Content-Encoding"): "gzip"], body: packed)
      }
    } _: { port in
      try await onThread {
        let client = try Venues.HTTPClient()
        var request = Venues.HTTPRequest(.get, "http://127.0.0.1:\(port)/")
        request.responseBodyBytesMax = 20_000
        #expect(try client.send(request).body.count == 20_000)
        request.responseBodyBytesMax = 19_999
        let fault = #expect(throws: Fault.self) { _ = try client.send(request) }
        #expect(fault?.kind == .protocolViolation)
        #expect(fault?.message.hasSuffix("the answer is longer than the 19999 bytes allowed") == true)
      }
    }
  }

  @Test func aUnixSocketStandsInForHostAndPort() async throws {
    let path = NSTemporaryDirectory() + "tickring-\(UUID().uuidString.prefix(8)).sock"
    defer { unlink(path) }
    let server = HTTPServer(address: .unix(path: path), logger: .disabled)
    await server.appendRoute("/status") { _ in
      FlyingFox.HTTPResponse(statusCode: .ok, body: Data("here".utf8))
    }
    let running = Task { try await server.run() }
    defer { running.cancel() }
    try await server.waitUntilListening(timeout: 60)
    let body = try await onThread {
      var request = Venues.HTTPRequest(.get, "http://localhost/status")
      request.unixSocketPath = path
      return try Venues.HTTPClient().send(request).body
    }
    #expect(body == Array("here".utf8))
  }

  @Test func redirectsAreAnswersAndNotFollowed() async throws {
    try await withServer {
      await $0.appendRoute("/a", to: RedirectHTTPHandler(location: "/b", statusCode: .movedPermanently))
    } _: { port in
      let status = try await onThread {
        try Venues.HTTPClient().send(.init(.get, "http://127.0.0.1:\(port)/a")).status
      }
      #expect(status == 301)
    }
  }

  /// Lines that libcurl takes: a number too long for it, and numbers outside HTTP's.
  @Test(arguments: [
    ("HTTP/20444444444444444444444444", -1), ("HTTP/2 204444444444", nil), ("HTTP/2 7", 7),
    ("HTTP/2 99999", 99999),
    ("HTTP/1.1 600 Odd", 600), ("HTTP/1.1 101 Switching Protocols", 101),
  ])
  func aStatusThatHTTPDoesNotKnowIsAFailureOfTheServer(line: String, status: Int?) async throws {
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.send("\(line)\r\nContent-Length: 2\r\n\r\n[]")
    }
    let fault = try await onThread {
      let client = try Venues.HTTPClient()
      return #expect(throws: Fault.self) {
        _ = try client.send(.init(.get, "http://127.0.0.1:\(server.port)/"))
      }
    }
    server.finish()
    #expect(fault?.kind == .unavailable)
    let named = status.map { "the status \($0);" } ?? "the status"
    #expect(fault?.message.contains(named) == true, "\(fault?.message ?? "")")
    #expect(fault?.message.hasSuffix("an answer's status lies between 200 and 599") == true)
  }

  /// Port 9 belongs to nobody here.
  @Test(arguments: [
    ("http://127.0.0.1:9", "http://127.0.0.1:8/", "Failed to connect to the proxy 127.0.0.1 port 9 "),
    ("socks5h://[::1]:9", "https://venue.example/", "Failed to connect to the proxy ::1 port 9 "),
    ("", "http://127.0.0.1:9/", "Failed to connect to 127.0.0.1 port 9 "),
    (nil, "http://user:word@[::1]:9/a@b", "Failed to connect to ::1 port 9 "),
    (nil, "http://127.1:9/", "Failed to connect to 127.0.0.1 port 9 "),
  ])
  func aProxyThatCannotBeReachedIsTold(proxy: String?, url: String, sentence: String) async throws {
    let fault = try await onThread {
      let client = try Venues.HTTPClient(proxy: proxy)
      return #expect(throws: Fault.self) { _ = try client.send(.init(.get, url)) }
    }
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.contains(sentence) == true, "\(fault?.message ?? "")")
    let socket = url.replacing("http", with: "ws", maxReplacements: 1)
    let other = try await onThread {
      var options = WebSocketConnection.Options(url: socket)
      options.proxy = proxy
      return #expect(throws: Fault.self) { try WebSocketConnection(options).connect() }
    }
    #expect(other?.message.contains(sentence) == true, "\(other?.message ?? "")")
  }

  @Test func failuresNameTheAddressButNoCredentials() async throws {
    let silent = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.waitForEnd()
    }
    let ending = try ScriptedServer { peer in _ = peer.readRequest() }
    let deadPort = try ScriptedServer { _ in }.port
    try await onThread {
      let client = try Venues.HTTPClient()
      for (port, words) in [(silent.port, "timed out"), (ending.port, "Empty reply"), (deadPort, "connect")] {
        var request = Venues.HTTPRequest(.get, "http://127.0.0.1:\(port)/x?access_token=s3cr3t")
        request.timeoutMilliseconds = 300
        let fault = #expect(throws: Fault.self) { _ = try client.send(request) }
        #expect(fault?.kind == .unavailable)
        #expect(fault?.message.hasPrefix("GET http://127.0.0.1:\(port)/x?access_token=***: ") == true)
        #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
      }
    }
    silent.finish()
    ending.finish()
  }

  @Test(arguments: ["", "not an address", "ftp://127.0.0.1/", "http://"])
  func addressesThatMakeNoSenseAreAFault(url: String) throws {
    let fault = #expect(throws: Fault.self) { _ = try Venues.HTTPClient().send(.init(.get, url)) }
    #expect(fault?.kind == .configuration, "\(fault?.message ?? "")")
  }

  @Test func headerFieldsCannotSmuggleFurtherLines() throws {
    let request = Venues.HTTPRequest(.get, "http://127.0.0.1:1/", headers: [(name: "A", value: "b\r\nC: d")])
    let fault = #expect(throws: Fault.self) { _ = try Venues.HTTPClient().send(request) }
    #expect(fault?.kind == .configuration)
  }
}
