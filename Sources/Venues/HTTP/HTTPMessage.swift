/// One HTTP request.
public struct HTTPRequest: Sendable {
  /// The verbs that venues and the control socket use.
  public enum Method: String, Sendable {
    /// Reads.
    case get = "GET"
    /// Sends a body.
    case post = "POST"
    /// Removes.
    case delete = "DELETE"
  }

  /// The verb.
  public var method: Method
  /// An absolute `http` or `https` address.
  public var url: String
  /// Header fields, sent as they are.
  public var headers: [(name: String, value: String)]
  /// The body; sent with POST always, with DELETE when it is not empty, with GET never.
  public var body: [UInt8]
  /// Longest time for the whole exchange.
  public var timeoutMilliseconds = HTTPRequest.timeoutMillisecondsDefault
  /// A longer body of the answer, counted after decompression, is an error.
  public var responseBodyBytesMax = HTTPRequest.responseBodyBytesMaxDefault
  /// Words that must not appear in messages, beside those by which address and header fields are known to hold some.
  public var secrets: [String] = []
  /// Connects to this Unix-domain socket instead of the address's host and port.
  public var unixSocketPath: String?

  /// Half a minute.
  public static let timeoutMillisecondsDefault = 30_000
  /// 64 MiB: a broker's whole instrument dump is a third of that.
  public static let responseBodyBytesMaxDefault = 64 << 20

  /// Makes a request.
  public init(
    _ method: Method = .get, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// The answer to an ``HTTPRequest``, whatever its status.
public struct HTTPResponse: Sendable {
  /// The status code, one of ``statuses``.
  public var status: Int
  /// The `Content-Type`, where there is one.
  public var contentType: String?
  /// What `Retry-After` asks for, in seconds from now, where there is one.
  public var retryAfterSeconds: Int?
  /// The body, decompressed.
  public var body: [UInt8]

  /// What a final answer's status may be. Others are to be taken for a failing server's (RFC 9110, section 15), and
  /// libcurl lets some through, even negative ones.
  static let statuses = 200...599

  /// Makes an answer.
  public init(status: Int, contentType: String? = nil, retryAfterSeconds: Int? = nil, body: [UInt8] = []) {
    self.status = status
    self.contentType = contentType
    self.retryAfterSeconds = retryAfterSeconds
    self.body = body
  }
}
