import Foundation
import MarketData

/// A request for candles, as the body says it.
struct AngelOneCandleRequest: Decodable {
  let exchange: String
  let symboltoken: String
  let interval: String
  let fromdate: String
  let todate: String

  /// An interval of the endpoint.
  static func interval(_ word: String) -> KiteInterval? {
    switch word {
    case "ONE_MINUTE": KiteInterval(minutes: 1, daysMax: 30)
    case "THREE_MINUTE": KiteInterval(minutes: 3, daysMax: 60)
    case "FIVE_MINUTE": KiteInterval(minutes: 5, daysMax: 100)
    case "TEN_MINUTE": KiteInterval(minutes: 10, daysMax: 100)
    case "FIFTEEN_MINUTE": KiteInterval(minutes: 15, daysMax: 200)
    case "THIRTY_MINUTE": KiteInterval(minutes: 30, daysMax: 200)
    case "ONE_HOUR": KiteInterval(minutes: 60, daysMax: 400)
    case "ONE_DAY": KiteInterval(minutes: nil, daysMax: 2000)
    default: nil
    }
  }

  /// `yyyy-MM-dd HH:mm` on the exchange's clocks.
  static func time(_ text: String) -> Timestamp? {
    text.utf8.count == 16 ? Timestamp(rfc3339: text + ":00+05:30") : nil
  }
}

/// The JSON body of a successful request for candles; `data` is null when there is none.
struct AngelOneCandleAnswer {
  private(set) var bytes: [UInt8]

  init(rows: [HistoricalMaterial.Row], divisor: Int64) {
    bytes = []
    bytes.reserveCapacity(100 + rows.count * 80)
    bytes += #"{"status":true,"message":"SUCCESS","errorcode":"","data":"#.utf8
    bytes += rows.isEmpty ? "null".utf8 : "[".utf8
    for (position, row) in rows.enumerated() {
      if position > 0 { bytes.append(UInt8(ascii: ",")) }
      let civil = CivilTime(row.start)
      bytes += "[\"\(civil.dateText)T\(civil.timeText)+05:30\"".utf8
      for price in [row.candle.open, row.candle.high, row.candle.low, row.candle.close] {
        let text = Price(wire: price, divisor: divisor).description
        bytes += ",\(text)\(text.utf8.contains(UInt8(ascii: ".")) ? "" : ".0")".utf8
      }
      bytes += ",\(row.candle.volume)]".utf8
    }
    bytes += rows.isEmpty ? "}".utf8 : "]}".utf8
  }
}
