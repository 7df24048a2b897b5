internal import Foundation
internal import MarketData

/// Reads a CSV file of ticks for `tickring candles build`.
///
/// Columns are found by their names in the header and may stand in any order; the file is taken in whole.
struct TickCSV {
  /// A tick as the file has it, before its symbol has a number.
  struct Row {
    var symbol: Substring
    var receiveTime: Timestamp
    var exchangeTime: Timestamp
    var lastTradeTime: Timestamp
    var price: Price
    /// Cumulative; nil for an index.
    var volume: Int64?
    var lastQuantity: UInt32
    var openInterest: UInt32
    var flags: TickFlags
  }

  /// The largest file that is read: some fifty million ticks.
  static let fileBytesMax = 4 << 30
  private static let required = [
    "receive_time_ns", "exchange_time_ns", "last_trade_time_ns", "symbol", "price", "volume",
  ]
  private static let optional = ["last_quantity", "open_interest", "flags"]

  private let name: String
  private let text: Data
  private var offset = 0
  private var line = 0
  private let columnCount: Int
  private let columns: [Int?]

  /// The file and the line of the row that was read last, for messages.
  var place: String { "\(name) line \(line)" }

  /// - Throws: ``Fault`` of kind `missingInput` or `badData`.
  init(path: String) throws(Fault) {
    name = path == "-" ? "standard input" : "'\(path)'"
    var isDirectory: ObjCBool = false
    if path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    {
      throw Fault(.missingInput, "the tick file \(name) cannot be read: it is a directory")
    }
    do {
      text =
        path == "-"
        ? FileHandle.standardInput.readDataToEndOfFile()
        : try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
    } catch {
      throw Fault(.missingInput, "the tick file \(name) cannot be read: \(error.localizedDescription)")
    }
    guard text.count <= Self.fileBytesMax else {
      throw Fault(.badData, "the tick file \(name) is larger than \(Self.fileBytesMax >> 30) GiB")
    }
    guard !text.isEmpty else {
      throw Fault(
        .badData,
        "the tick file \(name) is empty; a header is expected: \(Self.required.joined(separator: ","))")
    }
    var start = text.startIndex
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
    let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
    let header = String(decoding: text[start..<end], as: UTF8.self)
    let names = header.trimmingCharacters(in: .whitespacesAndNewlines).split(
      separator: ",", omittingEmptySubsequences: false
    ).map(String.init)
    let known = Self.required + Self.optional
    for column in names where !known.contains(column) {
      throw Fault(
        .badData,
        "\(name) line 1 names the unknown column '\(column)'; known are \(known.joined(separator: ","))")
    }
    for column in Self.required where !names.contains(column) {
      throw Fault(
        .badData,
        "\(name) line 1 lacks the column '\(column)'; needed are \(Self.required.joined(separator: ","))")
    }
    guard Set(names).count == names.count else {
      throw Fault(.badData, "\(name) line 1 names a column twice; each column stands once")
    }
    columnCount = names.count
    columns = known.map { names.firstIndex(of: $0) }
    offset = min(end + 1, text.endIndex)
    line = 1
  }

  /// The next row; nil at the end. Empty lines are skipped.
  ///
  /// - Throws: ``Fault`` of kind `badData` that names the line.
  mutating func next() throws(Fault) -> Row? {
    while offset < text.endIndex {
      let end = text[offset...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      var content = text[offset..<end]
      offset = min(end + 1, text.endIndex)
      line += 1
      if content.last == UInt8(ascii: "\r") { content.removeLast() }
      if content.isEmpty { continue }
      return try row(String(decoding: content, as: UTF8.self))
    }
    return nil
  }

  private func row(_ text: String) throws(Fault) -> Row {
    let fields = text.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == columnCount else {
      throw Fault(.badData, "\(place) has \(fields.count) values; the header names \(columnCount) columns")
    }
    func field(_ column: Int) -> Substring { columns[column].map { fields[$0] } ?? "" }
    let symbol = field(3)
    do throws(Fault) { _ = try Symbol(symbol) } catch { throw Fault(.badData, "\(place): \(error.message)") }
    guard let units = Price.scaled(decimal: field(4).utf8, fractionDigits: Price.fractionDigits) else {
      throw refusal("price", field(4), "a decimal of at most \(Price.fractionDigits) fraction digits")
    }
    let receiveTime = try time("receive_time_ns", field(0))
    guard receiveTime.isKnown else {
      throw refusal("receive_time_ns", field(0), "nanoseconds since 1970 UTC, which every tick needs,")
    }
    return Row(
      symbol: symbol, receiveTime: receiveTime,
      exchangeTime: try time("exchange_time_ns", field(1)),
      lastTradeTime: try time("last_trade_time_ns", field(2)), price: Price(units: units),
      volume: field(5).isEmpty ? nil : try count("volume", field(5), Int64.self),
      lastQuantity: try count("last_quantity", field(6), UInt32.self),
      openInterest: try count("open_interest", field(7), UInt32.self), flags: try flags(field(8)))
  }

  private func time(_ column: String, _ text: Substring) throws(Fault) -> Timestamp {
    if text.isEmpty { return .unknown }
    guard let nanoseconds = Int64(text), nanoseconds >= 0 else {
      throw refusal(column, text, "whole nanoseconds since 1970 UTC")
    }
    return Timestamp(nanoseconds: nanoseconds)
  }

  private func count<Value: FixedWidthInteger>(_ column: String, _ text: Substring, _: Value.Type)
    throws(Fault) -> Value
  {
    if text.isEmpty { return 0 }
    guard let value = Value(text), value >= 0 else {
      throw refusal(column, text, "a whole number from 0 to \(Value.max)")
    }
    return value
  }

  private func flags(_ text: Substring) throws(Fault) -> TickFlags {
    var flags = TickFlags()
    for word in text.split(whereSeparator: { $0 == "|" || $0 == " " }) {
      guard let known = TickFlags.names.first(where: { $0.name == word }) else {
        throw refusal(
          "flags", word, "one of \(TickFlags.names.map(\.name).joined(separator: ", "))")
      }
      flags.insert(known.flag)
    }
    return flags
  }

  private func refusal(_ column: String, _ text: Substring, _ expected: String) -> Fault {
    Fault(.badData, "\(place) has '\(text.prefix(60))' as \(column); \(expected) is expected")
  }
}
