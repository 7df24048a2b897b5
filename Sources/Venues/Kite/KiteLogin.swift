public import MarketData

/// Kite's daily login: a person signs in with a browser, which is sent back with a request token, and that is exchanged
/// for the day's access token.
public struct KiteLogin: Sendable {
  private let apiKey: String
  private let baseURL: String

  /// Where the browser signs in.
  public static let vendorLoginURL = "https://kite.zerodha.com"

  /// What a login gives.
  public struct Session: Sendable, Hashable {
    /// The day's token.
    public var accessToken: String
    /// Who signed in.
    public var user: String
  }

  /// Makes a login for an application's key.
  ///
  /// - Parameter baseURL: Root of the REST interface.
  public init(apiKey: String, baseURL: String = KiteCandles.vendorURL) {
    self.apiKey = apiKey
    self.baseURL = baseURL
  }

  /// The page that the browser opens.
  public func loginURL(root: String = KiteLogin.vendorLoginURL) -> String {
    "\(root)/connect/login?api_key=\(percentEncoded(apiKey))&v=3"
  }

  /// Takes the request token out of what a person pasted: the token itself, or the whole address to which the browser
  /// was sent back.
  ///
  /// - Throws: ``Fault`` of kind `usage` when there is none in it, `refused` when the address tells of a failed login.
  public static func requestToken(in text: String) throws(Fault) -> String {
    let text = text.split(whereSeparator: \.isWhitespace).joined()
    var token = text
    if text.contains("?") || text.contains("/") {
      let query = text.split(separator: "#")[0].split(separator: "?", maxSplits: 1).last ?? ""
      let items = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
      func item(_ name: String) -> String? { items.first { $0.first == name && $0.count == 2 }?[1] }
      if let status = item("status"), status != "success" {
        throw Fault(.refused, "Kite says that the login ended with the status '\(status)'; sign in again")
      }
      guard let found = item("request_token") else {
        throw Fault(
          .usage, "the address holds no request_token; paste the one to which Kite sent the browser back")
      }
      token = found
    }
    guard !token.isEmpty,
      token.utf8.allSatisfy({ byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      })
    else {
      throw Fault(.usage, "that is no request token: one consists of letters and digits, and is not empty")
    }
    return token
  }

  /// `POST /session/token`: the checksum proves that the secret is known without showing it.
  public func exchange(requestToken: String, apiSecret: String) -> HTTPRequest {
    let digest = Digest.sha256(Array((apiKey + requestToken + apiSecret).utf8))
    let hex = Array("0123456789abcdef".utf8)
    let checksum = String(decoding: digest.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }, as: UTF8.self)
    let form =
      "api_key=\(percentEncoded(apiKey))&request_token=\(percentEncoded(requestToken))&checksum=\(checksum)"
    return HTTPRequest(
      .post, "\(baseURL)/session/token",
      headers: [
        KiteCredentials.versionHeader, (name: "Content-Type", value: "application/x-www-form-urlencoded"),
      ], body: Array(form.utf8))
  }

  /// Reads the answer to ``exchange(requestToken:apiSecret:)``.
  ///
  /// - Throws: ``Fault`` of kind `refused` when the venue does not accept request token, key or secret, `unavailable`
  ///   when it has trouble, `protocolViolation` when its answer cannot be understood.
  public func session(in response: HTTPResponse) throws(Fault) -> Session {
    var (status, type, message) = ("", "", "")
    var session = Session(accessToken: "", user: "")
    var scanner = JSONScanner(response.body)
    do throws(Fault) {
      try scanner.object { (key, scanner) throws(Fault) in
        let isText = scanner.peek() == UInt8(ascii: "\"")
        switch key {
        case "status" where isText: status = try scanner.string()
        case "error_type" where isText: type = try scanner.words()
        case "message" where isText: message = try scanner.words()
        case "data" where scanner.peek() == UInt8(ascii: "{"):
          try scanner.object { (key, scanner) throws(Fault) in
            let isText = scanner.peek() == UInt8(ascii: "\"")
            switch key {
            case "access_token" where isText: session.accessToken = try scanner.string()
            case "user_id" where isText: session.user = try scanner.string()
            default: try scanner.skipValue()
            }
          }
        default: try scanner.skipValue()
        }
      }
      try scanner.expectEnd()
    } catch {
      (status, message) = ("", excerpt(of: response.body))
    }
    guard status == "success", response.status == 200, !session.accessToken.isEmpty else {
      let kind =
        response.status == 400 ? Fault.Kind.refused : KiteError.kind(status: response.status, errorType: type)
      let advice =
        kind == .refused
        ? "; a request token works once and for some minutes only, and the API key and secret must be its application's"
        : ""
      // The sentence goes on behind the venue's.
      let reason = message.hasSuffix(".") ? message.dropLast() : message[...]
      throw Fault(
        kind,
        "Kite's login: HTTP status \(response.status)\(type.isEmpty ? "" : " (\(type))"): \(reason)\(advice)"
      )
    }
    // It goes into header fields.
    guard session.accessToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Fault(
        .protocolViolation, "Kite's login: the access_token holds characters that no such word has; try again"
      )
    }
    return session
  }

  /// The token as the store keeps it.
  public func stored(_ session: Session, obtained: Timestamp) -> StoredToken {
    StoredToken(
      venue: KiteTokens.venue,
      words: [KiteTokens.apiKeyWord: apiKey, KiteTokens.accessTokenWord: session.accessToken],
      obtained: obtained,
      expires: KiteTokens.expiry(ofTokenObtained: obtained))
  }
}
