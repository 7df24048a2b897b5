internal import CCurl
internal import Glibc
public import MarketData

/// What a data message is.
public enum WebSocketOpcode: Sendable {
  /// UTF-8, checked.
  case text
  /// Bytes.
  case binary
}

/// A websocket client: libcurl dials (TCP, TLS, proxy), wslay frames, and the handshake is ours.
///
/// Between the socket and the receiver's closure stand two copies and no allocation. One thread at a time.
public final class WebSocketConnection {
  /// Where to connect and how.
  public struct Options: Sendable {
    /// A `ws` or `wss` address. Credentials in its query never appear in messages.
    public var url: String
    /// Further header fields of the handshake.
    public var headers: [(name: String, value: String)]
    /// Certificate authorities to trust instead of the system's, a PEM file.
    public var caFile: String?
    /// Address of a proxy (`http://host:port`, `socks5h://…`) to go through; nil leaves that to the environment's
    /// `http_proxy`, `https_proxy` and `no_proxy`, and the empty text means none.
    public var proxy: String?
    /// Longest time to dial, and again for the handshake.
    public var connectTimeoutMilliseconds = 10_000
    /// Longest time that the end of a connection waits for the server's part in it.
    public var closeTimeoutMilliseconds = 250
    /// A longer message ends the connection. Kite's longest has 3000 packets of 186 bytes: 558 002.
    public var messageBytesMax = 1 << 20
    /// Bytes that may wait for a socket that takes none: a feed's largest request is a hundredth of that.
    public var unsentBytesMax = 1 << 20

    /// Makes options with the usual limits.
    public init(url: String, headers: [(name: String, value: String)] = [], caFile: String? = nil) {
      self.url = url
      self.headers = headers
      self.caFile = caFile
    }
  }

  /// Bytes asked of the socket at once.
  static let readBytesMax = 256 * 1024

  private let options: Options
  private let redact: Redaction
  private let readBuffer: UnsafeMutableRawBufferPointer
  private var readTime = Timestamp.unknown
  private var link: Link?
  /// The status code with which the server closed the latest connection in good order (1005 when it named none); nil
  /// while that is open, and when it ended otherwise.
  public private(set) var closeCode: UInt16?

  /// A connection that is open.
  private struct Link {
    let handle: CurlHandle
    let codec: FrameCodec
    let socket: Int32
  }

  /// Makes a connection that is not yet connected.
  public init(_ options: Options) {
    self.options = options
    redact = Redaction(url: options.url, headers: options.headers)
    readBuffer = .allocate(byteCount: Self.readBytesMax, alignment: 64)
  }

  deinit {
    readBuffer.deallocate()
  }

  /// True from ``connect()`` until either side ended the connection.
  public var isOpen: Bool { link != nil }

  /// What to wait for; nil without a connection.
  public var socketInterest: SocketInterest? {
    link.map { SocketInterest(descriptor: $0.socket, wantsToSend: $0.codec.wantsToSend) }
  }

  // MARK: Connecting

  /// Dials and shakes hands; an older connection is dropped first.
  ///
  /// - Throws: `Fault` of kind `refused` when the server answers 401 or 403, `unavailable` when it cannot be
  ///   reached, answers 429 or 5xx or not in time, `protocolViolation` when it answers anything else or cannot
  ///   prove its identity, `configuration` when the address makes no sense.
  public func connect() throws(Fault) {
    link = nil
    closeCode = nil
    let address = try WebSocketAddress(options.url, shownAs: redact.url)
    let handle = try CurlHandle()
    try handle.prepare(
      url: address.dialURL, caFile: options.caFile, proxy: options.proxy,
      connectTimeoutMilliseconds: options.connectTimeoutMilliseconds)
    try handle.set(CURLOPT_CONNECT_ONLY, 1)
    // Without this libcurl would offer HTTP/2, over which this handshake cannot run.
    try handle.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    // A proxy must pass bytes through untouched, for ws as for wss.
    try handle.set(CURLOPT_HTTPPROXYTUNNEL, 1)
    let result = curl_easy_perform(handle.pointer)
    guard result == CURLE_OK else {
      throw fault(CurlHandle.faultKind(of: result), "cannot connect: \(handle.explanation(of: result))")
    }
    var socket: curl_socket_t = -1
    guard tickring_curl_get_socket(handle.pointer, &socket) == CURLE_OK, socket >= 0 else {
      throw fault(.unavailable, "the connection was lost as soon as it was made")
    }
    guard let codec = FrameCodec(messageBytesMax: options.messageBytesMax) else {
      throw fault(.system, "out of memory for a connection")
    }
    let link = Link(handle: handle, codec: codec, socket: socket)
    try shakeHands(link, address: address)
    self.link = link
  }

