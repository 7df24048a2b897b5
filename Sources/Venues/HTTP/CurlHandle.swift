internal import CCurl
internal import Glibc
import MarketData

/// Starts libcurl once in the process; the result is the same for everybody who asks.
private let curlStartResult = curl_global_init(Int(CURL_GLOBAL_ALL))

/// Owns one libcurl easy handle and the buffer for its error text. One thread at a time.
final class CurlHandle {
  let pointer: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>
  private var url = ""
  private var mayUseProxy = false

  /// - Throws: `Fault` of kind `system` when libcurl cannot start.
  init() throws(Fault) {
    guard curlStartResult == CURLE_OK, let pointer = curl_easy_init() else {
      throw Fault(.system, "libcurl does not start: \(String(cString: curl_easy_strerror(curlStartResult)))")
    }
    self.pointer = pointer
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    curl_easy_cleanup(pointer)
    errorText.deallocate()
  }

  /// Forgets all options but keeps live connections, and sets what every use here has in common: no signals,
  /// only HTTP, TLS 1.2 or later, certificate and host name always verified.
  ///
  /// With a `proxy` (empty: none) the environment's are passed over, but for `no_proxy`.
  func prepare(url: String, caFile: String?, proxy: String? = nil, connectTimeoutMilliseconds: Int)
    throws(Fault)
  {
    curl_easy_reset(pointer)
    errorText.pointee = 0
    self.url = url
    mayUseProxy = proxy.map { !$0.isEmpty } ?? Self.proxyVariables.contains { getenv($0) != nil }
    try check(tickring_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText))
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, 2)
    try set(CURLOPT_CONNECTTIMEOUT_MS, connectTimeoutMilliseconds)
    if let caFile {
      try Self.check(caFile: caFile)
      try set(CURLOPT_CAINFO, caFile)
      // The folder of the system's authorities would be trusted beside the file.
      try check(tickring_curl_set_pointer(pointer, CURLOPT_CAPATH, nil))
    }
    if let proxy { try set(CURLOPT_PROXY, proxy) }
    try set(CURLOPT_URL, url)
  }

  /// Whether a file of certificates can be read.
  static func check(caFile: String) throws(Fault) {
    guard access(caFile, R_OK) == 0 else {
      throw Fault(
        .configuration,
        "the file of certificates '\(caFile)' cannot be read: \(String(cString: strerror(errno)))")
    }
  }

  func set(_ option: CURLoption, _ value: Int) throws(Fault) {
    try check(tickring_curl_set_long(pointer, option, value))
  }

  func set(_ option: CURLoption, _ value: String) throws(Fault) {
    try check(tickring_curl_set_string(pointer, option, value))
  }

  /// Turns a failed `curl_easy_setopt` into a fault: the installed libcurl lacks what TickRing needs.
  func check(_ result: CURLcode) throws(Fault) {
    guard result == CURLE_OK else {
      throw Fault(.software, "libcurl refuses an option: \(String(cString: curl_easy_strerror(result)))")
    }
  }

  /// libcurl's own words for a failed transfer: the error buffer where it was filled, else the code's name. Of a proxy
  /// that cannot be reached libcurl tells the address alone, as if it were the server's.
  func explanation(of result: CURLcode) -> String {
    let detail = String(cString: errorText)
    guard !detail.isEmpty else { return String(cString: curl_easy_strerror(result)) }
    let opening = "Failed to connect to "
    guard mayUseProxy, detail.hasPrefix(opening), let (host, port) = Self.hostAndPort(of: url),
      !detail.hasPrefix("\(opening)\(host) port \(port) ")
    else { return detail }
    return "\(opening)the proxy \(detail.dropFirst(opening.count))"
  }

  /// The variables of the environment that libcurl asks for a proxy.
  private static let proxyVariables = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]

  /// Where an address leads, by libcurl's own reading of it.
  private static func hostAndPort(of url: String) -> (host: String, port: String)? {
    guard let parser = curl_url() else { return nil }
    defer { curl_url_cleanup(parser) }
    guard curl_url_set(parser, CURLUPART_URL, url, 0) == CURLUE_OK else { return nil }
    func part(_ which: CURLUPart) -> String? {
      var text: UnsafeMutablePointer<CChar>?
      guard curl_url_get(parser, which, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else {
        return nil
      }
      defer { curl_free(text) }
      return String(cString: text)
    }
    guard let host = part(CURLUPART_HOST), let port = part(CURLUPART_PORT) else { return nil }
    return (host.trimmingBrackets, port)
  }

  /// The kind of fault that a failed transfer is. A server that cannot prove its identity is no outage: trying
  /// again blindly would only give an impostor more chances.
  static func faultKind(of result: CURLcode) -> Fault.Kind {
    switch result {
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      .protocolViolation
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CACERT_BADFILE: .configuration
    default: .unavailable
    }
  }
}

extension String {
  /// An IPv6 address without the brackets that it has in a URL.
  fileprivate var trimmingBrackets: String {
    hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
  }
}
