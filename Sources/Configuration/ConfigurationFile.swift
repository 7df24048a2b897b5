import Glibc
import MarketData

/// Reads a configuration file as text, with a sentence for everything that can go wrong.
struct ConfigurationFile {
  /// The file, as the user named it.
  let path: String
  /// A larger file is refused.
  let bytesMax: Int

  /// The whole text.
  func text() throws(ConfigurationFaults) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = errno
      throw fault(
        reason == ENOENT
          ? "the configuration file does not exist"
          : "the configuration file cannot be opened: \(String(cString: strerror(reason)))")
    }
    defer { close(descriptor) }
    let bytes = try contents(of: descriptor)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationFaults(
        Fault(.configuration, "\(path): this is not UTF-8 text, but must be YAML, such as feed: nse"))
    }
    return text
  }

  private func contents(of descriptor: Int32) throws(ConfigurationFaults) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        let reason = errno
        if reason == EINTR { continue }
        throw fault(
          reason == EISDIR
            ? "this is a directory, but must be a configuration file"
            : "the configuration file cannot be read: \(String(cString: strerror(reason)))")
      }
      bytes += chunk[..<count]
      guard bytes.count <= bytesMax else {
        throw fault("the configuration file is larger than \(bytesMax) bytes")
      }
    }
  }

  private func fault(_ text: String) -> ConfigurationFaults {
    ConfigurationFaults(Fault(.missingInput, "\(path): \(text)"))
  }
}
