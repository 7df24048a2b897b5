import Foundation
import Glibc

/// A websocket client on a plain blocking socket, written from RFC 6455 alone.
final class TickerClient {
  /// One message from the venue.
  enum Message: Equatable {
    case binary([UInt8])
    case text(String)
    case pong([UInt8])
    case close(UInt16)
    /// The transport ended without a close frame.
    case end
  }

  struct Failure: Error {
    let what: String
  }

  /// After which a test fails instead of waiting on.
  private static let waitSecondsMax = 30.0
  let descriptor: Int32
  private var buffer: [UInt8] = []
  private var head = 0

  init(port: UInt16, receiveTimeoutSeconds: Int = 10) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var timeout = timeval(tv_sec: receiveTimeoutSeconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(what: "connect: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Connects and upgrades with the default credentials.
  convenience init(tickerAt port: UInt16) throws {
    try self.init(port: port)
    let answer = try upgrade(query: "api_key=simkey&access_token=simtoken")
    guard answer.hasPrefix("HTTP/1.1 101") else { throw Failure(what: answer) }
  }

  /// Sends an upgrade request and returns the head of the answer, with the body of a refusal.
  func upgrade(query: String) throws -> String {
    send(
      Array(
        """
        GET /?\(query) HTTP/1.1\r
        Host: 127.0.0.1\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        X-Kite-Version: 3\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        \r

        """.utf8))
    return try httpAnswer()
  }

  /// Sends a GET request and returns the answer, head and body.
  func get(_ target: String, headers: [String] = []) throws -> (head: String, body: String) {
    let lines = ["GET \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers + ["", ""]
    send(Array(lines.joined(separator: "\r\n").utf8))
    let answer = try httpAnswer()
    let parts = answer.components(separatedBy: "\r\n\r\n")
    return (parts[0], parts.dropFirst().joined(separator: "\r\n\r\n"))
  }

  /// Sends a POST request and reads its answer.
  func post(_ target: String, body: String) {
    let head = ["POST \(target) HTTP/1.1", "Host: 127.0.0.1", "Content-Length: \(body.utf8.count)", "", ""]
    send(Array((head.joined(separator: "\r\n") + body).utf8))
    _ = try? httpAnswer()
  }

  /// Sends a DELETE request on a connection of its own and reads its answer.
  func delete(_ target: String, port: UInt16) {
    guard let client = try? TickerClient(port: port) else { return }
    client.send(Array("DELETE \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
    _ = try? client.httpAnswer()
  }

  /// True when bytes are there, or come in time.
  func isReadable(withinMilliseconds milliseconds: Int32) -> Bool {
    if head < buffer.count { return true }
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) > 0
  }

  /// Receives messages until none has come for so long.
  func drain(milliseconds: Int32) throws {
    let deadline = Date().addingTimeInterval(Double(milliseconds) / 1000)
    while Date() < deadline, isReadable(withinMilliseconds: milliseconds) { _ = try receive() }
  }

  func httpAnswer() throws -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) { bytes.append(try byte()) }
    var text = String(decoding: bytes, as: UTF8.self)
    let length = text.lowercased().components(separatedBy: "content-length: ").dropFirst().first
      .flatMap { Int($0.prefix(while: \.isNumber)) }
    if let length { text += String(decoding: try take(length), as: UTF8.self) }
    return text
  }

  /// Sends a masked text frame.
  func send(text: String) { sendFrame(opcode: 1, Array(text.utf8)) }

  /// Sends one masked frame.
  func sendFrame(opcode: UInt8, isFinal: Bool = true, _ payload: [UInt8]) {
    let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var frame: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
    switch payload.count {
    case 0...125: frame.append(0x80 | UInt8(payload.count))
    case 126...65_535: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default:
      frame.append(0x80 | 127)
      frame += (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
    }
    frame += mask
    frame += payload.enumerated().map { $1 ^ mask[$0 % 4] }
    send(frame)
  }

  func subscribe(_ tokens: [UInt32], mode: String? = nil) {
    send(text: #"{"a":"subscribe","v":\#(tokens)}"#)
    if let mode { setMode(mode, tokens) }
  }

  func setMode(_ mode: String, _ tokens: [UInt32]) {
    send(text: #"{"a":"mode","v":["\#(mode)",\#(tokens)]}"#)
  }

  /// Receives one whole message.
  func receive() throws -> Message {
    guard let first = try? byte() else { return .end }
    guard first & 0x80 != 0, first & 0x70 == 0 else { throw Failure(what: "fragment or reserved bits") }
    let second = try byte()
    guard second & 0x80 == 0 else { throw Failure(what: "the server masked a frame") }
    var length = Int(second)
    if length >= 126 {
      length = try take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) }
    }
    let payload = try take(length)
    switch first & 0x0F {
    case 1: return .text(String(decoding: payload, as: UTF8.self))
    case 2: return .binary(payload)
    case 8: return .close(payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : 0)
    case 10: return .pong(payload)
    default: throw Failure(what: "opcode \(first & 0x0F)")
    }
  }

  /// Receives the next frame of ticks, passing over heartbeats.
  func receivePackets() throws -> [[UInt8]] {
    let deadline = Date().addingTimeInterval(Self.waitSecondsMax)
    while Date() < deadline {
      let message = try receive()
      guard case .binary(let payload) = message else { throw Failure(what: "no ticks but \(message)") }
      if payload.count > 1 { return try Self.packets(payload) }
    }
    throw Failure(what: "nothing but heartbeats")
  }

  /// Collects packets until there are at least `count`.
  func receivePackets(atLeast count: Int) throws -> [[UInt8]] {
    var packets: [[UInt8]] = []
    let deadline = Date().addingTimeInterval(Self.waitSecondsMax)
    while packets.count < count {
      guard Date() < deadline else { throw Failure(what: "\(packets.count) packets of \(count)") }
      packets += try receivePackets()
    }
    return packets
  }

  /// Cuts a binary message into packets, and insists that nothing is left over.
  static func packets(_ payload: [UInt8]) throws -> [[UInt8]] {
    var packets: [[UInt8]] = []
    var offset = 2
    for _ in 0..<(Int(payload[0]) << 8 | Int(payload[1])) {
      guard offset + 2 <= payload.count else { throw Failure(what: "frame too short") }
      let length = Int(payload[offset]) << 8 | Int(payload[offset + 1])
      guard offset + 2 + length <= payload.count else { throw Failure(what: "packet beyond the frame") }
      packets.append(Array(payload[offset + 2..<offset + 2 + length]))
      offset += 2 + length
    }
    guard offset == payload.count else { throw Failure(what: "bytes after the last packet") }
    return packets
  }

  /// Makes the next close reset the transport instead of ending it.
  func resetOnClose() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  private func byte() throws -> UInt8 { try take(1)[0] }

  private func take(_ count: Int) throws -> [UInt8] {
    while buffer.count - head < count {
      buffer.removeFirst(head)
      head = 0
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      let received = recv(descriptor, &chunk, chunk.count, 0)
      guard received > 0 else { throw Failure(what: "the transport ended or timed out") }
      buffer += chunk.prefix(received)
    }
    defer { head += count }
    return Array(buffer[head..<head + count])
  }
}

/// The big-endian number at `offset`.
func wireNumber(_ packet: [UInt8], _ offset: Int, _ width: Int = 4) -> Int {
  packet[offset..<offset + width].reduce(0) { $0 << 8 | Int($1) }
}
