import FlyingFox
import Foundation

/// An answer of Angel One's REST interface that refuses, in whichever of the vendor's three shapes.
enum AngelOneError: Error, Equatable {
  /// The business says no, with status 200.
  case business(code: String, message: String)
  /// The gateway does not accept the token, with status 200 and other names of the members.
  case token(code: String, message: String)
  /// Plain text with a status.
  case text(status: Int, String)

  static let wrongPassword = AngelOneError.business(
    code: "AB1007", message: "Invalid clientcode or password")
  static let wrongOneTimePassword = AngelOneError.business(code: "AB1050", message: "Invalid totp")
  static let tryLater = AngelOneError.business(
    code: "AB1004", message: "Something Went Wrong, Please Try After Sometime")
  static let internalError = AngelOneError.business(
    code: "AB2001", message: "Internal Error, Please try after sometime.")
  static let noSuchSymbol = AngelOneError.business(code: "AB1009", message: "Symbol Not Found")
  static let badRefreshToken = AngelOneError.business(code: "AB8050", message: "Invalid Refresh Token")
  static let badToken = AngelOneError.token(code: "AG8001", message: "Invalid Token")
  static let expiredToken = AngelOneError.token(code: "AG8002", message: "Token Expired")
  static let badKey = AngelOneError.token(code: "AG8004", message: "Invalid API Key")
  static let rateExceeded = AngelOneError.text(
    status: 403, "Access denied because of exceeding access rate")
  static let noSuchRoute = AngelOneError.text(status: 404, "Not Found")

  /// A parameter that cannot be served; the vendor documents no code for it.
  static func input(_ message: String) -> AngelOneError { .business(code: "AB4000", message: message) }

  /// The refusal of this status, as a fault asks for it.
  static func status(_ status: Int) -> AngelOneError {
    switch status {
    case 401: badToken
    case 429: .text(status: 429, "Too many requests")
    default: .text(status: status, KiteError.phrase(status))
    }
  }

  /// The answer as it goes over the wire.
  var response: HTTPResponse {
    switch self {
    case .business(let code, let message):
      Self.json(["status": false, "message": message, "errorcode": code, "data": NSNull()])
    case .token(let code, let message):
      Self.json(["success": false, "message": message, "errorCode": code, "data": ""])
    case .text(let status, let text):
      HTTPResponse(
        statusCode: HTTPStatusCode(status, phrase: KiteError.phrase(status)),
        headers: [.contentType: "text/plain"], body: Data(text.utf8))
    }
  }

  /// A JSON answer with status 200.
  static func json(_ members: [String: Any]) -> HTTPResponse {
    let body = (try? JSONSerialization.data(withJSONObject: members, options: [.sortedKeys])) ?? Data()
    return HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: body)
  }
}
