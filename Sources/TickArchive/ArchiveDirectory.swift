internal import Glibc
internal import MarketData

/// The segments of a directory.
enum ArchiveDirectory {
  /// The names of the segments of one feed, or of all feeds, in the order in which they were written; those of
  /// different feeds come by feed.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when the directory cannot be read.
  static func segments(in directory: String, feed: String?) throws(Fault) -> [SegmentName] {
    guard let stream = opendir(directory) else {
      throw Fault(.missingInput, "cannot read archive directory \(directory): \(systemErrorText(errno))")
    }
    defer { closedir(stream) }
    var names: [SegmentName] = []
    while let entry = readdir(stream) {
      let fileName = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let name = SegmentName(fileName: fileName), feed == nil || name.feed == feed { names.append(name) }
    }
    return names.sorted { ($0.feed, $0.date, $0.number) < ($1.feed, $1.date, $1.number) }
  }

  /// Makes a directory and those above it, unless they exist.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate`.
  static func create(_ directory: String) throws(Fault) {
    var path = directory.hasPrefix("/") ? "/" : ""
    for part in directory.split(separator: "/") {
      path += part
      if mkdir(path, 0o777) != 0, errno != EEXIST {
        throw Fault(.cannotCreate, "cannot create archive directory \(path): \(systemErrorText(errno))")
      }
      path += "/"
    }
    var status = stat()
    guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Fault(.cannotCreate, "archive directory \(directory) is not a directory")
    }
  }

  /// Waits until the entries of a directory are on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  static func synchronize(_ directory: String) throws(Fault) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, fsync(descriptor) == 0 else {
      throw Fault(.inputOutput, "cannot synchronize directory \(directory): \(systemErrorText(errno))")
    }
  }

  /// The path of a file in a directory.
  static func path(_ directory: String, _ fileName: String) -> String {
    directory.hasSuffix("/") ? directory + fileName : directory + "/" + fileName
  }
}
