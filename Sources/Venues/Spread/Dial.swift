internal import Foundation
internal import MarketData
internal import Synchronization

/// One attempt to open a connection, on a thread of its own.
///
/// Credentials, a login, the look-up of a name, TLS and the handshake take as long as a dead server lets them.
/// Meanwhile the connections that are open are read by the thread that owns the source.
final class Dial: Sendable {
  /// How far it is.
  enum Standing {
    case underWay
    case connected
    case failed
  }

  /// What it comes to.
  typealias Outcome = Result<WebSocketConnection, Fault>

  private struct State {
    var outcome: Handover?
    var isAbandoned = false
  }

  /// An outcome on its way from the thread that dialled to the one that goes on with it.
  private struct Handover: @unchecked Sendable {
    // @unchecked: the first thread lets go of it under the lock, before the second one can have it.
    let outcome: Outcome
  }

  private let state = Mutex(State())
  private static let pollMicroseconds: UInt32 = 1000
  private static let stackBytes = 1 << 20

  /// Begins at once.
  init(_ open: @escaping @Sendable () throws(Fault) -> WebSocketConnection) {
    let thread = Thread { [self] in
      let handover: Handover
      do throws(Fault) {
        handover = Handover(outcome: .success(try open()))
      } catch {
        handover = Handover(outcome: .failure(error))
      }
      let isAbandoned = state.withLock { state in
        if !state.isAbandoned { state.outcome = handover }
        return state.isAbandoned
      }
      // In good order: the venue counts its customer's connections.
      if isAbandoned, case .success(let connection) = handover.outcome { connection.close() }
    }
    thread.name = "tick-dial"
    thread.stackSize = Self.stackBytes
    thread.start()
  }

  var standing: Standing {
    state.withLock { state in
      switch state.outcome?.outcome {
      case nil: .underWay
      case .success: .connected
      case .failure: .failed
      }
    }
  }

  /// The outcome; nil while it is under way.
  var outcome: Outcome? { state.withLock { $0.outcome }?.outcome }

  /// Waits for the outcome, but not longer.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` once `shouldStop` says that nobody wants it any more.
  func wait(milliseconds: Int, until shouldStop: () -> Bool) throws(Fault) {
    let deadline = Deadline(afterMilliseconds: milliseconds)
    while standing == .underWay, !deadline.isPast { try pause(until: shouldStop) }
  }

  /// Waits for the outcome however long it takes; whoever stops waiting has abandoned it.
  ///
  /// - Throws: as ``wait(milliseconds:until:)``.
  func outcome(until shouldStop: () -> Bool) throws(Fault) -> Outcome {
    do throws(Fault) {
      while true {
        if let outcome { return outcome }
        try pause(until: shouldStop)
      }
    } catch {
      abandon()
      throw error
    }
  }

  private func pause(until shouldStop: () -> Bool) throws(Fault) {
    if shouldStop() { throw Fault(.unavailable, "the attempt to connect was given up") }
    usleep(Self.pollMicroseconds)
  }

  /// Nobody wants it any more: a connection that still comes is closed again.
  func abandon() {
    state.withLock { $0.isAbandoned = true }
  }
}
