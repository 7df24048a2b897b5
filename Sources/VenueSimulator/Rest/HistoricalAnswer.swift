import MarketData

/// The JSON body of a successful request for candles.
struct HistoricalAnswer {
  private(set) var bytes: [UInt8]
  /// Rows of one day follow each other, so the calendar is asked once a day.
  private var dayStart = Timestamp(nanoseconds: .min)
  private var dayEnd = Timestamp(nanoseconds: .min)
  private var dayText: [UInt8] = []

  private static let rowBytes = 80

  /// Writes `[timestamp, open, high, low, close, volume(, oi)]` for each row; prices are exact decimals, and whole
  /// ones lack a fraction.
  init(rows: [HistoricalMaterial.Row], divisor: Int64, withOpenInterest: Bool) {
    bytes = []
    bytes.reserveCapacity(64 + rows.count * Self.rowBytes)
    bytes += #"{"status":"success","data":{"candles":["#.utf8
    var isFirst = true
    for row in rows {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      append(row.start)
      append(price: row.candle.open, divisor)
      append(price: row.candle.high, divisor)
      append(price: row.candle.low, divisor)
      append(price: row.candle.close, divisor)
      bytes.append(UInt8(ascii: ","))
      append(number: Int64(row.candle.volume))
      if withOpenInterest {
        bytes.append(UInt8(ascii: ","))
        append(number: Int64(row.candle.openInterest))
      }
      bytes.append(UInt8(ascii: "]"))
    }
    bytes += "]}}".utf8
  }

  /// `["2017-12-15T09:15:00+0530"`: the offset has no colon.
  private mutating func append(_ time: Timestamp) {
    if time < dayStart || time >= dayEnd {
      let civil = CivilTime(time)
      dayStart = CivilTime(dayNumber: civil.dayNumber).timestamp()
      dayEnd = dayStart + Interval.day.nanoseconds
      dayText = Array("[\"\(civil.dateText)T".utf8)
    }
    bytes += dayText
    let second = Int((time - dayStart) / Timestamp.nanosecondsPerSecond)
    append(twoDigits: second / 3600)
    bytes.append(UInt8(ascii: ":"))
    append(twoDigits: second / 60 % 60)
    bytes.append(UInt8(ascii: ":"))
    append(twoDigits: second % 60)
    bytes += "+0530\"".utf8
  }

  private mutating func append(twoDigits number: Int) {
    bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
    bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }

  /// A wire price as a decimal without needless zeros; `divisor` is a power of ten.
  private mutating func append(price: Int32, _ divisor: Int64) {
    bytes.append(UInt8(ascii: ","))
    var magnitude = Int64(price)
    if magnitude < 0 {
      bytes.append(UInt8(ascii: "-"))
      magnitude = -magnitude
    }
    append(number: magnitude / divisor)
    var fraction = magnitude % divisor
    guard fraction > 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var place = divisor / 10
    while fraction > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / place))
      fraction %= place
      place /= 10
    }
  }

  private mutating func append(number: Int64) {
    var place: Int64 = 1
    while number / place >= 10 { place *= 10 }
    while place > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / place % 10))
      place /= 10
    }
  }
}
