extension FeedConfiguration {
  /// A store of the user's for past candles: REST or files.
  public struct Master: Sendable, Hashable {
    /// What the answer is.
    public enum Shape: String, Sendable, Hashable, CaseIterable {
      /// JSON whose rows are objects or arrays.
      case json
      /// Comma-separated values with a line of names.
      case csv
    }

    /// The address or, with `file://`, the path, with placeholders.
    public var url = ""
    /// Header fields, each `Name: value`.
    public var headers: [String] = []
    /// What the answer is.
    public var shape = Shape.json
    /// Where in JSON the list of rows is.
    public var rows = ""
    /// What time, open, high, low, close, volume and open interest are called.
    public var columns = ["timestamp", "open", "high", "low", "close", "volume", "oi"]
    /// How times are written.
    public var timeFormat = "auto"
    /// Minutes that the store's clocks are ahead of UTC, where its times say no zone.
    public var timeZoneMinutes = 330
    /// By what prices are divided.
    public var priceScale = 1
    /// The store's words for intervals, each `1m=minute`.
    public var intervals: [String] = []
    /// Days that one request may span.
    public var daysMax = 30

    /// Bounds of ``timeZoneMinutes``.
    public static let timeZoneBounds = -720...840
    /// Bounds of ``priceScale``, of which the powers of ten count.
    public static let priceScaleBounds = 1...1_000_000_000
    /// Bounds of ``daysMax``.
    public static let daysBounds = 1...10_000
    /// Words of a list in this section.
    public static let listCountMax = 50
    /// The longest text in this section.
    public static let textBytesMax = 4095

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Master: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "url", \.url, .text(bytesMax: textBytesMax),
      "Address of an instrument's candles such as https://store.example/{exchange}/{symbol}?from={from_date}, or path of a "
        + "file such as file:///data/{exchange}_{symbol}.csv, with placeholders as the article on the master data store "
        + "lists them"),
    ConfigurationKey(
      "headers", \.headers,
      .texts(countMax: listCountMax, example: "[\"Authorization: Bearer ${STORE_TOKEN}\"]"),
      "Header fields of each request, with the same placeholders"),
    ConfigurationKey("shape", \.shape, .word, "What the answer is"),
    ConfigurationKey(
      "rows", \.rows, .text(bytesMax: textBytesMax),
      "Members that lead to the list of rows in JSON, joined by dots as in data.candles, nothing when the answer is the "
        + "list"),
    ConfigurationKey(
      "columns", \.columns, .texts(countMax: 7, example: "[\"0\", \"1\", \"2\", \"3\", \"4\", \"5\"]"),
      "What time, open, high, low, close, volume and perhaps open interest are called, or their positions from 0"
    ),
    ConfigurationKey(
      "time_format", \.timeFormat, .text(bytesMax: textBytesMax),
      "How times are written, auto for Unix time or RFC 3339 with a zone, else a pattern such as \"%Y-%m-%d %H:%M:%S\""
    ),
    ConfigurationKey(
      "time_zone_minutes", \.timeZoneMinutes, .wholeNumber(timeZoneBounds),
      "Minutes that the clocks of such a pattern are ahead of UTC, India's being 330"),
    ConfigurationKey(
      "price_scale", \.priceScale, .wholeNumber(priceScaleBounds),
      "By what prices are divided, 1, 10, 100 and so on, such as 100 for paise"),
    ConfigurationKey(
      "intervals", \.intervals, .texts(countMax: listCountMax, example: "[1m=minute, 1d=day]"),
      "The store's words for intervals where they are not 1m, 5m, 1h, 1d"),
    ConfigurationKey(
      "days_max", \.daysMax, .wholeNumber(daysBounds), "Days that one request may span"),
  ]
}
