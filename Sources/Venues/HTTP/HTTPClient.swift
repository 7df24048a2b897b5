internal import CCurl
public import MarketData

/// An HTTP client over one libcurl handle, whose connections stay open between requests.
///
/// Certificates and host names are always verified. Redirects are not followed: they would carry credentials to
/// where nobody meant them to go. One thread at a time.
public final class HTTPClient {
  private let transfer: HTTPTransfer

  /// Makes a client that trusts the system's certificate authorities, or only those in `caFile` (PEM).
  ///
  /// - Parameter proxy: The address of a proxy in place of the environment's; empty for none.
  /// - Throws: `Fault` of kind `system` when libcurl cannot start.
  public init(caFile: String? = nil, proxy: String? = nil) throws(Fault) {
    transfer = try HTTPTransfer(caFile: caFile, proxy: proxy)
  }

  /// Whether a file of certificates can be read, without sending anything.
  ///
  /// - Throws: `Fault` of kind `configuration` when it cannot.
  public static func check(caFile: String) throws(Fault) {
    try CurlHandle.check(caFile: caFile)
  }

  /// Sends a request and waits for the whole answer; every status that HTTP knows is an answer.
  ///
  /// - Throws: `Fault` of kind `unavailable` when there is no answer in time or its status is none,
  ///   `protocolViolation` when the server cannot prove its identity or sends more than asked for, `configuration`
  ///   when the request makes no sense.
  public func send(_ request: HTTPRequest) throws(Fault) -> HTTPResponse {
    try transfer.start(request)
    return try transfer.finish(curl_easy_perform(transfer.handle.pointer))
  }
}
