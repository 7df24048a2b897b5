import FlyingFox
import Foundation

/// An error answer of Kite's REST interface.
struct KiteError: Error, Equatable {
  let status: Int
  let type: String
  let message: String

  static let badCredentials = KiteError(
    status: 403, type: "TokenException", message: "Incorrect `api_key` or `access_token`.")
  static let tooManyRequests = KiteError(status: 429, type: "NetworkException", message: "Too many requests")
  static let noSuchRoute = KiteError(status: 404, type: "GeneralException", message: "Route not found")

  /// The refusal of this status.
  static func status(_ status: Int) -> KiteError {
    switch status {
    case 401, 403: KiteError(status: status, type: badCredentials.type, message: badCredentials.message)
    case 429: tooManyRequests
    case 400...499: KiteError(status: status, type: "InputException", message: "Bad request")
    default:
      KiteError(status: status, type: "NetworkException", message: "Gateway error, please try again later")
    }
  }

  /// Input that cannot be served.
  static func input(_ message: String) -> KiteError {
    KiteError(status: 400, type: "InputException", message: message)
  }

  private struct Body: Encodable {
    let status = "error"
    let message: String
    let error_type: String
  }

  /// The words that go with a status.
  static func phrase(_ status: Int) -> String { Phrase.byStatus[status] ?? "" }

  private enum Phrase {
    static let byStatus = [
      400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
      429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
      503: "Service Unavailable", 504: "Gateway Timeout",
    ]
  }

  /// The answer as it goes over the wire.
  var response: HTTPResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var body = (try? encoder.encode(Body(message: message, error_type: type))) ?? Data()
    // Kite's errors carry an explicit null, which an encoder leaves out.
    if body.last == UInt8(ascii: "}") { body = body.dropLast() + Data(#","data":null}"#.utf8) }
    return HTTPResponse(
      statusCode: HTTPStatusCode(status, phrase: Self.phrase(status)),
      headers: [.contentType: "application/json"], body: body)
  }
}
