import MarketData

extension AngelOneFrame {
  /// One JSON object with the keys of the vendor's Python client. Prices are exact decimals in rupees, times as on
  /// the wire, and only what the frame carries appears; a double that is no number becomes null.
  var json: String {
    var members = [
      "\"subscription_mode\":\(mode.rawValue)", "\"exchange_type\":\(exchange)",
      "\"token\":\(JSONText.quoted(token))",
    ]
    if let sequence { members.append("\"sequence_number\":\(sequence)") }
    members.append("\"exchange_timestamp\":\(exchangeTime)")
    if let lastPrice { members.append("\"last_traded_price\":\(lastPrice)") }
    if let name = mode.vendorName { members.append("\"subscription_mode_val\":\"\(name)\"") }
    if let quote { members += Self.members(of: quote) }
    if let snapQuote { members += Self.members(of: snapQuote) }
    if let depth {
      members.append("\"packet_received_time\":\(depth.packetTime)")
      members.append("\"depth_20_buy_data\":\(Self.json(of: depth.bids, ordersKey: "num_of_orders"))")
      members.append("\"depth_20_sell_data\":\(Self.json(of: depth.asks, ordersKey: "num_of_orders"))")
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func members(of quote: Quote) -> [String] {
    [
      "\"last_traded_quantity\":\(quote.lastQuantity)",
      "\"average_traded_price\":\(quote.averagePrice)",
      "\"volume_trade_for_the_day\":\(quote.dayVolume)",
      "\"total_buy_quantity\":\(number(quote.totalBuyQuantity))",
      "\"total_sell_quantity\":\(number(quote.totalSellQuantity))",
      "\"open_price_of_the_day\":\(quote.open)", "\"high_price_of_the_day\":\(quote.high)",
      "\"low_price_of_the_day\":\(quote.low)", "\"closed_price\":\(quote.close)",
    ]
  }

  /// Bids and asks are told apart by their flags, wherever they stand, as the vendor's Python client does: thin
  /// books and captures have them in any order.
  private static func members(of snap: SnapQuote) -> [String] {
    let bids = json(of: snap.levels.filter { $0.flag != 0 }, ordersKey: "no of orders")
    let asks = json(of: snap.levels.filter { $0.flag == 0 }, ordersKey: "no of orders")
    return [
      "\"last_traded_timestamp\":\(snap.lastTradeTime)", "\"open_interest\":\(snap.openInterest)",
      "\"open_interest_change_percentage\":\(number(snap.openInterestChangePercent))",
      "\"upper_circuit_limit\":\(snap.upperCircuit)", "\"lower_circuit_limit\":\(snap.lowerCircuit)",
      "\"52_week_high_price\":\(snap.yearHigh)", "\"52_week_low_price\":\(snap.yearLow)",
      "\"best_5_buy_data\":\(bids)", "\"best_5_sell_data\":\(asks)",
    ]
  }

  private static func json(of levels: [Level], ordersKey: String) -> String {
    let objects = levels.map { level in
      let flag = level.flag.map { "\"flag\":\($0)," } ?? ""
      let head = "{\(flag)\"quantity\":\(level.quantity),\"price\":\(level.price)"
      return head + ",\"\(ordersKey)\":\(level.orders)}"
    }
    return "[" + objects.joined(separator: ",") + "]"
  }

  private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
}
