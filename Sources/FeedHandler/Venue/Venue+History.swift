internal import Configuration
internal import MarketData
internal import Venues

extension Venue {
  /// Who is asked for past candles instead of the venue; nil when it is the venue.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when a template or a format makes no sense.
  static func otherHistory(_ configuration: FeedConfiguration, environment: [String: String]) throws(Fault)
    -> (any CandleSource & Sendable)?
  {
    switch configuration.history.source {
    case .venue: return nil
    case .gateway:
      var options = GatewayOptions(command: configuration.history.gatewayCommand, environment: environment)
      options.log = Self.log(of: "gateway", configuration)
      return GatewayHistory(options: options)
    case .master: return try masterHistory(configuration, environment)
    }
  }

  private static let fileScheme = "file://"

  private static func masterHistory(_ configuration: FeedConfiguration, _ environment: [String: String])
    throws(Fault)
    -> any CandleSource & Sendable
  {
    let master = configuration.master
    var format = CandleFormat()
    format.shape = master.shape == .csv ? .csv : .json
    format.rows = master.rows
    format.columns = master.columns
    format.time = try TimeFormat(master.timeFormat, offsetSeconds: master.timeZoneMinutes * 60)
    format.priceScale = Int64(master.priceScale)
    let words = try intervalWords(master.intervals)
    if master.url.hasPrefix(fileScheme) {
      let path = try MasterTemplate(String(master.url.dropFirst(fileScheme.count)), environment: environment)
      return FileCandles(path: path, format: format, words: words)
    }
    guard master.url.hasPrefix("http://") || master.url.hasPrefix("https://") else {
      throw Fault(
        .configuration, "master.url is '\(master.url)', but must begin with https://, http:// or file://")
    }
    var headers: [(name: String, value: MasterTemplate)] = []
    for header in master.headers {
      let parts = header.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Fault(
          .configuration, "master.headers holds '\(header)', but must hold fields such as 'Accept: text/csv'")
      }
      headers.append(
        (String(parts[0]), try MasterTemplate(String(parts[1].drop { $0 == " " }), environment: environment)))
    }
    let service = MasterCandles(
      url: try MasterTemplate(master.url, environment: environment), headers: headers, format: format,
      words: words,
      daysMax: master.daysMax)
    return history(service, limits: [], configuration)
  }

  /// The words of `1m=minute`, by the interval's seconds.
  private static func intervalWords(_ texts: [String]) throws(Fault) -> [Int: String] {
    var words: [Int: String] = [:]
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else {
        throw Fault(.configuration, "master.intervals holds '\(text)', but must hold pairs such as 1m=minute")
      }
      words[try Interval(named: parts[0]).seconds] = String(parts[1])
    }
    return words
  }
}
