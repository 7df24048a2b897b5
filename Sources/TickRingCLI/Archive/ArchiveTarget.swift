internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MarketData
internal import TickArchive

/// Says which archive a command is about: a path, or the feed's configuration file.
struct ArchiveTarget: ParsableArguments {
  @Argument(help: ArgumentHelp("A segment file, or a directory of segments.", valueName: "path"))
  var given: String?
  @Option(help: "Configuration file of the feed whose archive it is, instead of a path.") var config: String?
  @Option(help: "Only segments of this feed, when the directory holds several.") var feed: String?

  func validate() throws {
    guard (given == nil) != (config == nil) else {
      throw ValidationError("name the archive by either its path or --config FILE")
    }
  }

  func place() throws(Fault) -> ArchivePlace {
    if let given { return ArchivePlace(path: given, feed: feed) }
    let configuration = try loadConfiguration(config ?? "")
    return ArchivePlace(
      path: configuration.dataDirectory + "/archive", feed: feed ?? configuration.feed,
      venue: configuration.source.venue)
  }
}

/// One segment file, or all segments of a feed.
struct ArchivePlace {
  let path: String
  let feed: String?
  /// Whose data it is, where a configuration tells.
  var venue: FeedConfiguration.Source.Venue?

  func reader() throws(Fault) -> ArchiveReader {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw Fault(.missingInput, "there is no archive '\(path)'")
    }
    guard isDirectory.boolValue || !isCapture else {
      throw Fault(
        .missingInput,
        "'\(path)' holds captured frames, not ticks; `tickring archive redecode` makes an archive of them")
    }
    let reader =
      isDirectory.boolValue ? try ArchiveReader(directory: path, feed: feed) : try ArchiveReader(file: path)
    let segments = try reader.info()
    guard !segments.isEmpty else {
      let name = feed.map { " of feed '\($0)'" } ?? ""
      throw Fault(.missingInput, "'\(path)' holds no archive segments\(name)\(elsewhere)")
    }
    guard segments.contains(where: { $0.version != nil || $0.blocks > 0 }) else {
      throw Fault(.badData, "'\(path)' is not an archive segment: it has no segment header and no block")
    }
    return reader
  }

  private var isCapture: Bool { path.hasSuffix(".tkc") }

  /// Where segments may be instead: a data directory has its archive in a directory of its own.
  private var elsewhere: String {
    let archive = path.hasSuffix("/") ? path + "archive" : path + "/archive"
    let isThere = (try? !ArchiveReader(directory: archive, feed: feed).info().isEmpty) ?? false
    return isThere ? "; '\(archive)' does" : ""
  }

  /// Segments of ticks and captures of frames, of which there is at least one kind.
  func contents() throws(Fault) -> (ticks: ArchiveReader?, captures: CaptureReader?) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      return (try reader(), nil)
    }
    guard isDirectory.boolValue else {
      return isCapture ? (nil, try CaptureReader(file: path)) : (try reader(), nil)
    }
    let captures = try CaptureReader(directory: path, feed: feed)
    if captures.files.isEmpty { return (try reader(), nil) }
    let hasTicks = try !ArchiveReader(directory: path, feed: feed).info().isEmpty
    return (hasTicks ? try reader() : nil, captures)
  }
}
