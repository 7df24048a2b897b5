import FlyingFox
import FlyingSocks
import Foundation
import MarketData

/// Runs an ordinary HTTP and websocket server on loopback while `body` runs, which gets its port.
func withServer<Value>(
  _ configure: (HTTPServer) async -> Void, _ body: (Int) async throws -> Value
) async throws -> Value {
  let server = HTTPServer(address: try .inet(ip4: "127.0.0.1", port: 0), logger: .disabled)
  await configure(server)
  let running = Task { try await server.run() }
  defer { running.cancel() }
  try await server.waitUntilListening(timeout: 60)
  switch await server.listeningAddress {
  case .ip4(_, let port), .ip6(_, let port): return try await body(Int(port))
  default: throw Fault(.software, "the test server listens at no port")
  }
}

/// Sends the given messages to each client, and then repeats whatever the client says.
struct ScriptedMessages: WSMessageHandler {
  let messages: [WSMessage]
  let received: Log<String>

  func makeMessages(for client: AsyncStream<WSMessage>) async throws -> AsyncStream<WSMessage> {
    AsyncStream { continuation in
      for message in messages { continuation.yield(message) }
      let task = Task {
        for await message in client {
          if case .text(let text) = message { received.append(text) }
          continuation.yield(message)
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}

extension HTTPHandler where Self == WebSocketHTTPHandler {
  static func messages(_ messages: [WSMessage], received: Log<String>) -> WebSocketHTTPHandler {
    WebSocketHTTPHandler(
      handler: MessageFrameWSHandler(handler: ScriptedMessages(messages: messages, received: received)))
  }
}