  private func shakeHands(_ link: Link, address: WebSocketAddress) throws(Fault) {
    for (name, value) in options.headers where !(name + value).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) {
      throw fault(.configuration, "the header field '\(name)' holds control characters")
    }
    var generator = SystemRandomNumberGenerator()
    let nonce = (0..<WebSocketHandshake.nonceBytes).map { _ in
      UInt8.random(in: .min ... .max, using: &generator)
    }
    let handshake = WebSocketHandshake(nonce: nonce)
    let deadline = Deadline(afterMilliseconds: options.connectTimeoutMilliseconds)
    try send(handshake.request(address: address, headers: options.headers), over: link, before: deadline)

    var count = 0
    var headerEnd: Int?
    while headerEnd == nil {
      guard count < WebSocketHandshake.headerBytesMax else {
        throw fault(
          .protocolViolation,
          "the server's handshake is longer than \(WebSocketHandshake.headerBytesMax) bytes")
      }
      count += try readSome(link, at: count, before: deadline)
      headerEnd = WebSocketHandshake.headerEnd(in: UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
    }
    let end = headerEnd ?? count
    do {
      try handshake.check(header: readBuffer[..<end], body: readBuffer[end..<count])
    } catch {
      throw fault(error.kind, error.message)
    }
    // The server may have sent its first frames along with its answer.
    link.codec.take(UnsafeRawBufferPointer(rebasing: readBuffer[end..<count]))
  }

  private func send(_ bytes: [UInt8], over link: Link, before deadline: Deadline) throws(Fault) {
    var sent = 0
    while sent < bytes.count {
      let taken = bytes.withUnsafeBytes { Self.send(UnsafeRawBufferPointer(rebasing: $0[sent...]), link) }
      guard let taken else { throw fault(.unavailable, "the connection broke during the handshake") }
      sent += taken
      if taken == 0, !wait(for: POLLOUT, on: link, milliseconds: deadline.remainingMilliseconds) {
        throw fault(.unavailable, "the server takes no handshake in \(options.connectTimeoutMilliseconds) ms")
      }
    }
  }

  private func readSome(_ link: Link, at offset: Int, before deadline: Deadline) throws(Fault) -> Int {
    while true {
      switch read(link, into: UnsafeMutableRawBufferPointer(rebasing: readBuffer[offset...])) {
      case .bytes(let count):
        readTime = .wallClock()
        return count
      case .ended: throw fault(.unavailable, "the server ended the connection during the handshake")
      case .failed(let reason):
        throw fault(.unavailable, "the connection broke during the handshake: \(reason)")
      case .nothing:
        guard wait(for: POLLIN, on: link, milliseconds: deadline.remainingMilliseconds) else {
          throw fault(
            .unavailable,
            "the server does not answer the handshake in \(options.connectTimeoutMilliseconds) ms")
        }
      }
    }
  }

  // MARK: Talking

