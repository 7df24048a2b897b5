import MarketData

/// What the stream is asked for: one mode for each token. Pure: two of them give the messages that lead from one to
/// the other.
struct AngelOneSubscription: Equatable {
  var modes: [AngelOneToken: FeedMode] = [:]

  /// Tokens in one message: some 3 KB of text.
  static let tokensPerMessageMax = 250
  /// At most ten letters and digits; the venue repeats it in its complaints.
  static let correlationID = "tickring"

  /// The messages that turn `old` into this: first what is dropped, so that the venue's limit is never passed in
  /// between.
  func messages(since old: AngelOneSubscription) -> [String] {
    let dropped = old.modes.filter { modes[$0.key] != $0.value }
    let added = modes.filter { old.modes[$0.key] != $0.value }
    return Self.messages(dropped, action: 0) + Self.messages(added, action: 1)
  }

  private static func messages(_ modes: [AngelOneToken: FeedMode], action: Int) -> [String] {
    FeedMode.allCases.flatMap { mode in
      let tokens = modes.filter { $0.value == mode }.keys.sorted()
      return stride(from: 0, to: tokens.count, by: tokensPerMessageMax).map { start in
        message(tokens[start..<min(start + tokensPerMessageMax, tokens.count)], mode: mode, action: action)
      }
    }
  }

  /// `tokens` are sorted, so that those of one exchange are neighbours.
  private static func message(_ tokens: ArraySlice<AngelOneToken>, mode: FeedMode, action: Int) -> String {
    var lists: [String] = []
    var rest = tokens
    while let first = rest.first {
      let group = rest.prefix { $0.exchange == first.exchange }
      let numbers = group.map { "\"\($0.number)\"" }.joined(separator: ",")
      lists.append("{\"exchangeType\":\(first.exchange),\"tokens\":[\(numbers)]}")
      rest = rest.dropFirst(group.count)
    }
    return "{\"correlationID\":\"\(correlationID)\",\"action\":\(action),\"params\":{\"mode\":"
      + "\(AngelOneLayout.Mode(mode).rawValue),"
      + "\"tokenList\":[\(lists.joined(separator: ","))]}}"
  }
}

extension AngelOneLayout.Mode {
  /// The vendor's mode that tells as much.
  init(_ mode: FeedMode) {
    self =
      switch mode {
      case .ltp: .lastPrice
      case .quote: .quote
      case .full: .snapQuote
      }
  }
}
