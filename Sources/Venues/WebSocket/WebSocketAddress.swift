internal import CCurl
import MarketData

/// A websocket's address taken apart for libcurl, which dials, and for the handshake, which names host and path.
struct WebSocketAddress {
  /// The same address with the scheme that libcurl knows.
  let dialURL: String
  /// Host, and port where it is not the scheme's own.
  let hostField: String
  /// Path and query, beginning with a slash.
  let target: String

  /// - Throws: `Fault` of kind `configuration` when the text is no `ws` or `wss` address.
  init(_ text: String, shownAs shown: String) throws(Fault) {
    let schemes = [(from: "ws://", to: "http://", port: "80"), (from: "wss://", to: "https://", port: "443")]
    guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0.from) }) else {
      throw Fault(.configuration, "'\(shown)' is no websocket address: it should begin with ws:// or wss://")
    }
    dialURL = scheme.to + text.dropFirst(scheme.from.count)
    guard let url = curl_url() else { throw Fault(.system, "out of memory for the address '\(shown)'") }
    defer { curl_url_cleanup(url) }
    let result = curl_url_set(url, CURLUPART_URL, dialURL, 0)
    guard result == CURLUE_OK, let host = Self.part(CURLUPART_HOST, of: url) else {
      throw Fault(.configuration, "'\(shown)' is no address: \(String(cString: curl_url_strerror(result)))")
    }
    guard Self.part(CURLUPART_FRAGMENT, of: url) == nil else {
      throw Fault(
        .configuration, "'\(shown)' is no websocket address: it must have no fragment, the part behind '#'")
    }
    let port = Self.part(CURLUPART_PORT, of: url) ?? scheme.port
    hostField = port == scheme.port ? host : "\(host):\(port)"
    let path = Self.part(CURLUPART_PATH, of: url) ?? "/"
    target = path + (Self.part(CURLUPART_QUERY, of: url).map { "?" + $0 } ?? "")
  }

  private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(url, part, &text, 0) == CURLUE_OK, let text else { return nil }
    defer { curl_free(text) }
    return String(cString: text)
  }
}
