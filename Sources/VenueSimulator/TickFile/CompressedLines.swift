import CZlib
import Glibc
import MarketData

/// Reads a text file line by line, be it plain or compressed with gzip: zlib tells the two apart.
enum CompressedLines {
  private static let chunkLength = 1 << 20
  /// A longer line is taken for a file that is not a table of trades.
  static let lineLengthMax = 4096

  /// Calls `body` with each line, without its line end, and its number from 1.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when the file cannot be opened, `badData` when it is damaged or a
  ///   line too long, and what `body` throws.
  static func forEach(
    inFile path: String, _ body: (_ line: ArraySlice<UInt8>, _ number: Int) throws(Fault) -> Void
  ) throws(Fault) {
    guard let file = gzopen(path, "rb") else {
      throw Fault(.missingInput, "cannot open tick file '\(path)': \(String(cString: strerror(errno)))")
    }
    defer { gzclose(file) }
    var chunk = [UInt8](repeating: 0, count: chunkLength)
    var pending: [UInt8] = []
    var number = 0
    while true {
      let count = Int(gzread(file, &chunk, UInt32(chunkLength)))
      var code: Int32 = 0
      let reason = gzerror(file, &code)
      // A truncated gzip file yields what it holds and reports Z_BUF_ERROR only beside it.
      if count < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR {
        throw Fault(
          .badData,
          "tick file '\(path)' is damaged after line \(number): "
            + (reason.map { String(cString: $0) } ?? "it cannot be read"))
      }
      if count == 0 { break }
      var lineStart = 0
      while let end = chunk[lineStart..<count].firstIndex(of: UInt8(ascii: "\n")) {
        number += 1
        if pending.isEmpty {
          try body(chunk[lineStart..<end], number)
        } else {
          pending += chunk[lineStart..<end]
          try body(pending[...], number)
          pending.removeAll(keepingCapacity: true)
        }
        lineStart = end + 1
      }
      pending += chunk[lineStart..<count]
      guard pending.count <= lineLengthMax else {
        throw Fault(.badData, "\(path):\(number + 1): the line is longer than \(lineLengthMax) bytes")
      }
    }
    if !pending.isEmpty { try body(pending[...], number + 1) }
  }
}
