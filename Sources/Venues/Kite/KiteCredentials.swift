public import MarketData

/// What Kite Connect wants to know of its customer. Never shows itself in text.
public struct KiteCredentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The application's key.
  public var apiKey: String
  /// The session's token, good for one trading day.
  public var accessToken: String

  /// Makes credentials.
  public init(apiKey: String, accessToken: String) {
    self.apiKey = apiKey
    self.accessToken = accessToken
  }

  /// Says nothing about the words.
  public var description: String { "Kite credentials (not shown)" }
  /// Says nothing about the words.
  public var debugDescription: String { description }
  /// Shows nothing of the words.
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// Header fields of a REST request.
  var headers: [(name: String, value: String)] {
    [KiteCredentials.versionHeader, (name: "Authorization", value: "token \(apiKey):\(accessToken)")]
  }

  /// Which version of the interface is meant.
  static let versionHeader = (name: "X-Kite-Version", value: "3")
}

/// Gets the credentials; asked before each connection and request, because tokens change daily.
public typealias KiteCredentialsProvider = @Sendable () throws(Fault) -> KiteCredentials

/// Text as a part of a URL's query: everything but unreserved characters (RFC 3986, section 2.3) as `%XX`.
func percentEncoded(_ text: String) -> String {
  let hex = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      bytes.append(byte)
    default: bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
