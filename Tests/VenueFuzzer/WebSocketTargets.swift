import MarketData

@testable import Venues

/// A server's frames, once in one piece and once in pieces as long as the first byte says: both must give the same.
struct WebSocketFrames: FuzzTarget {
  static let name = "websocket-frames"
  private static let messageBytesMax = 1 << 16

  init() {}

  static func seeds() -> [[UInt8]] {
    let text: [UInt8] = [0x81, 5] + Array("hello".utf8)
    let fragments: [UInt8] = [0x01, 2, 0xE2, 0x82, 0x89, 1, 9, 0x80, 1, 0xB9]
    let long: [UInt8] = [0x82, 126, 0, 200] + [UInt8](repeating: 3, count: 200)
    return [
      [1] + text, [3] + fragments + text, [50] + long + [0x88, 4, 0x03, 0xE8, 0x6F, 0x6B],
      [7] + [0x8A, 0, 0x88, 0],
    ]
  }

  /// What a codec makes of bytes.
  private struct Outcome: Equatable {
    var messages: [[UInt8]] = []
    var end: FrameCodec.End?
    var unsentBytes = 0
    var isInsideMessage = false
  }

  private func outcome(_ bytes: ArraySlice<UInt8>, pieceBytes: Int) -> Outcome {
    guard let codec = FrameCodec(messageBytesMax: Self.messageBytesMax) else {
      preconditionFailure("out of memory")
    }
    var outcome = Outcome()
    bytes.withUnsafeBytes { buffer in
      for start in stride(from: 0, to: buffer.count, by: pieceBytes) where codec.end == nil {
        codec.take(UnsafeRawBufferPointer(rebasing: buffer[start..<min(start + pieceBytes, buffer.count)]))
        while let message = codec.nextMessage() {
          outcome.messages.append([message.opcode == .text ? 1 : 2] + Array(message.payload))
        }
      }
    }
    outcome.end = codec.end
    outcome.unsentBytes = codec.unsentBytes
    outcome.isInsideMessage = codec.isInsideMessage
    return outcome
  }

  mutating func read(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let whole = outcome(input.dropFirst(), pieceBytes: max(1, input.count))
    let inPieces = outcome(input.dropFirst(), pieceBytes: Int(first) + 1)
    precondition(whole == inPieces)
    for message in whole.messages {
      precondition(message[0] == 2 || String(validating: message.dropFirst(), as: UTF8.self) != nil)
      if message.count > 1 { seededBug(message[message.count - 1]) }
    }
  }
}

/// A server's answer to the handshake: whoever passes must have proved that he understood the request.
struct WebSocketAnswer: FuzzTarget {
  static let name = "websocket-handshake"
  private let handshake = WebSocketHandshake(nonce: Array("the sample nonce".utf8))

  init() {}

  static func seeds() -> [[UInt8]] {
    let accept = WebSocketHandshake(nonce: Array("the sample nonce".utf8)).expectedAccept
    let good =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"
    return [good + "\u{2}\u{1}x", good, "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"].map {
      Array($0.utf8)
    }
  }

  mutating func read(_ input: [UInt8]) {
    guard let end = input.withUnsafeBytes({ WebSocketHandshake.headerEnd(in: $0) }) else { return }
    precondition(input[..<end].suffix(4).elementsEqual("\r\n\r\n".utf8))
    do {
      try handshake.check(header: input[..<end], body: input[end...])
      let header = String(decoding: input[..<end], as: UTF8.self)
      precondition(header.hasPrefix("HTTP/1.1 ") && header.contains(handshake.expectedAccept))
      if end < input.count { seededBug(input[end]) }
    } catch {
      precondition(!error.message.isEmpty && !error.message.contains("\n"))
    }
  }
}
