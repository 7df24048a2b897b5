/// How much of an instrument a client asked for.
enum TickerMode: UInt8, Sendable, CaseIterable {
  case ltp = 1
  case quote = 2
  case full = 3

  /// The word in a client's `mode` message.
  init?(word: String) {
    switch word {
    case "ltp": self = .ltp
    case "quote": self = .quote
    case "full": self = .full
    default: return nil
    }
  }

  /// Bytes of a packet in this mode.
  func packetLength(isTradable: Bool) -> Int {
    switch self {
    case .ltp: 8
    case .quote: isTradable ? 44 : 28
    case .full: isTradable ? 184 : 32
    }
  }
}
