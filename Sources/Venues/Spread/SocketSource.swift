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

  /// What opens a connection, on any thread: credentials, login, TLS, handshake. It throws as
  /// ``TickSource/connect(until:)``.
  var dialler: @Sendable () throws(Fault) -> WebSocketConnection { get }

  /// Goes on with a connection that was opened, and restores the current subscriptions.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when it broke.
  func adopt(_ connection: WebSocketConnection) throws(Fault)
}

extension SocketSource {
  /// Connects and restores the current subscriptions; an older connection is ended first.
  ///
  /// - Throws: as ``TickSource/connect(until:)``, and what reading the credentials throws.
  public func connect(until shouldStop: () -> Bool) throws(Fault) {
    close()
    try adopt(try Dial(dialler).outcome(until: shouldStop).get())
  }
}
