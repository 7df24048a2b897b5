import FlyingFox
import Glibc

/// The server's end of a client's connection, beneath the frames: what it takes to break off in the middle of one.
struct RawSocket: Sendable {
  /// The client's port on this machine.
  private let clientPort: UInt16

  /// Nil when the client's address is not known.
  init?(_ request: HTTPRequest) {
    guard case .ip4(_, let port)? = request.remoteAddress else { return nil }
    clientPort = port
  }

  /// Writes what the socket takes of `bytes` and ends the transport. Harmless when the connection is gone.
  func cut(after bytes: [UInt8]) {
    guard let descriptor else { return }
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  private static let descriptorsMax: Int32 = 4096

  /// The server library keeps its descriptors to itself; the kernel knows whom each is connected to.
  private var descriptor: Int32? {
    (0..<Self.descriptorsMax).first { Self.port(of: $0, getpeername) == clientPort }
  }

  private static func port(
    of descriptor: Int32,
    _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
  ) -> UInt16? {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &length) }
    }
    guard result == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
    return UInt16(bigEndian: address.sin_port)
  }
}