  /// Sends a message, or queues it while the socket takes no more; the queue is emptied by ``receive``.
  ///
  /// - Throws: `Fault` of kind `unavailable` when there is no connection, it broke, or the queue is full.
  public func send(_ opcode: WebSocketOpcode, _ payload: RawSpan) throws(Fault) {
    guard let link else { throw fault(.unavailable, "not connected") }
    guard link.codec.unsentBytes + payload.byteCount <= options.unsentBytesMax else {
      throw fault(
        .unavailable, "the server takes no data: more than \(options.unsentBytesMax) bytes would wait for it")
    }
    guard payload.withUnsafeBytes({ link.codec.queue(opcode, $0) }) else {
      throw fault(.unavailable, "the connection is being closed and takes no more messages")
    }
    try flush(link)
  }

  /// Sends a text message, as ``send(_:_:)`` does.
  public func sendText(_ text: String) throws(Fault) {
    try send(.text, Array(text.utf8).span.bytes)
  }

  /// Bytes that wait for the socket to take them.
  public var unsentBytes: Int { link?.codec.unsentBytes ?? 0 }

  /// Waits until at most so many bytes wait to be sent; false when time is up.
  ///
  /// - Throws: `Fault` of kind `unavailable` when the connection broke.
  public func sendQueue(downTo bytes: Int, timeoutMilliseconds: Int) throws(Fault) -> Bool {
    guard let link else { throw fault(.unavailable, "not connected") }
    let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
    while true {
      try flush(link)
      if link.codec.unsentBytes <= bytes { return true }
      if deadline.isPast { return false }
      _ = wait(for: POLLOUT, on: link, milliseconds: deadline.remainingMilliseconds)
    }
  }

  /// Waits at most `timeoutMilliseconds` for bytes (0: does not wait at all) and hands every message that they
  /// complete to `onMessage`, with the wall time at which they were read. The payload is valid only during the
  /// call. Pings and the closing handshake are answered here.
  ///
  /// Returns true when anything arrived, be it only a part of a message or a ping. An end of the connection is
  /// thrown only after all messages before it were handed out.
  /// - Throws: `Fault` of kind `unavailable` when the connection ended, `protocolViolation` when the server broke
  ///   the protocol; whatever `onMessage` throws, after which the next call goes on with the next message.
  public func receive(
    timeoutMilliseconds: Int,
    onMessage: (_ opcode: WebSocketOpcode, _ payload: RawSpan, _ readTime: Timestamp) throws(Fault) -> Void
  ) throws(Fault) -> Bool {
    guard let link else { throw fault(.unavailable, "not connected") }
    if let end = link.codec.end {
      if case .closed(let code, _) = end { closeCode = code }
      awaitEnd(link)
      self.link = nil
      throw fault(of: end)
    }
    answer(link)
    if !link.codec.hasInput, try !fill(link, timeoutMilliseconds: timeoutMilliseconds) { return false }
    while let message = link.codec.nextMessage() {
      try onMessage(message.opcode, message.payload.bytes, readTime)
    }
    answer(link)
    return true
  }

