import FlyingSocks
import Foundation
import Glibc
import Synchronization

/// Tells the server's sockets when they are ready, by poll(2) on a thread of its own.
///
/// FlyingSocks' own pool registers descriptors with epoll and keeps its registrations by number. When a client
/// vanishes while its connection is being written to, the number can come back for the next connection before the
/// old registration is gone, and the new connection then waits for ever (seen once in 300 aborted connections).
/// Here nothing outlives one poll call. The poller also switches off Nagle's algorithm, which would hold small
/// frames back for up to 40 ms: connections inherit the option from the listening socket.
final class SocketPoller: AsyncSocketPool {
  private struct Waiter {
    let descriptor: Int32
    let events: Int16
    let continuation: CheckedContinuation<Void, any Error>
  }

  private enum Life {
    case idle
    case running(wakeDescriptor: Int32)
    case stopped
  }

  private struct State {
    var life = Life.idle
    var nextID: UInt64 = 0
    var waiters: [UInt64: Waiter] = [:]
    var cancelled: Set<UInt64> = []

    /// Makes the thread look at the waiters anew.
    func wake() {
      guard case .running(let descriptor) = life else { return }
      _ = Glibc.write(descriptor, [1], 1)
    }
  }

  private let state = Mutex(State())
  private let ended = Signal()

  /// Nothing to prepare.
  func prepare() async throws {}

  /// Serves waiting sockets until the task is cancelled.
  func run() async throws {
    var pipeEnds: [Int32] = [-1, -1]
    guard pipe(&pipeEnds) == 0 else { throw SocketError.makeFailed("Pipe") }
    for end in pipeEnds { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    let (readEnd, writeEnd) = (pipeEnds[0], pipeEnds[1])
    state.withLock { $0.life = .running(wakeDescriptor: writeEnd) }
    Thread.detachNewThread { [self] in
      while pollOnce(wakeDescriptor: readEnd) {}
      Glibc.close(readEnd)
      ended.raise()
    }
    await withTaskCancellationHandler {
      await ended.wait()
    } onCancel: {
      stop()
    }
    Glibc.close(writeEnd)
    throw CancellationError()
  }

  /// Returns when the socket is ready.
  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    if events.contains(.read) {
      try? socket.setValue(true, for: BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY))
    }
    var wanted: Int16 = 0
    if events.contains(.read) { wanted |= Int16(POLLIN) }
    if events.contains(.write) { wanted |= Int16(POLLOUT) }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isRefused = state.withLock { state in
          let isCancelled = state.cancelled.remove(id) != nil
          if case .stopped = state.life { return true }
          if isCancelled { return true }
          state.waiters[id] = Waiter(
            descriptor: socket.file.rawValue, events: wanted, continuation: continuation)
          state.wake()
          return false
        }
        if isRefused { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      cancel(id)
    }
    // A cancellation that came after the wake-up left its mark behind.
    state.withLock { _ = $0.cancelled.remove(id) }
  }

  private func cancel(_ id: UInt64) {
    let waiter = state.withLock { state in
      guard let waiter = state.waiters.removeValue(forKey: id) else {
        state.cancelled.insert(id)
        return nil as Waiter?
      }
      state.wake()
      return waiter
    }
    waiter?.continuation.resume(throwing: CancellationError())
  }

  private func stop() {
    let waiters = state.withLock { state in
      state.wake()
      state.life = .stopped
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
  }

  /// Waits for one event or a wake-up, and resumes who is ready; false when the poller has stopped.
  private func pollOnce(wakeDescriptor: Int32) -> Bool {
    let snapshot = state.withLock { state in
      if case .stopped = state.life { return nil as [(id: UInt64, waiter: Waiter)]? }
      return state.waiters.map { ($0, $1) }
    }
    guard let snapshot else { return false }
    var entries = [pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    entries += snapshot.map { pollfd(fd: $0.waiter.descriptor, events: $0.waiter.events, revents: 0) }
    guard Glibc.poll(&entries, nfds_t(entries.count), -1) > 0 else { return true }
    if entries[0].revents != 0 {
      var scratch = [UInt8](repeating: 0, count: 256)
      while Glibc.read(wakeDescriptor, &scratch, scratch.count) == scratch.count {}
    }
    for (entry, (id, _)) in zip(entries.dropFirst(), snapshot) where entry.revents != 0 {
      let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
      waiter?.continuation.resume()
    }
    return true
  }
}
