internal import Glibc
import MarketData

/// Reads whole files.
enum FileText {
  private static let chunkBytes = 1 << 20

  /// A file's bytes; nil where there is no such file.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when it cannot be read or is longer than `maximum`.
  static func bytes(_ path: String, maximum: Int) throws(Fault) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Fault(.inputOutput, "'\(path)' cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkBytes)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw Fault(.inputOutput, "'\(path)' cannot be read: \(String(cString: strerror(errno)))")
      }
      bytes += chunk[..<count]
      guard bytes.count <= maximum else {
        throw Fault(.inputOutput, "'\(path)' is longer than \(maximum) bytes")
      }
    }
  }
}
