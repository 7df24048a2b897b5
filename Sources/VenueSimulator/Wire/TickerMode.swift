/// How much of an instrument a client asked for.
enum TickerMode: UInt8, Sendable, CaseIterable {
  case ltp = 1
  case quote = 2
  case full = 3
  /// Twenty levels of the order book, which only Angel One has.
  case depth = 4

  /// The word in a client's `mode` message.
  init?(word: String) {
    switch word {
    case "ltp": self = .ltp
    case "quote": self = .quote
    case "full": self = .full
    default: return nil
    }
  }

  /// Bytes of one of Kite's packets in this mode.
  func packetLength(isTradable: Bool) -> Int {
    switch self {
    case .ltp: 8
    case .quote: isTradable ? 44 : 28
    case .full, .depth: isTradable ? 184 : 32
    }
  }
}

/// The modes in which a client asked for an instrument: at most one with Kite, any with Angel One.
struct TickerModes: Sendable, Hashable {
  private var bits: UInt8 = 0

  init() {}

  init(_ mode: TickerMode) { insert(mode) }

  var isEmpty: Bool { bits == 0 }
  /// All of them, those that tell less first.
  var all: [TickerMode] { TickerMode.allCases.filter(contains) }
  /// The one that tells most.
  var highest: TickerMode? { TickerMode.allCases.last(where: contains) }

  func contains(_ mode: TickerMode) -> Bool { bits & 1 << mode.rawValue != 0 }
  mutating func insert(_ mode: TickerMode) { bits |= 1 << mode.rawValue }
  mutating func remove(_ mode: TickerMode) { bits &= ~(1 << mode.rawValue) }
}
