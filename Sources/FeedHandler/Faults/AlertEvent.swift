internal import Configuration
internal import Foundation
internal import MarketData

/// Something that a person may want to know, as the alert command is told of it.
struct AlertEvent: Sendable {
  var kind: FeedConfiguration.Alert.Event
  /// One sentence.
  var reason: String
  /// What else there is to say, by name.
  var details: [String: String]
  /// By the machine's clock.
  var time: Timestamp

  init(_ kind: FeedConfiguration.Alert.Event, reason: String, details: [String: String] = [:]) {
    self.kind = kind
    self.reason = reason
    self.details = details
    time = .wallClock()
  }

  /// `TICKRING_EVENT`, `TICKRING_REASON`, `TICKRING_FEED`, `TICKRING_TIME`, `TICKRING_SUPPRESSED` and one for each detail.
  func environment(feed: String, suppressed: Int) -> [String: String] {
    var variables = [
      "TICKRING_EVENT": kind.rawValue, "TICKRING_REASON": reason, "TICKRING_FEED": feed,
      "TICKRING_TIME": time.rfc3339,
      "TICKRING_SUPPRESSED": "\(suppressed)",
    ]
    for (name, value) in details { variables["TICKRING_\(name.uppercased())"] = value }
    // The kernel ends a variable at a NUL.
    return variables.mapValues { $0.replacingOccurrences(of: "\0", with: " ") }
  }

  /// The same as one line of JSON.
  func line(feed: String, suppressed: Int) -> String {
    var object = details
    object["event"] = kind.rawValue
    object["reason"] = reason
    object["feed"] = feed
    object["time"] = time.rfc3339
    object["suppressed"] = "\(suppressed)"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(object) else { return "{}\n" }
    return String(decoding: json, as: UTF8.self) + "\n"
  }
}
