internal import Glibc
internal import MarketData

/// The segments of a directory.
enum ArchiveDirectory {
  /// The names of the segments of one feed, or of all feeds, in the order in which they were written; those of
  /// different feeds come by feed.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when the directory cannot be read.
  static func segments(
    in directory: String, feed: String?, content: SegmentName.Content = .ticks
  ) throws(Fault) -> [SegmentName] {
    try files(in: directory).compactMap(SegmentName.init(fileName:))
      .filter { $0.content == content && (feed == nil || $0.feed == feed) }
      .sorted { ($0.feed, $0.date, $0.number) < ($1.feed, $1.date, $1.number) }
  }

  /// The names of all files in a directory.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when the directory cannot be read.
  static func files(in directory: String) throws(Fault) -> [String] {
    guard let stream = opendir(directory) else {
      throw Fault(.missingInput, "cannot read archive directory \(directory): \(systemErrorText(errno))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
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

  /// The path of a file in a directory.
  static func path(_ directory: String, _ fileName: String) -> String {
    directory.hasSuffix("/") ? directory + fileName : directory + "/" + fileName
  }
}
