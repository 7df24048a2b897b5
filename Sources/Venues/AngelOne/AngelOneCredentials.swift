public import MarketData

/// What Angel One wants to know of its customer: enough to log in without a person, every day anew. It comes from the
/// environment only, and never shows itself in text.
public struct AngelOneCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The application's key.
  public let apiKey: String
  /// The customer's number.
  public let clientCode: String
  /// The customer's PIN.
  let pin: String
  /// Makes the second factor.
  let oneTimePassword: OneTimePassword

  /// The environment variables, in the order of the properties.
  public static let variables = [
    "TICKRING_ANGELONE_API_KEY", "TICKRING_ANGELONE_CLIENT_CODE", "TICKRING_ANGELONE_PIN",
    "TICKRING_ANGELONE_TOTP_SECRET",
  ]

  /// Makes credentials; `totpSecret` is the base32 text that is shown beside the QR code of the authenticator.
  ///
  /// - Throws: `Fault` of kind `configuration` when `totpSecret` is no base32.
  public init(apiKey: String, clientCode: String, pin: String, totpSecret: String) throws(Fault) {
    self.apiKey = apiKey
    self.clientCode = clientCode
    self.pin = pin
    oneTimePassword = try OneTimePassword(base32: totpSecret)
  }

  /// Takes the four words from an environment.
  ///
  /// - Throws: `Fault` of kind `configuration` that names every variable that is missing, or holds what no such word
  ///   can be.
  public init(environment: [String: String]) throws(Fault) {
    var flaws: [String] = []
    let words = Self.variables.map { variable in
      let word = environment[variable] ?? ""
      if word.isEmpty {
        flaws.append("\(variable) is not set")
      } else if !word.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
        flaws.append("\(variable) holds characters that no such word has")
      }
      return word
    }
    var credentials: AngelOneCredentials?
    do {
      credentials = try AngelOneCredentials(
        apiKey: words[0], clientCode: words[1], pin: words[2], totpSecret: words[3])
    } catch {
      if !words[3].isEmpty { flaws.append("\(Self.variables[3]): \(error.message)") }
    }
    guard flaws.isEmpty, let credentials else {
      throw Fault(
        .configuration,
        "\(flaws.joined(separator: " and ")); the venue angelone logs in with an API key, a client code, a PIN and the "
          + "secret of its one-time passwords")
    }
    self = credentials
  }

  /// Says nothing about the words.
  public var description: String { "Angel One credentials (not shown)" }
  /// Says nothing about the words.
  public var debugDescription: String { description }
  /// Shows nothing of the words.
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// Header fields of every REST request; `jwt` opens the secured ones.
  ///
  /// The vendor wants addresses of the client for orders' audit. Its own client sends a constant for the public one,
  /// and market data depend on none of them.
  func headers(jwt: String? = nil) -> [(name: String, value: String)] {
    var headers = [
      (name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json"),
      (name: "X-PrivateKey", value: apiKey), (name: "X-UserType", value: "USER"),
      (name: "X-SourceID", value: "WEB"), (name: "X-ClientLocalIP", value: "192.168.0.2"),
      (name: "X-ClientPublicIP", value: "106.193.147.98"), (name: "X-MACAddress", value: "02:00:00:00:00:01"),
    ]
    if let jwt { headers.append((name: "Authorization", value: "Bearer \(jwt)")) }
    return headers
  }
}

/// Gets the credentials; asked when they are needed, so that what needs none works without.
public typealias AngelOneCredentialsProvider = @Sendable () throws(Fault) -> AngelOneCredentials
