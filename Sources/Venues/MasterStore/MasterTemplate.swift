public import MarketData

/// A text with placeholders for what a request is about, and for words of the environment.
///
/// | placeholder | stands for |
/// |---|---|
/// | `{exchange}`, `{symbol}` | the two halves of `NSE:INFY` |
/// | `{token}` | what the live venue calls the instrument |
/// | `{interval}` | the store's word for the interval |
/// | `{from}`, `{to}` | the range's first instant and its end, which is no longer part of it, in Unix seconds |
/// | `{from_ms}`, `{to_ms}` | the same in milliseconds |
/// | `{from_date}`, `{to_date}` | the first and the last day, `2026-11-23` |
/// | `{from_time}`, `{to_time}` | the first instant and the last second, `2026-11-23T09:15:00+05:30` |
/// | `${NAME}` | the environment variable, for secrets |
public struct MasterTemplate: Sendable {
  private enum Piece {
    case text(String)
    case placeholder(String)
  }

  private static let placeholders = [
    "exchange", "symbol", "token", "interval", "from", "to", "from_ms", "to_ms", "from_date", "to_date",
    "from_time",
    "to_time",
  ]

  private let pieces: [Piece]
  /// What of the environment is in it, which must not be shown.
  let secrets: [String]

  /// Takes a template apart, and the environment's words in.
  ///
  /// - Throws: ``Fault`` of kind `configuration` for a placeholder that there is not, a brace that is not closed, or a
  ///   variable that is not set.
  public init(_ text: String, environment: [String: String]) throws(Fault) {
    var pieces: [Piece] = []
    var secrets: [String] = []
    var rest = text[...]
    while let brace = rest.firstIndex(of: "{") {
      let isVariable = rest[..<brace].last == "$"
      pieces.append(.text(String(isVariable ? rest[..<brace].dropLast() : rest[..<brace])))
      rest = rest[rest.index(after: brace)...]
      guard let end = rest.firstIndex(of: "}") else {
        throw Fault(.configuration, "'\(text)' holds a { without its }")
      }
      let name = String(rest[..<end])
      rest = rest[rest.index(after: end)...]
      if isVariable {
        guard let value = environment[name], !value.isEmpty else {
          throw Fault(.configuration, "'\(text)' needs the environment variable \(name), which is not set")
        }
        guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
          throw Fault(
            .configuration, "the environment variable \(name) holds characters beyond visible ASCII")
        }
        secrets.append(value)
        pieces.append(.text(value))
      } else {
        guard Self.placeholders.contains(name) else {
          throw Fault(
            .configuration,
            "'\(text)' holds the placeholder {\(name)}; known are \(Self.placeholders.joined(separator: ", ")), and "
              + "${NAME} for the environment variable NAME")
        }
        pieces.append(.placeholder(name))
      }
    }
    pieces.append(.text(String(rest)))
    self.pieces = pieces
    self.secrets = secrets
  }

  /// The text for a request; `encode` is applied to what takes the place of placeholders.
  func text(for part: CandleRequest, interval: String, encode: (String) -> String) -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .placeholder(let name): encode(Self.value(of: name, part, interval))
      }
    }.joined()
  }

  private static func value(of name: String, _ part: CandleRequest, _ interval: String) -> String {
    let symbol = part.instrument.symbol
    // The second in which the range ends is no longer part of it.
    let last = Timestamp(seconds: (part.to + -1).seconds)
    return switch name {
    case "exchange": String(symbol.exchange)
    case "symbol": String(symbol.text.dropFirst(symbol.exchange.utf8.count + 1))
    case "token": part.instrument.venueToken
    case "interval": interval
    case "from": "\(part.from.seconds)"
    case "to": "\(part.to.seconds)"
    case "from_ms": "\(part.from.seconds * 1000)"
    case "to_ms": "\(part.to.seconds * 1000)"
    case "from_date": CivilTime(part.from).dateText
    case "to_date": CivilTime(last).dateText
    case "from_time": part.from.rfc3339
    default: last.rfc3339
    }
  }
}
