internal import MarketData

/// What the file name of a segment says: `FEED-YYYYMMDD-NNNN.tka`, or `.tkc` for captured frames.
struct SegmentName: Hashable, Comparable {
  var feed: String
  /// Day of the first record in the exchange's time, as the decimal YYYYMMDD.
  var date: Int
  /// Position among the segments of that day, from 1.
  var number: Int
  var content: Content

  /// What a segment's blocks hold. The raw value ends the file's name.
  enum Content: String, CaseIterable {
    case ticks = ".tka"
    case frames = ".tkc"
  }

  /// Ends the name of a segment that has no header yet.
  static let unfinishedSuffix = ".new"

  init(feed: String, date: Int, number: Int, content: Content = .ticks) {
    self.feed = feed
    self.date = date
    self.number = number
    self.content = content
  }

  /// Reads a file name without its directory; nil for any other file.
  init?(fileName: String) {
    guard let content = Content.allCases.first(where: { fileName.hasSuffix($0.rawValue) }) else { return nil }
    let parts = fileName.dropLast(content.rawValue.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[parts.count - 2].utf8.count == 8, parts[parts.count - 1].utf8.count >= 4,
      let date = Int(parts[parts.count - 2]), let number = Int(parts[parts.count - 1]), date >= 0, number >= 0
    else { return nil }
    self.init(feed: parts.dropLast(2).joined(separator: "-"), date: date, number: number, content: content)
  }

  var fileName: String {
    feed + "-" + Self.padded(date, 8) + "-" + Self.padded(number, 4) + content.rawValue
  }

  /// Checks a feed's name, which becomes part of file names.
  ///
  /// - Throws: ``Fault`` of kind `configuration` for anything but 1 to 36 letters, digits, `_`, `.` and `-`, the
  ///   first of them a letter or digit.
  static func check(feed: String) throws(Fault) {
    let isWord = feed.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard isWord, let first = feed.first, first.isLetter || first.isNumber,
      feed.utf8.count <= ArchiveLimits.feedNameBytesMax
    else {
      throw Fault(
        .configuration,
        "feed name '\(feed)' must be 1 to \(ArchiveLimits.feedNameBytesMax) letters, digits, '_', '.' or '-' "
          + "and begin with a letter or digit")
    }
  }

  /// The order in which segments of a feed were written.
  static func < (left: SegmentName, right: SegmentName) -> Bool {
    (left.date, left.number) < (right.date, right.number)
  }

  /// Days from the day of another segment to that of this one.
  func days(since other: SegmentName) -> Int { dayNumber - other.dayNumber }

  private var dayNumber: Int {
    CivilTime(year: date / 10_000, month: date / 100 % 100, day: date % 100).dayNumber
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

/// A day of the exchange's calendar, by which segments are divided.
struct ArchiveDay {
  /// The day as the decimal YYYYMMDD.
  let date: Int
  /// The first instant after the day.
  let end: Timestamp

  /// The day in which an instant falls.
  init(of instant: Timestamp) {
    let civil = CivilTime(instant)
    date = civil.year * 10_000 + civil.month * 100 + civil.day
    let endSeconds = (civil.dayNumber + 1) * 86_400 - CivilTime.indiaOffsetSeconds
    let (nanoseconds, overflowed) = Int64(endSeconds).multipliedReportingOverflow(
      by: Timestamp.nanosecondsPerSecond)
    end = Timestamp(nanoseconds: overflowed ? .max : nanoseconds)
  }
}
