import Foundation
import Testing

/// `tickring debug websocket-echo` before judges that share no code with it.
@Suite(.serialized) struct WebSocketEchoTests {
  private static let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Resources").path
  private static let cases = resources + "/websocket_cases.py"
  private static let client = [Tool.tickring.path, "debug", "websocket-echo"]

  private static func python(
    _ arguments: [String], environment: [String: String] = [:], interpreter: [String] = ["python3"]
  ) throws -> Tool.Outcome {
    try Running(
      interpreter + arguments, environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 },
      executable: URL(fileURLWithPath: "/usr/bin/env")
    ).wait(timeoutSeconds: 300)
  }

  @Test func everyCaseOfRFC6455IsPassed() throws {
    let outcome = try Self.python([Self.cases] + Self.client)
    #expect(outcome.code == 0, "\(outcome.output.suffix(2000))\(outcome.errors)")
    #expect(outcome.output.hasSuffix(" 0 failures\n"))
  }

  /// The judge lets a right client pass, and finds each bug that is put into it.
  @Test(
    arguments: [
      ("none", "0", 0), ("none", "5", 0), ("none", "7", 0), ("mask", "1 binary of", 1),
      ("utf8", "6 text 19", 1),
      ("late", "6 fail", 1), ("fragments", "5", 1), ("reserved", "3", 1), ("codes", "7", 1),
      ("answer", "7", 1),
      ("opcode", "4", 1), ("handshake", "0", 1),
    ] as [(String, String, Int32)])
  func theJudgeRejectsAFaultyClient(bug: String, cases: String, code: Int32) throws {
    let outcome = try Self.python(
      [Self.cases, "--cases", cases, "python3", Self.cases, "--client", bug],
      environment: ["WEBSOCKET_CASES_SECONDS": "3"])
    #expect(outcome.code == code, "\(outcome.output.suffix(2000))\(outcome.errors)")
    #expect(!outcome.output.hasSuffix("\n0 cases, 0 failures\n"))
  }

  // MARK: An independent peer

  /// A Python with the package `websockets`, in an environment that is made once; nil where PyPI cannot be reached.
  private static func pythonWithWebsockets() throws -> String? {
    let environment = NSTemporaryDirectory() + "tickring-websockets"
    let python = environment + "/bin/python3"
    func isUsable() throws -> Bool {
      guard FileManager.default.isExecutableFile(atPath: python) else { return false }
      return try Self.python(["-c", "import websockets"], interpreter: [python]).code == 0
    }
    if try isUsable() { return python }
    _ = try Self.python(["-m", "venv", environment])
    if FileManager.default.isExecutableFile(atPath: python) {
      _ = try Self.python(
        ["-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1", "websockets"],
        interpreter: [python])
    }
    return try isUsable() ? python : nil
  }

  @Test func anotherImplementationAgreesOverTCPAndTLS() throws {
    guard let python = try Self.pythonWithWebsockets() else {
      print("skipped: the Python package websockets is not installed and PyPI cannot be reached")
      return
    }
    let plain = try Self.python([Self.resources + "/websocket_peer.py"] + Self.client, interpreter: [python])
    #expect(plain.output.hasSuffix("agreed 0\n"), "\(plain.output)\(plain.errors)")
    let directory = try TemporaryDirectory()
    let (certificate, key) = (directory.path + "/server.pem", directory.path + "/server.key")
    let making = try Running(
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout",
        key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        "-days", "2",
      ], executable: URL(fileURLWithPath: "/usr/bin/env")
    ).wait()
    try #require(making.code == 0, "\(making.errors)")
    let peer = [Self.resources + "/websocket_peer.py", "--tls", certificate, key] + Self.client
    let secure = try Self.python(peer + ["--ca-file", certificate], interpreter: [python])
    #expect(secure.output.hasSuffix("agreed 0\n"), "\(secure.output)\(secure.errors)")
    let distrusted = try Self.python(peer, interpreter: [python])
    #expect(distrusted.errors.contains("self-signed certificate"), "\(distrusted.output)\(distrusted.errors)")
    #expect(!distrusted.output.contains("agreed"))
  }

  // MARK: Proxies

  /// Runs `body` beside a proxy that answers with `refusal`, or connects; what it was asked for comes back.
  private func withProxy(refusal: [String] = [], _ body: (String) throws -> Void) throws -> [String] {
    let proxy = try Running(
      ["python3", Self.resources + "/connect_proxy.py"] + refusal,
      executable: URL(fileURLWithPath: "/usr/bin/env"))
    try proxy.wait { $0.output.contains("\n") }
    let port = try #require(proxy.output.split(separator: "\n").first)
    try body("http://127.0.0.1:\(port)")
    proxy.signal(SIGTERM)
    return proxy.output.split(separator: "\n").dropFirst().map(String.init)
  }

  @Test func theProxyOfTheEnvironmentIsUsedAndItsExceptionsToo() throws {
    let asked = try withProxy { proxy in
      let outcome = try Self.python(
        [Self.cases, "--cases", "5 two"] + Self.client, environment: ["http_proxy": proxy])
      #expect(outcome.code == 0, "\(outcome.output)")
    }
    #expect(asked.count == 2 && asked.allSatisfy { $0.hasPrefix("CONNECT 127.0.0.1:") }, "\(asked)")
    let none = try withProxy { proxy in
      let outcome = try Self.python(
        [Self.cases, "--cases", "5 two"] + Self.client,
        environment: ["http_proxy": proxy, "no_proxy": "localhost,127.0.0.1"])
      #expect(outcome.code == 0, "\(outcome.output)")
    }
    #expect(none.isEmpty)
  }

  @Test func theProxyOfTheOptionGoesBeforeThatOfTheEnvironment() throws {
    let asked = try withProxy { proxy in
      let outcome = try Self.python(
        [Self.cases, "--cases", "5 two"] + Self.client + ["--proxy", proxy],
        environment: ["http_proxy": "http://127.0.0.1:1"])
      #expect(outcome.code == 0, "\(outcome.output)")
      let direct = try Self.python(
        [Self.cases, "--cases", "5 two"] + Self.client + ["--proxy", ""], environment: ["http_proxy": proxy])
      #expect(direct.code == 0, "\(direct.output)")
    }
    #expect(asked.count == 2, "\(asked)")
  }

  @Test func aProxyThatRefusesIsSaid() throws {
    _ = try withProxy(refusal: ["407 Proxy Authentication Required"]) { proxy in
      let outcome = try Tool.run(["debug", "websocket-echo", "ws://127.0.0.1:9/", "--proxy", proxy])
      #expect(outcome.code == 69)
      #expect(outcome.errors.contains("407"), "\(outcome.errors)")
    }
  }

  // MARK: Wrong input

  @Test(
    arguments: [
      (["http://127.0.0.1"], 78, "should begin with ws:// or wss://"), (["ws://h/#part"], 78, "fragment"),
      (["ws://"], 78, "ws://"), (["ws://127.0.0.1:1"], 69, "127.0.0.1"),
      (["ws://127.0.0.1:1", "--message-bytes-max", "0"], 64, "--message-bytes-max is 0"),
      (["wss://127.0.0.1:1", "--ca-file", "/nonexistent.pem"], 78, "/nonexistent.pem"),
    ] as [([String], Int32, String)])
  func wrongInputIsNamed(arguments: [String], code: Int32, words: String) throws {
    let outcome = try Tool.run(["debug", "websocket-echo"] + arguments)
    #expect(outcome.code == code, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
  }
}
