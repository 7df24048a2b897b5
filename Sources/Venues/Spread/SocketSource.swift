public import MarketData

/// What a source over a socket waits for.
public struct SocketInterest: Sendable {
  /// The socket, for `poll`.
  public var descriptor: Int32
  /// True while something waits to be sent.
  public var wantsToSend: Bool
}

/// A live source over one socket, which can wait for bytes together with others of its kind.
public protocol SocketSource: TickSource {
  /// What it waits for; nil without a connection.
  var socketInterest: SocketInterest? { get }
}
