import FlyingFox
import Foundation
import MarketData
import Synchronization

/// The venue's state behind its lock.
final class VenueCore: Sendable {
  let vendor: SimulatedVenue.Vendor
  let state: Mutex<VenueState>
  /// What goes wrong.
  let faults: FaultBoard

  init(configuration: SimulatedVenue.Configuration, market: any SimulatedMarket) {
    vendor = configuration.vendor
    faults = FaultBoard(configuration.faults)
    state = Mutex(VenueState(configuration: configuration, market: market, faults: faults))
  }
}

/// Serves ticker clients over websockets.
struct TickerHandler: WSHandler {
  let core: VenueCore
  let drainTimeoutMilliseconds: Int
  let socket: RawSocket?

  func makeFrames(for client: AsyncThrowingStream<WSFrame, any Error>) async throws -> AsyncStream<WSFrame> {
    let signal = Signal()
    let id = core.state.withLock { $0.connect(signal: signal, now: .wallClock()) }
    guard let id else { return AsyncStream { $0.finish() } }
    let session = TickerSession(
      core: core, id: id, signal: signal, client: client, socket: socket,
      drainTimeoutMilliseconds: drainTimeoutMilliseconds)
    return AsyncStream { await session.nextFrame() }
  }
}

/// One ticker connection: a task that reads the client's messages, and the frames to be written.
///
/// The server asks for the next frame only when the one before was handed to the kernel completely. That is the
/// back-pressure, and what makes "sent" exact. The reading task never outlives the socket: it has ended before the
/// last frame is asked for, or is cancelled by `deinit` when a write failed and the server dropped the frames.
private final class TickerSession: Sendable {
  private let core: VenueCore
  private let id: Int
  private let signal: Signal
  private let reader: Task<Void, Never>
  private let drainTimeoutMilliseconds: Int
  private let socket: RawSocket?

  private static let noStatusCode: UInt16 = 1000
  private static let messageLengthMax = 1 << 20

  init(
    core: VenueCore, id: Int, signal: Signal, client: AsyncThrowingStream<WSFrame, any Error>,
    socket: RawSocket?, drainTimeoutMilliseconds: Int
  ) {
    self.socket = socket
    self.core = core
    self.id = id
    self.signal = signal
    self.drainTimeoutMilliseconds = drainTimeoutMilliseconds
    reader = Task { await Self.read(client, core: core, id: id) }
  }

  deinit {
    reader.cancel()
    core.state.withLock { $0.remove(id) }
  }

  /// The next frame to write; nil when the connection is to be dropped.
  func nextFrame() async -> WSFrame? {
    while !Task.isCancelled {
      switch core.state.withLock({ $0.nextStep(for: id, now: .wallClock()) }) {
      case .send(let outgoing):
        // While the client reads fast enough no write ever waits, and the task would never leave its thread.
        await Task.yield()
        return Self.frame(outgoing)
      case .wait: await signal.wait()
      case .cut(let bytes):
        socket?.cut(after: bytes)
        return await end()
      case .awaitClose:
        await awaitReader()
        return await end()
      case .end: return await end()
      }
    }
    return await end()
  }

  private func end() async -> WSFrame? {
    reader.cancel()
    await reader.value
    core.state.withLock { $0.remove(id) }
    return nil
  }

  /// Gives the client time to read up to the close frame and to answer it: to close at once would reset the
  /// transport and lose what is still on its way.
  private func awaitReader() async {
    let limit = Task { [reader, drainTimeoutMilliseconds] in
      try await Task.sleep(for: .milliseconds(drainTimeoutMilliseconds))
      reader.cancel()
    }
    await withTaskCancellationHandler {
      await reader.value
    } onCancel: {
      reader.cancel()
    }
    limit.cancel()
  }

  private static func read(_ client: AsyncThrowingStream<WSFrame, any Error>, core: VenueCore, id: Int) async
  {
    var message = Data()
    do {
      for try await frame in client {
        switch frame.opcode {
        case .ping: core.state.withLock { $0.ping([UInt8](frame.payload), from: id) }
        case .pong: continue
        case .close:
          let code =
            frame.payload.count >= 2 ? frame.payload.prefix(2).reduce(0) { $0 << 8 | UInt16($1) } : nil
          core.state.withLock { $0.clientClosed(id, code: code ?? noStatusCode) }
          return
        default:
          message += frame.payload
          guard frame.fin || message.count > messageLengthMax else { continue }
          handle(message, core: core, id: id)
          message = Data()
        }
      }
    } catch {
      // A broken transport and a client that is gone are the same to the venue.
    }
    core.state.withLock { $0.clientGone(id) }
  }

  private static func handle(_ message: Data, core: VenueCore, id: Int) {
    switch core.vendor {
    case .kite:
      let decoded = ClientMessage(json: message)
      core.state.withLock { $0.handle(decoded, from: id, now: .wallClock()) }
    case .angelone:
      let request = AngelOneRequest(text: message)
      core.state.withLock { $0.handle(request, from: id, now: .wallClock()) }
    }
  }

  private static func frame(_ outgoing: VenueState.Outgoing) -> WSFrame {
    switch outgoing {
    case .binary(let bytes): WSFrame(fin: true, opcode: .binary, mask: nil, payload: Data(bytes))
    case .text(let text): WSFrame(fin: true, opcode: .text, mask: nil, payload: Data(text.utf8))
    case .pong(let bytes): WSFrame(fin: true, opcode: .pong, mask: nil, payload: Data(bytes))
    case .close(let code): WSFrame.close(code: WSCloseCode(code))
    }
  }
}
