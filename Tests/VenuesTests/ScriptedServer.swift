import Foundation
import Glibc
import Synchronization

@testable import Venues

/// A server on a loopback socket that plays a script to each connection: what no proper server would do.
final class ScriptedServer: Sendable {
  let port: Int
  private let listener: Int32
  private let scripts: DispatchGroup

  /// Starts to listen at once; each connection gets `script` on a thread of its own.
  init(isIPv6: Bool = false, _ script: @escaping @Sendable (Peer) -> Void) throws {
    listener = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var port: UInt16?
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_addr = in6addr_loopback
      port = Self.listen(listener, &address).map { UInt16(bigEndian: $0.sin6_port) }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      port = Self.listen(listener, &address).map { UInt16(bigEndian: $0.sin_port) }
    }
    guard let port else { throw POSIXError(.EADDRNOTAVAIL) }
    self.port = Int(port)
    let listener = listener
    let scripts = DispatchGroup()
    self.scripts = scripts
    Thread.detachNewThread {
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else {
          // Only here: a descriptor closed under a waiting thread may by then be another server's.
          Glibc.close(listener)
          return
        }
        scripts.enter()
        Thread.detachNewThread {
          script(Peer(socket: connection))
          Glibc.close(connection)
          scripts.leave()
        }
      }
    }
  }

  /// The address with the port that the system chose; nil where there is no such address.
  private static func listen<Address>(_ listener: Int32, _ address: inout Address) -> Address? {
    var length = socklen_t(MemoryLayout<Address>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && Glibc.listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    return isListening ? address : nil
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  /// Waits until the scripts of all connections have come to their end.
  func finish() {
    scripts.wait()
  }

  /// The server's side of one connection.
  struct Peer: Sendable {
    let socket: Int32

    /// Reads up to and with the empty line of a request.
    func readRequest() -> String {
      var bytes: [UInt8] = []
      var byte: UInt8 = 0
      while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8), recv(socket, &byte, 1, 0) == 1 {
        bytes.append(byte)
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    func send(_ bytes: [UInt8]) {
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes {
          Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
      }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Answers a websocket handshake properly, and returns the request.
    @discardableResult
    func upgrade(followedBy frames: [UInt8] = []) -> String {
      let request = readRequest()
      answer(request, followedBy: frames)
      return request
    }

    /// Answers a request for an upgrade properly.
    func answer(_ request: String, followedBy frames: [UInt8] = []) {
      let key =
        request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19) ?? ""
      let nonce = Data(base64Encoded: String(key)) ?? Data()
      let accept = WebSocketHandshake(nonce: Array(nonce)).expectedAccept
      send(
        Array(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
            .utf8) + frames)
    }

    /// Reads the client's next frame, unmasked; nil at the end of the connection.
    func readFrame() -> (opcode: UInt8, payload: [UInt8])? {
      guard let head = read(2), head[1] & 0x80 != 0 else { return nil }
      var count = Int(head[1] & 0x7F)
      if count == 126 {
        guard let longer = read(2) else { return nil }
        count = Int(longer[0]) << 8 | Int(longer[1])
      }
      guard let mask = read(4), let payload = read(count) else { return nil }
      return (head[0] & 0x0F, payload.enumerated().map { $1 ^ mask[$0 % 4] })
    }

    func read(_ count: Int) -> [UInt8]? {
      var bytes = [UInt8](repeating: 0, count: count)
      return count == 0 || recv(socket, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    /// Waits until the client ends the connection.
    func waitForEnd() {
      while readFrame() != nil {}
    }
  }
}

/// One frame as a server sends it.
func serverFrame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
  let first = opcode | (isFinal ? 0x80 : 0)
  switch payload.count {
  case ..<126: return [first, UInt8(payload.count)] + payload
  case ..<65_536:
    return [first, 126] + [8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + payload
  default:
    let length = (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    return [first, 127] + length + payload
  }
}

/// Runs blocking work on a thread of its own, so that no thread of Swift's pool is held up.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
  }
}

/// Collects what several threads report.
final class Log<Element: Sendable>: Sendable {
  private let entries = Mutex<[Element]>([])

  func append(_ entry: Element) { entries.withLock { $0.append(entry) } }

  var all: [Element] { entries.withLock { $0 } }
}
