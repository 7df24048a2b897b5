import Foundation
import MarketData
import Synchronization

@testable import Venues

/// Whole answers of an HTTP server, from the status line on, over a real socket and through libcurl.
struct HTTPAnswers: FuzzTarget {
  static let name = "http-answers"
  private static let bodyBytesMax = 8192
  private let server = AnswerServer()

  init() {}

  static func seeds() -> [[UInt8]] {
    let texts = [
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[12]",
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Wed, 25 Nov 2026 09:15:00 GMT\r\n\r\nlater",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HTTP/20444444444444444444444444\r\n\r\n[]",
      "HTTP/1.0 302 Found\r\nLocation: http://localhost/\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\r\n<p>",
    ]
    // "TickRing", compressed.
    let gzip: [UInt8] = [
      0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0x0B, 0xC9, 0x4C, 0xCE, 0x0E, 0xCA, 0xCC, 0x4B,
      7, 0, 0x9F, 0x95, 0x48, 0xC4, 8, 0, 0, 0,
    ]
    let header = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    return texts.map { Array($0.utf8) } + [Array(header.utf8) + gzip]
  }

  mutating func read(_ input: [UInt8]) {
    server.answer.withLock { $0 = input }
    var request = HTTPRequest(.get, "http://localhost/")
    request.unixSocketPath = server.path
    request.responseBodyBytesMax = Self.bodyBytesMax
    request.timeoutMilliseconds = 5_000
    do throws(Fault) {
      // A client each: a connection that is about to end must not serve the next input.
      let response = try HTTPClient().send(request)
      precondition(
        HTTPResponse.statuses.contains(response.status) && response.body.count <= Self.bodyBytesMax)
      precondition((response.retryAfterSeconds ?? 1) > 0)
      if let last = response.body.last { seededBug(last) }
    } catch {
      checkSentence(error.message)
    }
  }
}

/// Takes one connection after the other on a Unix-domain socket, waits for the end of a request's header, answers with
/// the bytes that it was given, and hangs up.
private final class AnswerServer: Sendable {
  let path = answerSocketPath
  let answer = Mutex<[UInt8]>([])

  init() {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    unlink(path)
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard isBound, listen(listener, 8) == 0 else { fatalError("cannot listen at \(path): errno \(errno)") }
    atexit { unlink(answerSocketPath) }
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { continue }
        var request: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1024)
        while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
          let count = recv(connection, &chunk, chunk.count, 0)
          guard count > 0 else { break }
          request += chunk[..<count]
        }
        let answer = answer.withLock { $0 }
        _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
        close(connection)
      }
    }
  }
}

private let answerSocketPath = NSTemporaryDirectory() + "/tickring-fuzz-\(getpid()).sock"
