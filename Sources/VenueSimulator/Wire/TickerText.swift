import Foundation

/// The venue's text messages.
enum TickerText {
  private struct Message: Encodable {
    let type: String
    let data: String
  }

  /// `{"type":"error","data":"…"}`.
  static func error(_ reason: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let json = try? encoder.encode(Message(type: "error", data: reason)) else { return "" }
    return String(decoding: json, as: UTF8.self)
  }
}
