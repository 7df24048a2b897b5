import MarketData

/// One trade as the file has it.
struct TickFileRow {
  var receiveTime: Timestamp
  var exchangeTime: Timestamp
  var symbol: ArraySlice<UInt8>
  var price: Price
  /// Quantity in units of 1e-9.
  var quantityNano: Int64
}

/// Finds the needed columns by the names in the file's first line, and reads rows; other columns are ignored.
struct TickFileColumns {
  private let positions: [Int]

  /// The columns that must be there, in the order of `positions`.
  static let names = ["receive_time_ns", "exchange_time_ns", "symbol", "price", "quantity"]

  /// Digits after the decimal point that a quantity may have.
  static let quantityDigits = 9

  /// Reads the header line.
  ///
  /// - Throws: ``Fault`` of kind `badData` when a column is missing.
  init(header: ArraySlice<UInt8>, path: String) throws(Fault) {
    let found = Self.fields(of: header).map { String(decoding: $0, as: UTF8.self) }
    var positions: [Int] = []
    for name in Self.names {
      guard let position = found.firstIndex(of: name) else {
        throw Fault(
          .badData,
          "\(path):1: column '\(name)' is missing; the first line must name \(Self.names.joined(separator: ", "))"
        )
      }
      positions.append(position)
    }
    self.positions = positions
  }

  /// Reads one trade.
  ///
  /// - Throws: ``Fault`` of kind `badData` that names file, line and column when a field is missing or unreadable.
  func row(_ line: ArraySlice<UInt8>, path: String, number: Int) throws(Fault) -> TickFileRow {
    let fields = Self.fields(of: line)
    for (name, position) in zip(Self.names, positions) where position >= fields.count {
      throw Fault(.badData, "\(path):\(number): the line ends before column '\(name)'")
    }
    func fault(_ column: Int, _ right: String) -> Fault {
      let text = String(decoding: fields[positions[column]], as: UTF8.self)
      return Fault(.badData, "\(path):\(number): \(Self.names[column]) '\(text)' is not \(right)")
    }
    func time(_ column: Int) throws(Fault) -> Timestamp {
      guard let value = Price.scaled(decimal: fields[positions[column]], fractionDigits: 0), value > 0,
        Timestamp(nanoseconds: value).seconds <= Int64(UInt32.max)
      else { throw fault(column, "a time in nanoseconds since 1970, before 2106") }
      return Timestamp(nanoseconds: value)
    }
    let symbol = fields[positions[2]]
    guard !symbol.isEmpty else { throw fault(2, "a symbol") }
    guard
      let price = Price.scaled(decimal: fields[positions[3]], fractionDigits: Price.fractionDigits), price > 0
    else { throw fault(3, "a price above 0 with at most \(Price.fractionDigits) decimals") }
    guard
      let quantity = Price.scaled(decimal: fields[positions[4]], fractionDigits: Self.quantityDigits),
      quantity > 0
    else { throw fault(4, "a quantity above 0 with at most \(Self.quantityDigits) decimals") }
    return TickFileRow(
      receiveTime: try time(0), exchangeTime: try time(1), symbol: symbol, price: Price(units: price),
      quantityNano: quantity)
  }

  private static func fields(of line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    return text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
  }
}
