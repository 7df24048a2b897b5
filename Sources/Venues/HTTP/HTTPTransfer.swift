internal import CCurl
import MarketData

/// One exchange of request and answer on one libcurl handle, whoever drives it. The handle and what it keeps open may
/// serve one exchange after the other.
final class HTTPTransfer {
  let handle: CurlHandle
  private let caFile: String?
  private let proxy: String?
  private var title = ""
  private var redact = Redaction(url: "")
  /// What libcurl holds pointers to until the exchange is over.
  private var list: HeaderList?
  private var collector = BodyCollector(bytesMax: 0)

  /// Longest time to establish a connection.
  static let connectTimeoutMilliseconds = 10_000
  /// An answer that comes in more slowly than so many bytes a second,
  static let slowBytesPerSecond = 64
  /// for so many seconds on end, has failed.
  static let slowSecondsMax = 15

  /// - Throws: `Fault` of kind `system` when libcurl cannot start.
  init(caFile: String?, proxy: String?) throws(Fault) {
    handle = try CurlHandle()
    self.caFile = caFile
    self.proxy = proxy
  }

  /// Prepares the handle for a request.
  func start(_ request: HTTPRequest) throws(Fault) {
    redact = Redaction(url: request.url, headers: request.headers, secrets: request.secrets)
    title = "\(request.method.rawValue) \(redact.url)"
    try handle.prepare(
      url: request.url, caFile: caFile, proxy: proxy,
      connectTimeoutMilliseconds: Self.connectTimeoutMilliseconds)
    try handle.set(CURLOPT_TIMEOUT_MS, request.timeoutMilliseconds)
    try handle.set(CURLOPT_LOW_SPEED_LIMIT, Self.slowBytesPerSecond)
    try handle.set(CURLOPT_LOW_SPEED_TIME, Self.slowSecondsMax)
    // HTTP/2 where TLS negotiates it; requests wait for a connection that can carry them beside others.
    try handle.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
    try handle.set(CURLOPT_PIPEWAIT, 1)
    // The empty list stands for everything that this libcurl can decompress.
    try handle.set(CURLOPT_ACCEPT_ENCODING, "")
    if let path = request.unixSocketPath { try handle.set(CURLOPT_UNIX_SOCKET_PATH, path) }

    let list = try HeaderList(request.headers, title: title)
    try handle.check(tickring_curl_set_list(handle.pointer, CURLOPT_HTTPHEADER, list.head))
    self.list = list
    collector = BodyCollector(bytesMax: request.responseBodyBytesMax)
    try receive(into: collector)
    try setBody(of: request)
  }

  /// The answer, once libcurl says that the exchange is over.
  ///
  /// - Throws: as ``HTTPClient/send(_:)``.
  func finish(_ result: CURLcode) throws(Fault) -> HTTPResponse {
    defer {
      list = nil
      collector = BodyCollector(bytesMax: 0)
    }
    if collector.isOverflown {
      throw Fault(
        .protocolViolation, "\(title): the answer is longer than the \(collector.bytesMax) bytes allowed")
    }
    guard result == CURLE_OK else {
      throw Fault(CurlHandle.faultKind(of: result), "\(title): \(redact(handle.explanation(of: result)))")
    }
    let answer = answer(body: collector.bytes)
    guard HTTPResponse.statuses.contains(answer.status) else {
      throw Fault(
        .unavailable,
        "\(title): the server answered with the status \(answer.status); an answer's status lies between "
          + "\(HTTPResponse.statuses.lowerBound) and \(HTTPResponse.statuses.upperBound)")
    }
    return answer
  }

  private func receive(into collector: BodyCollector) throws(Fault) {
    try handle.check(
      tickring_curl_set_write_function(handle.pointer, CURLOPT_WRITEFUNCTION) { data, size, count, target in
        guard let data, let target else { return 0 }
        let collector = Unmanaged<BodyCollector>.fromOpaque(target).takeUnretainedValue()
        return collector.append(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
      })
    try handle.check(
      tickring_curl_set_pointer(
        handle.pointer, CURLOPT_WRITEDATA, Unmanaged.passUnretained(collector).toOpaque()))
  }

  private func setBody(of request: HTTPRequest) throws(Fault) {
    if request.method == .get { return }
    try handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    if request.method == .delete && request.body.isEmpty { return }
    try handle.set(CURLOPT_POSTFIELDSIZE, request.body.count)
    // libcurl makes a copy as long as the size says, so the bytes need not stay where they are.
    try request.body.withUnsafeBufferPointer { (body) throws(Fault) in
      guard let start = body.baseAddress, !body.isEmpty else {
        return try handle.set(CURLOPT_COPYPOSTFIELDS, "")
      }
      try handle.check(
        tickring_curl_set_pointer(
          handle.pointer, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start)))
    }
  }

  private func answer(body: [UInt8]) -> HTTPResponse {
    var status = 0
    _ = tickring_curl_get_long(handle.pointer, CURLINFO_RESPONSE_CODE, &status)
    var contentType: UnsafePointer<CChar>?
    _ = tickring_curl_get_string(handle.pointer, CURLINFO_CONTENT_TYPE, &contentType)
    var retryAfter: curl_off_t = 0
    _ = tickring_curl_get_offset(handle.pointer, CURLINFO_RETRY_AFTER, &retryAfter)
    return HTTPResponse(
      status: status, contentType: contentType.map { String(cString: $0) },
      retryAfterSeconds: retryAfter > 0 ? Int(retryAfter) : nil, body: body)
  }
}

/// Takes in the body of an answer up to a limit.
private final class BodyCollector {
  private(set) var bytes: [UInt8] = []
  private(set) var isOverflown = false
  let bytesMax: Int

  init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  func append(_ chunk: UnsafeRawBufferPointer) -> Bool {
    guard chunk.count <= bytesMax - bytes.count else {
      isOverflown = true
      return false
    }
    bytes.append(contentsOf: chunk)
    return true
  }
}

/// Owns libcurl's linked list of header lines.
private final class HeaderList {
  private(set) var head: UnsafeMutablePointer<curl_slist>?

  init(_ headers: [(name: String, value: String)], title: String) throws(Fault) {
    // An empty `Expect` spares the wait for `100 Continue`, which some servers never send.
    for (name, value) in headers + [(name: "Expect", value: "")] {
      let line = value.isEmpty ? "\(name):" : "\(name): \(value)"
      guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        throw Fault(.configuration, "\(title): the header field '\(name)' holds control characters")
      }
      guard let longer = curl_slist_append(head, line) else {
        throw Fault(.system, "\(title): out of memory for header fields")
      }
      head = longer
    }
  }

  deinit {
    curl_slist_free_all(head)
  }
}
