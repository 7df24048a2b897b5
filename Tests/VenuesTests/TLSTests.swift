import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// TLS with certificates made on the spot, through a small terminating proxy in front of an ordinary server.
@Suite(.enabled(if: TLSProxy.canRun, "needs the programs openssl and python3"), .serialized)
struct TLSTests {
  /// Runs `body` with the port of a TLS server that shows such a certificate, and the file of its authority.
  private func withTLSServer(
    _ certificate: TLSProxy.Certificate = TLSProxy.Certificate(), messages: [WSMessage] = [],
    _ body: @escaping @Sendable (_ port: Int, _ caFile: String) throws -> Void
  ) async throws {
    try await withServer {
      await $0.appendRoute("GET /ticks", to: .messages(messages, received: Log()))
      await $0.appendRoute("*") { _ in FlyingFox.HTTPResponse(statusCode: .ok, body: Data("safe".utf8)) }
    } _: { upstream in
      try await TLSProxy.run(to: upstream, certificate, body)
    }
  }

  @Test func aTrustedServerIsTalkedToOverHTTPAndWebsocket() async throws {
    let large = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    let messages = [WSMessage.data(large)] + (0..<200).map { .data(Data([UInt8($0)])) }
    try await withTLSServer(messages: messages) { port, caFile in
      let response = try Venues.HTTPClient(caFile: caFile).send(.init(.get, "https://127.0.0.1:\(port)/"))
      #expect(response.body == Array("safe".utf8))
      let connection = WebSocketConnection(.init(url: "wss://127.0.0.1:\(port)/ticks", caFile: caFile))
      try connection.connect()
      var received: [Data] = []
      while received.count < 201 {
        let isAlive = try connection.receive(timeoutMilliseconds: 5000) { _, payload, _ in
          received.append(payload.withUnsafeBytes { Data($0) })
        }
        guard isAlive else { break }
      }
      #expect(received.first == large)
      #expect(received.dropFirst().map { $0.first } == (0..<200).map { UInt8($0) })
      connection.close()
    }
  }

  /// Both clients must refuse, in the same words.
  private static func expectRefusal(port: Int, caFile: String?, words: String) {
    let http = #expect(throws: Fault.self) {
      _ = try Venues.HTTPClient(caFile: caFile).send(.init(.get, "https://127.0.0.1:\(port)/"))
    }
    let websocket = #expect(throws: Fault.self) {
      try WebSocketConnection(.init(url: "wss://127.0.0.1:\(port)/ticks", caFile: caFile)).connect()
    }
    for fault in [http, websocket] {
      #expect(fault?.kind == .protocolViolation)
      #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
      #expect(fault?.message.contains("127.0.0.1:\(port)") == true)
    }
  }

  @Test func anUnknownAuthorityIsRefused() async throws {
    try await withTLSServer { port, _ in
      Self.expectRefusal(port: port, caFile: nil, words: "unable to get local issuer certificate")
    }
  }

  @Test func aCertificateForAnotherHostIsRefused() async throws {
    try await withTLSServer(TLSProxy.Certificate(subjectAltName: "DNS:other.example")) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "no alternative certificate subject name matches")
    }
  }

  @Test func anExpiredCertificateIsRefused() async throws {
    try await withTLSServer(TLSProxy.Certificate(days: -1)) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "certificate has expired")
    }
  }

  @Test func aSelfSignedCertificateIsRefused() async throws {
    try await withTLSServer(TLSProxy.Certificate(isSelfSigned: true)) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "self-signed certificate")
    }
  }

  @Test func aServerThatOnlySpeaksTLS1Point1IsNotTalkedTo() async throws {
    try await withTLSServer(TLSProxy.Certificate(version: "TLSv1_1")) { port, caFile in
      // The control: a client that allows the version gets its answer.
      try Tool.run(
        try #require(Tool.path("python3")),
        [
          "-c",
          """
          import socket, ssl, sys
          context = ssl.create_default_context(cafile=sys.argv[2])
          context.set_ciphers("ALL:@SECLEVEL=0")
          context.minimum_version = ssl.TLSVersion.TLSv1
          with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
              with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                  assert secure.version() == "TLSv1.1", secure.version()
          """, "\(port)", caFile,
        ])
      let http = #expect(throws: Fault.self) {
        _ = try Venues.HTTPClient(caFile: caFile).send(.init(.get, "https://127.0.0.1:\(port)/"))
      }
      let websocket = #expect(throws: Fault.self) {
        try WebSocketConnection(.init(url: "wss://127.0.0.1:\(port)/ticks", caFile: caFile)).connect()
      }
      for fault in [http, websocket] {
        #expect(fault?.message.contains("version") == true, "\(fault?.message ?? "")")
      }
    }
  }

  @Test(arguments: ["TLSv1_2", "TLSv1_3"]) func TLS1Point2AndLaterAreSpoken(version: String) async throws {
    try await withTLSServer(TLSProxy.Certificate(version: version)) { port, caFile in
      let response = try Venues.HTTPClient(caFile: caFile).send(.init(.get, "https://127.0.0.1:\(port)/"))
      #expect(response.body == Array("safe".utf8))
    }
  }

  @Test func aMissingFileOfAuthoritiesIsAConfigurationFault() async throws {
    try await withTLSServer { port, _ in
      let client = try Venues.HTTPClient(caFile: "/nonexistent.pem")
      let fault = #expect(throws: Fault.self) {
        _ = try client.send(.init(.get, "https://127.0.0.1:\(port)/"))
      }
      #expect(fault?.kind == .configuration)
      #expect(fault?.message.contains("/nonexistent.pem") == true, "\(fault?.message ?? "")")
    }
  }
}
