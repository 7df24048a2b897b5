import Foundation
import Testing

/// A TLS server with a certificate made on the spot, which passes on to an ordinary one on loopback.
enum TLSProxy {
  /// True where the programs are that it takes.
  static var canRun: Bool { Tool.path("openssl") != nil && Tool.path("python3") != nil }

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

  struct Certificate {
    var subjectAltName = "IP:127.0.0.1"
    var days = 2
    /// Signed by its own key instead of the authority's.
    var isSelfSigned = false
    /// The one version of TLS that the server speaks, in Python's words.
    var version = "any"
  }

  /// Runs `body`, on a thread of its own, with the port of the TLS server before `upstream`, and the file of its
  /// certificate's authority.
  static func run(
    to upstream: Int, _ certificate: Certificate = Certificate(),
    _ body: @escaping @Sendable (_ port: Int, _ caFile: String) throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try makeCertificates(certificate, in: folder)
      let proxy = Process()
      proxy.executableURL = URL(filePath: try #require(Tool.path("python3")))
      proxy.arguments = [
        "-c", proxyScript, "server.pem", "server.key", "\(upstream)", certificate.version,
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
}
