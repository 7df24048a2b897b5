import Foundation

/// What a client of the stream says.
enum AngelOneRequest: Equatable {
  /// The text `ping`.
  case ping
  /// Subscribe to or leave these tokens in this mode.
  case change(isSubscription: Bool, mode: TickerMode, lists: [AngelOneTokenList], correlationID: String)
  /// A message that is none, with what is to be repeated in the complaint.
  case malformed(correlationID: String)

  /// Reads a text message.
  init(text: Data) {
    guard text != Data("ping".utf8) else {
      self = .ping
      return
    }
    guard let envelope = try? JSONDecoder().decode(Envelope.self, from: text) else {
      self = .malformed(correlationID: "")
      return
    }
    let correlationID = envelope.correlationID ?? ""
    guard let action = envelope.action, (0...1).contains(action), let params = envelope.params,
      let mode = TickerMode(rawValue: params.mode)
    else {
      self = .malformed(correlationID: correlationID)
      return
    }
    self = .change(
      isSubscription: action == 1, mode: mode, lists: params.tokenList, correlationID: correlationID)
  }

  private struct Envelope: Decodable {
    struct Params: Decodable {
      let mode: UInt8
      let tokenList: [AngelOneTokenList]
    }

    let correlationID: String?
    let action: Int?
    let params: Params?
  }
}

/// Tokens of one exchange.
struct AngelOneTokenList: Decodable, Equatable {
  let exchangeType: Int
  let tokens: [String]
}

/// A complaint of the stream.
struct AngelOneComplaint: Encodable, Equatable {
  let correlationID: String
  let errorCode: String
  let errorMessage: String

  static func malformed(_ correlationID: String) -> AngelOneComplaint {
    AngelOneComplaint(
      correlationID: correlationID, errorCode: "E1001", errorMessage: "Invalid Request Payload.")
  }

  static func overLimit(_ correlationID: String, _ reason: String) -> AngelOneComplaint {
    AngelOneComplaint(
      correlationID: correlationID, errorCode: "E1002", errorMessage: "Invalid Request. \(reason)")
  }

  /// The JSON text as it goes over the wire.
  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
