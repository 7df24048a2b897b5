import MarketData

/// The JSON body of a successful request for candles.
struct HistoricalAnswer {
  private(set) var bytes: [UInt8]

  /// Writes `[timestamp, open, high, low, close, volume(, oi)]` for each row; prices are exact decimals, and whole
  /// ones lack a fraction.
  init(rows: [HistoricalMaterial.Row], divisor: Int64, withOpenInterest: Bool) {
    bytes = []
    bytes.reserveCapacity(64 + rows.count * 80)
    bytes += #"{"status":"success","data":{"candles":["#.utf8
    var isFirst = true
    for row in rows {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      append(row.start)
      for price in [row.candle.open, row.candle.high, row.candle.low, row.candle.close] {
        bytes.append(UInt8(ascii: ","))
        bytes += Price(wire: price, divisor: divisor).description.utf8
      }
      bytes.append(UInt8(ascii: ","))
      bytes += String(row.candle.volume).utf8
      if withOpenInterest {
        bytes.append(UInt8(ascii: ","))
        bytes += String(row.candle.openInterest).utf8
      }
      bytes.append(UInt8(ascii: "]"))
    }
    bytes += "]}}".utf8
  }

  /// `["2017-12-15T09:15:00+0530"`: the offset has no colon.
  private mutating func append(_ time: Timestamp) {
    let civil = CivilTime(time)
    bytes += "[\"".utf8
    bytes += civil.dateText.utf8
    bytes.append(UInt8(ascii: "T"))
    bytes += civil.timeText.utf8
    bytes += "+0530\"".utf8
  }
}
