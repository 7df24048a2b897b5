internal import CCrypto
internal import FlyingFox
internal import Foundation
internal import Synchronization

/// Kite's daily login: the page that sends a browser back with a request token, and the exchange of that for an access
/// token. A request token works once.
final class SessionDesk: Sendable {
  private let state = Mutex<(issued: Int, open: Set<String>)>((0, []))

  /// Answers what belongs to a login; nil for any other request.
  ///
  /// - Parameter accessToken: The one that is let in now.
  func answer(
    _ request: HTTPRequest, _ configuration: SimulatedVenue.Configuration, accessToken: String
  ) async throws -> HTTPResponse? {
    switch (request.method, request.path) {
    case (.GET, "/connect/login"): return try redirect(request, configuration)
    case (.POST, "/session/token"):
      return try exchange(Self.form(try await request.bodyData), configuration, accessToken: accessToken)
    default: return nil
    }
  }

  private func redirect(_ request: HTTPRequest, _ configuration: SimulatedVenue.Configuration) throws
    -> HTTPResponse
  {
    guard request.query.first(where: { $0.name == "api_key" })?.value == configuration.apiKey else {
      throw KiteError.input("Invalid `api_key`.")
    }
    let token = state.withLock { state in
      state.issued += 1
      let token = "sim\(configuration.apiKey)request\(state.issued)"
      state.open.insert(token)
      return token
    }
    return HTTPResponse(
      statusCode: .found,
      headers: [
        .location: "http://127.0.0.1/?action=login&type=login&status=success&request_token=\(token)"
      ], body: Data())
  }

  private func exchange(
    _ form: [String: String], _ configuration: SimulatedVenue.Configuration, accessToken: String
  ) throws -> HTTPResponse {
    for field in ["api_key", "request_token", "checksum"] where form[field]?.isEmpty ?? true {
      throw KiteError.input("Missing or empty field `\(field)`")
    }
    guard form["api_key"] == configuration.apiKey else { throw Self.refusal("Invalid `api_key`.") }
    let token = form["request_token"] ?? ""
    guard state.withLock({ $0.open.contains(token) }) else {
      throw Self.refusal("Token is invalid or has expired.")
    }
    guard form["checksum"] == Self.checksum(configuration.apiKey + token + configuration.apiSecret) else {
      throw Self.refusal("Invalid `checksum`.")
    }
    _ = state.withLock { $0.open.remove(token) }
    let body =
      #"{"status":"success","data":{"user_type":"individual","user_id":"SIM001","user_name":"Simulated User","#
      + #""broker":"ZERODHA","exchanges":["NSE","NFO","MCX"],"api_key":"\#(configuration.apiKey)","#
      + #""access_token":"\#(accessToken)","public_token":"","refresh_token":"","login_time":"2026-01-01 09:00:00"}}"#
    return HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: Data(body.utf8))
  }

  private static func refusal(_ message: String) -> KiteError {
    KiteError(status: 403, type: "TokenException", message: message)
  }

  private static func form(_ body: Data) -> [String: String] {
    var fields: [String: String] = [:]
    for item in String(decoding: body, as: UTF8.self).split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      let value = parts[1].replacingOccurrences(of: "+", with: " ")
      fields[String(parts[0])] = value.removingPercentEncoding ?? value
    }
    return fields
  }

  /// The lower-case hexadecimal SHA-256.
  private static func checksum(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256(bytes, bytes.count, &digest)
    return digest.map { String(format: "%02x", $0) }.joined()
  }
}
