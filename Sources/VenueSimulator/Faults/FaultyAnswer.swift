import FlyingFox
import FlyingSocks
import Foundation

/// What the venue's faults make of an HTTP answer.
struct FaultyAnswer {
  let effects: FaultEffects

  private static let page = "<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>\n"

  /// The answer to `response` as the client will get it; upgrades are left alone.
  func spoilt(_ response: HTTPResponse) async throws -> HTTPResponse {
    guard case .httpBody = response.payload else { return response }
    var response = response
    if effects.hasWrongContentType {
      response = HTTPResponse(
        statusCode: .ok, headers: [.contentType: "text/html; charset=utf-8"], body: Data(Self.page.utf8))
    }
    guard let milliseconds = effects.slowBodyMilliseconds else { return response }
    let body = try await response.bodyData
    return HTTPResponse(
      statusCode: response.statusCode, headers: response.headers,
      body: HTTPBodySequence(
        from: SlowBytes(body, milliseconds: milliseconds), count: body.count,
        suggestedBufferSize: Swift.max(4096, body.count / SlowBytes.pieces + 1)))
  }
}

/// Bytes that come in pieces, evenly over a stretch of time.
struct SlowBytes: AsyncBufferedSequence {
  typealias Element = UInt8

  private let bytes: Data
  private let milliseconds: Int
  static let pieces = 10

  init(_ bytes: Data, milliseconds: Int) {
    self.bytes = bytes
    self.milliseconds = milliseconds
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(
      rest: bytes[...], pieceBytes: Swift.max(1, (bytes.count + Self.pieces - 1) / Self.pieces),
      pauseMilliseconds: milliseconds / Self.pieces)
  }

  struct Iterator: AsyncBufferedIteratorProtocol {
    fileprivate var rest: Data
    fileprivate let pieceBytes: Int
    fileprivate let pauseMilliseconds: Int

    mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
      guard !rest.isEmpty else { return nil }
      try await Task.sleep(for: .milliseconds(pauseMilliseconds))
      let piece = rest.prefix(Swift.max(1, Swift.min(pieceBytes, count)))
      rest = rest.dropFirst(piece.count)
      return [UInt8](piece)
    }
  }
}
