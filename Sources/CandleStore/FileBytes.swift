internal import Glibc
internal import MarketData

/// Small files as a whole, through the system's own calls.
enum FileBytes {
  private static let chunkBytes = 1 << 20

  /// True when something is at `path`, readable or not.
  static func exists(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0
  }

  /// All bytes of the file.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it cannot be opened, `inputOutput` when reading fails,
  ///   `badData` when it is longer than `maximum` bytes.
  static func read(path: String, maximum: Int) throws(Fault) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Fault(.missingInput, "cannot read '\(path)': \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkBytes)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw Fault(.inputOutput, "cannot read '\(path)': \(String(cString: strerror(errno)))")
      }
      bytes.append(contentsOf: chunk[..<count])
      guard bytes.count <= maximum else {
        throw Fault(.badData, "'\(path)' is longer than \(maximum) bytes; split it by day")
      }
    }
  }
}
