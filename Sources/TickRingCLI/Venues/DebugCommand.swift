internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import Venues

struct DebugCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debug", abstract: "Try parts of TickRing against programs of your own.",
    subcommands: [WebSocketEcho.self])

  /// The client's side of a conformance test such as Autobahn's.
  struct WebSocketEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "websocket-echo",
      abstract: "Connect to a websocket server and send every message back until the server closes.",
      discussion: """
        Every data message goes back whole, with the opcode that it came with. TLS is verified as for a live feed, \
        and the same proxies apply.

        Exit codes: 0 the server closed the connection with a close frame, whose code is printed, or the command was \
        interrupted; 69 not reachable, or ended without a close frame; 76 the server broke the protocol, is not who it \
        says, or sent more than allowed; 77 refused (401, 403); 78 the address, file or proxy makes no sense.
        """)

    @Argument(help: "A ws:// or wss:// address.") var url: String
    @Option(
      name: .customLong("ca-file"), help: "PEM file with the certificates to trust instead of the system's.")
    var caFile: String?
    @Option(help: "Proxy, such as http://host:port, instead of the environment's; empty for none.")
    var proxy: String?
    @Option(help: "Bytes of the longest message that is taken.") var messageBytesMax = 64 << 20
    @Option(help: "Longest time to connect, and again to shake hands.") var connectTimeoutMilliseconds =
      10_000

    private static let messageBytesMaxRange = 1...1 << 30
    /// How long the server may take to end the connection after the closing handshake.
    private static let closeTimeoutMilliseconds = 5000
    /// How long a server that sends may take nothing.
    private static let sendTimeoutMilliseconds = 60_000
    /// Longest wait for bytes before a signal is looked at.
    private static let waitMilliseconds = 100

    func validate() throws {
      guard Self.messageBytesMaxRange.contains(messageBytesMax) else {
        throw ValidationError(
          "--message-bytes-max is \(messageBytesMax); it must lie in 1 to \(Self.messageBytesMaxRange.upperBound)"
        )
      }
      guard connectTimeoutMilliseconds > 0 else {
        throw ValidationError(
          "--connect-timeout-milliseconds is \(connectTimeoutMilliseconds); it must be above 0")
      }
    }

    func run() throws {
      let stop = StopSignal()
      var options = WebSocketConnection.Options(url: url, caFile: caFile)
      options.proxy = proxy
      options.messageBytesMax = messageBytesMax
      // One message is always taken, however much waits already.
      options.unsentBytesMax = 2 * messageBytesMax
      options.connectTimeoutMilliseconds = connectTimeoutMilliseconds
      options.closeTimeoutMilliseconds = Self.closeTimeoutMilliseconds
      let connection = WebSocketConnection(options)
      try connection.connect()
      var messages = 0
      do {
        while !stop.isRaised {
          _ = try connection.receive(timeoutMilliseconds: Self.waitMilliseconds) {
            opcode, payload, _ throws(Fault) in
            try makeRoom(connection)
            try connection.send(opcode, payload)
            messages += 1
          }
        }
        connection.close()
        Console.line("sent \(messages) messages back; interrupted")
      } catch {
        guard let code = connection.closeCode else { throw error }
        Console.line("sent \(messages) messages back; the server closed with code \(code)")
      }
    }

    private func makeRoom(_ connection: WebSocketConnection) throws(Fault) {
      guard
        try connection.sendQueue(downTo: messageBytesMax, timeoutMilliseconds: Self.sendTimeoutMilliseconds)
      else {
        throw Fault(.unavailable, "\(url): the server takes nothing for \(Self.sendTimeoutMilliseconds) ms")
      }
    }
  }
}
