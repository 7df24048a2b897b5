import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// TLS with certificates made on the spot, through a small terminating proxy in front of an ordinary server.
@Suite(
  .enabled(
    if: Tool.path("openssl") != nil && Tool.path("python3") != nil, "needs the programs openssl and python3"),
  .serialized)
struct TLSTests {
  /// Takes TLS off and passes the bytes on to a port on loopback; prints its own port.
  private static let proxyScript = """
    import select, socket, ssl, sys, threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if sys.argv[4] != "any":
        # Versions that OpenSSL itself counts as unsafe are had at the lowest security level only.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, sys.argv[4])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def serve(connection):
        try:
            tls = context.wrap_socket(connection, server_side=True)
            plain = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
            while True:
                ready = [tls] if tls.pending() else select.select([tls, plain], [], [])[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (plain if source is tls else tls).sendall(data)
        except OSError:
            pass
        finally:
            connection.close()

    threading.Thread(target=lambda: (sys.stdin.read(), __import__("os")._exit(0)), daemon=True).start()
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """

  private struct Certificate {
    var subjectAltName = "IP:127.0.0.1"
    var days = 2
    /// Signed by its own key instead of the authority's.
    var isSelfSigned = false
    /// The one version of TLS that the server speaks, in Python's words.
    var version = "any"
  }

  /// Runs `body` with the port of a TLS server that shows such a certificate, and the file of its authority.
  private func withTLSServer(
    _ certificate: Certificate = Certificate(), messages: [WSMessage] = [],
    _ body: @escaping @Sendable (_ port: Int, _ caFile: String) throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try Self.makeCertificates(certificate, in: folder)
      try await withServer {
        await $0.appendRoute("GET /ticks", to: .messages(messages, received: Log()))
        await $0.appendRoute("*") { _ in FlyingFox.HTTPResponse(statusCode: .ok, body: Data("safe".utf8)) }
      } _: { upstream in
        let proxy = Process()
        proxy.executableURL = URL(filePath: try #require(Tool.path("python3")))
        proxy.arguments = [
          "-c", Self.proxyScript, "server.pem", "server.key", "\(upstream)", certificate.version,
        ]
        proxy.currentDirectoryURL = folder
        let (input, output) = (Pipe(), Pipe())
        proxy.standardInput = input
        proxy.standardOutput = output
        try proxy.run()
        defer {
          try? input.fileHandleForWriting.close()
          proxy.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        try await onThread { try body(port, folder.appending(path: "ca.pem").path) }
      }
    }
  }

  private static func makeCertificates(_ certificate: Certificate, in folder: URL) throws {
    let openssl = try #require(Tool.path("openssl"))
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    let signer =
      certificate.isSelfSigned
      ? ["-key", "server.key"] : ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    for commands in [
      ["req", "-x509"] + key + [
        "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=TickRing test", "-days", "2",
      ],
      ["req"] + key + [
        "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server", "-addext",
        "subjectAltName=\(certificate.subjectAltName)",
      ],
      ["x509", "-req", "-in", "server.csr"] + signer + [
        "-out", "server.pem", "-copy_extensions", "copy", "-days", "\(certificate.days)",
      ],
    ] { try Tool.run(openssl, commands, directory: folder) }
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
    try await withTLSServer(Certificate(subjectAltName: "DNS:other.example")) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "no alternative certificate subject name matches")
    }
  }

  @Test func anExpiredCertificateIsRefused() async throws {
    try await withTLSServer(Certificate(days: -1)) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "certificate has expired")
    }
  }

  @Test func aSelfSignedCertificateIsRefused() async throws {
    try await withTLSServer(Certificate(isSelfSigned: true)) { port, caFile in
      Self.expectRefusal(port: port, caFile: caFile, words: "self-signed certificate")
    }
  }

  @Test func aServerThatOnlySpeaksTLS1Point1IsNotTalkedTo() async throws {
    try await withTLSServer(Certificate(version: "TLSv1_1")) { port, caFile in
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
    try await withTLSServer(Certificate(version: version)) { port, caFile in
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
