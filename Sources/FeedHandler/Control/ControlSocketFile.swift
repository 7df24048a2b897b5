internal import Glibc
internal import MarketData

/// What lies where a control socket is to be.
enum ControlSocketFile {
  /// Takes a left-over away: a socket on which nobody listens any more.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when something else lies there, which is somebody's; `held` when another
  ///   process listens, as that of a feed of another name.
  static func clear(_ path: String) throws(Fault) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw Fault(
        .cannotCreate,
        "control_socket '\(path)' is no socket but a file or directory that was there before; name a path that is free"
      )
    }
    guard !isListenedOn(path) else {
      throw Fault(
        .held,
        "another process listens on control socket '\(path)'; each feed needs a control_socket of its own")
    }
    unlink(path)
  }

  private static func isListenedOn(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(path.utf8)
    let isShort = withUnsafeMutableBytes(of: &address.sun_path) { room in
      room.copyBytes(from: name.prefix(room.count - 1))
      return name.count < room.count
    }
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(AF_UNIX, Int32(kind), 0)
    guard isShort, descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // A full queue of connections has somebody before it, too.
    return result == 0 || errno == EAGAIN
  }
}
