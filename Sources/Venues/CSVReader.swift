import MarketData

/// Reads comma-separated records after RFC 4180: quoted fields may hold commas, line ends and doubled quotes.
struct CSVReader {
  private let bytes: [UInt8]
  private var index = 0
  /// The line on which the last record began, from 1.
  private(set) var line = 0
  private var nextLine = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The next record's fields; nil at the end. Empty lines are skipped.
  ///
  /// - Throws: `Fault` of kind `badData` naming the line, for quotes that do not match.
  mutating func next() throws(Fault) -> [String]? {
    while takeLineEnd() {}
    guard index < bytes.count else { return nil }
    line = nextLine
    var fields: [String] = []
    while true {
      fields.append(try field())
      if index < bytes.count, bytes[index] == UInt8(ascii: ",") {
        index += 1
      } else {
        _ = takeLineEnd()
        return fields
      }
    }
  }

  private mutating func takeLineEnd() -> Bool {
    let start = index
    if index < bytes.count, bytes[index] == 0x0D { index += 1 }
    if index < bytes.count, bytes[index] == 0x0A { index += 1 }
    guard index > start else { return false }
    nextLine += 1
    return true
  }

  private mutating func field() throws(Fault) -> String {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
      let start = index
      while index < bytes.count, !Self.endsField(bytes[index]) {
        guard bytes[index] != UInt8(ascii: "\"") else {
          throw Fault(.badData, "line \(nextLine): a quote in the middle of a field that is not quoted")
        }
        index += 1
      }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }
    return try quotedField()
  }

  private mutating func quotedField() throws(Fault) -> String {
    index += 1
    var content: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == 0x0A { nextLine += 1 }
      guard byte == UInt8(ascii: "\"") else {
        content.append(byte)
        continue
      }
      if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
        content.append(byte)
        index += 1
      } else if index == bytes.count || Self.endsField(bytes[index]) {
        return String(decoding: content, as: UTF8.self)
      } else {
        throw Fault(.badData, "line \(nextLine): text after the closing quote of a field")
      }
    }
    throw Fault(.badData, "line \(line): a quoted field that never ends")
  }

  private static func endsField(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
  }
}
