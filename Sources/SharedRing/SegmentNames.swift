public import MarketData

/// Names of the shared-memory objects of a feed.
public enum SegmentNames {
  /// The longest feed or lane name in bytes.
  public static let utf8CountMax = 32

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