  /// Reads once into the empty buffer; false when nothing came in time.
  private func fill(_ link: Link, timeoutMilliseconds: Int) throws(Fault) -> Bool {
    var deadline: Deadline?
    while true {
      // TLS may hold decrypted bytes although the socket is silent, so reading comes before waiting.
      switch read(link, into: readBuffer) {
      case .bytes(let count):
        readTime = .wallClock()
        link.codec.take(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
        return true
      case .ended:
        let place = link.codec.isInsideMessage ? "in the middle of a message" : "without a close frame"
        throw dropped(.unavailable, "the server ended the connection \(place)")
      case .failed(let reason):
        throw dropped(.unavailable, "the connection broke: \(reason)")
      case .nothing:
        guard timeoutMilliseconds > 0 else { return false }
        let limit = deadline ?? Deadline(afterMilliseconds: timeoutMilliseconds)
        deadline = limit
        let events = link.codec.wantsToSend ? POLLIN | POLLOUT : POLLIN
        guard !limit.isPast, wait(for: events, on: link, milliseconds: limit.remainingMilliseconds) else {
          return false
        }
        answer(link)
      }
    }
  }

  /// Sends what waits, such as the answer to a ping. A broken connection shows at the next read, after everything
  /// that was still in it.
  private func answer(_ link: Link) {
    if link.codec.wantsToSend { _ = link.codec.flush { Self.send($0, link) } }
  }

  private func fault(of end: FrameCodec.End) -> Fault {
    switch end {
    case .closed(let code, let reason):
      fault(
        .unavailable,
        "the server closed the connection with code \(code)" + (reason.isEmpty ? "" : ": \(reason)"))
    case .oversize:
      fault(.protocolViolation, "a message is longer than the \(options.messageBytesMax) bytes allowed")
    case .violation(let what):
      fault(.protocolViolation, "the server breaks the websocket protocol (RFC 6455): \(what)")
    case .invalidText:
      fault(.protocolViolation, "the server breaks the websocket protocol (RFC 6455): its text is no UTF-8")
    }
  }

  // MARK: Ending

  /// Ends the connection in good order: a close frame, a short wait for the server's, then the socket. Harmless
  /// when there is no connection.
  public func close() {
    guard let link else { return }
    link.codec.queueClose(code: CloseFrame.normalCode)
    awaitEnd(link)
    self.link = nil
  }

  /// Sends what is queued, the close frame last, and waits until the server ends the connection, which is its part
  /// (RFC 6455, section 7.1.1): ended by us with bytes of the server's unread, what we sent last could be lost.
  private func awaitEnd(_ link: Link) {
    let deadline = Deadline(afterMilliseconds: options.closeTimeoutMilliseconds)
    while !deadline.isPast {
      while link.codec.nextMessage() != nil {}
      guard link.codec.flush({ Self.send($0, link) }) else { return }
      switch read(link, into: readBuffer) {
      case .bytes(let count): link.codec.take(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
      case .nothing:
        let events = link.codec.wantsToSend ? POLLIN | POLLOUT : POLLIN
        _ = wait(for: events, on: link, milliseconds: deadline.remainingMilliseconds)
      case .ended, .failed: return
      }
    }
  }

  private func dropped(_ kind: Fault.Kind, _ reason: String) -> Fault {
    link = nil
    return fault(kind, reason)
  }

  private func fault(_ kind: Fault.Kind, _ reason: String) -> Fault {
    Fault(kind, "\(redact.url): \(redact(reason))")
  }

  // MARK: The socket

  private enum ReadResult {
    case bytes(Int)
    case nothing
    case ended
    case failed(String)
  }

  private func read(_ link: Link, into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
    var count = 0
    switch curl_easy_recv(link.handle.pointer, buffer.baseAddress, buffer.count, &count) {
    case CURLE_OK: return count > 0 ? .bytes(count) : .ended
    case CURLE_AGAIN: return .nothing
    case let result: return .failed(link.handle.explanation(of: result))
    }
  }

  /// Bytes that the socket took, 0 when it takes none now, nil when it is broken.
  private static func send(_ bytes: UnsafeRawBufferPointer, _ link: Link) -> Int? {
    var count = 0
    return switch curl_easy_send(link.handle.pointer, bytes.baseAddress, bytes.count, &count) {
    case CURLE_OK: count
    case CURLE_AGAIN: 0
    default: nil
    }
  }

  private func flush(_ link: Link) throws(Fault) {
    guard link.codec.flush({ Self.send($0, link) }) else {
      throw dropped(.unavailable, "the connection broke while sending")
    }
  }

  /// True when the socket is ready (or broken, which the next call on it tells), false when time is up.
  private func wait(for events: Int32, on link: Link, milliseconds: Int) -> Bool {
    var entry = pollfd(fd: link.socket, events: Int16(events), revents: 0)
    return poll(&entry, 1, Int32(clamping: milliseconds)) != 0
  }
}
