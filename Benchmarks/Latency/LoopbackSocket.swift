internal import Glibc
internal import MarketData

/// A TCP socket on the loopback interface that holds nothing back (no Nagle); closed when it goes.
struct LoopbackSocket: ~Copyable {
  let descriptor: Int32

  private init(owning descriptor: Int32) throws(Fault) {
    guard descriptor >= 0 else { throw Self.fault("open a socket") }
    self.descriptor = descriptor
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit {
    close(descriptor)
  }

  /// A listening socket on any free port.
  static func listening() throws(Fault) -> LoopbackSocket {
    let made = try LoopbackSocket(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    guard withAddress(port: 0, { bind(made.descriptor, $0, $1) }) == 0, listen(made.descriptor, 8) == 0
    else { throw fault("listen") }
    return made
  }

  /// A socket that is connected to a port.
  static func connected(to port: Int) throws(Fault) -> LoopbackSocket {
    let made = try LoopbackSocket(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    guard withAddress(port: UInt16(port), { connect(made.descriptor, $0, $1) }) == 0 else {
      throw fault("connect to port \(port)")
    }
    return made
  }

  /// The next client of a listening socket.
  func accepted() throws(Fault) -> LoopbackSocket {
    try LoopbackSocket(owning: accept(descriptor, nil, nil))
  }

  /// The port that it listens on.
  var port: Int {
    var address = sockaddr_in()
    var count = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &count) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Sends all of it.
  func send(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var sent = 0
    while sent < bytes.count {
      let count = Glibc.send(
        descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      guard count > 0 || errno == EINTR else { throw Self.fault("send") }
      sent += max(count, 0)
    }
  }

  /// Reads what is there, without waiting; 0 when nothing is.
  func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
    let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
    if count > 0 { return count }
    guard count < 0, errno == EAGAIN || errno == EINTR else {
      throw Self.fault("read: the other side has ended")
    }
    return 0
  }

  private static func withAddress(
    port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  private static func fault(_ what: String) -> Fault {
    Fault(.inputOutput, "cannot \(what) on the loopback interface: \(String(cString: strerror(errno)))")
  }
}
