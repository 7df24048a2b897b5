import Foundation

/// A message from a ticker client.
enum ClientMessage: Equatable {
  case subscribe([UInt32])
  case unsubscribe([UInt32])
  case mode(TickerMode, [UInt32])

  /// Decodes the JSON text of a message; nil when it is none of the three known ones.
  init?(json: Data) {
    guard let message = try? JSONDecoder().decode(Envelope.self, from: json).message else { return nil }
    self = message
  }
}

private struct Envelope: Decodable {
  let message: ClientMessage

  private enum Key: String, CodingKey {
    case action = "a"
    case value = "v"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(String.self, forKey: .action) {
    case "subscribe": message = .subscribe(try container.decode([UInt32].self, forKey: .value))
    case "unsubscribe": message = .unsubscribe(try container.decode([UInt32].self, forKey: .value))
    case "mode":
      var pair = try container.nestedUnkeyedContainer(forKey: .value)
      guard let mode = TickerMode(word: try pair.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(in: pair, debugDescription: "unknown mode")
      }
      message = .mode(mode, try pair.decode([UInt32].self))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .action, in: container, debugDescription: "unknown action")
    }
  }
}
