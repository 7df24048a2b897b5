public import MarketData

/// Names of the shared-memory objects of a feed.
public enum SegmentNames {
  /// The longest feed or lane name in bytes.
  public static let utf8CountMax = 32

  /// The lane from which a feed handler's recorder reads.
  public static let recorderLane = "recorder"
  private static let prefix = "/tickring."

  /// Feed and lane of an object's name.
  ///
  /// - Throws: ``Fault`` of kind `usage` when it is not named as TickRing's.
  public static func parse(_ object: String) throws(Fault) -> (feed: String, lane: String?) {
    let parts = object.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard object.hasPrefix(prefix), (1...2).contains(parts.count) else {
      throw Fault(
        .usage,
        "'\(object)' is not named as TickRing names shared memory: \(prefix)FEED or \(prefix)FEED.LANE")
    }
    try check(String(parts[0]), what: "feed")
    guard parts.count == 2 else { return (String(parts[0]), nil) }
    try check(String(parts[1]), what: "lane")
    return (String(parts[0]), String(parts[1]))
  }

  /// `/tickring.FEED`.
  public static func feed(_ feed: String) -> String { "/tickring.\(feed)" }

  /// `/tickring.FEED.LANE`.
  public static func lane(_ lane: String, of feed: String) -> String { "/tickring.\(feed).\(lane)" }

  /// Checks the name of a feed or lane: small letters, digits and hyphens, at most ``utf8CountMax``.
  ///
  /// - Throws: ``Fault`` of kind `usage`.
  public static func check(_ name: String, what: String) throws(Fault) {
    let isPlain = name.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || $0 == UInt8(ascii: "-")
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= utf8CountMax else {
      throw Fault(
        .usage,
        "\(what) name '\(name)' must be 1 to \(utf8CountMax) small letters, digits or hyphens")
    }
  }
}
