import MarketData

extension KitePacket {
  /// One JSON object with the keys of the vendor's Python client, its derived `change` left out. Prices are exact
  /// decimals, times are Unix seconds, and only what the packet carries appears.
  var json: String {
    var members = [
      "\"tradable\":\(isTradable)", "\"mode\":\"\(mode.rawValue)\"", "\"instrument_token\":\(token)",
      "\"last_price\":\(lastPrice)",
    ]
    if let quote {
      members.append("\"last_traded_quantity\":\(quote.lastQuantity)")
      members.append("\"average_traded_price\":\(quote.averagePrice)")
      members.append("\"volume_traded\":\(quote.dayVolume)")
      members.append("\"total_buy_quantity\":\(quote.totalBuyQuantity)")
      members.append("\"total_sell_quantity\":\(quote.totalSellQuantity)")
    }
    if let day = dayPrices {
      members.append(
        "\"ohlc\":{\"open\":\(day.open),\"high\":\(day.high),\"low\":\(day.low),\"close\":\(day.close)}")
    }
    if let full {
      members.append("\"last_trade_time\":\(full.lastTradeTime)")
      members.append("\"oi\":\(full.openInterest)")
      members.append("\"oi_day_high\":\(full.openInterestDayHigh)")
      members.append("\"oi_day_low\":\(full.openInterestDayLow)")
    }
    if let exchangeTime { members.append("\"exchange_timestamp\":\(exchangeTime)") }
    if let full {
      members.append(
        "\"depth\":{\"buy\":[\(Self.json(of: full.bids))],\"sell\":[\(Self.json(of: full.asks))]}")
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func json(of entries: [DepthEntry]) -> String {
    entries.map { "{\"quantity\":\($0.quantity),\"price\":\($0.price),\"orders\":\($0.orders)}" }
      .joined(separator: ",")
  }
}
