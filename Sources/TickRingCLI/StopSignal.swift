internal import Dispatch
internal import Foundation
internal import Synchronization

/// Tells a running command to stop: SIGINT, SIGTERM or SIGHUP, or the end of standard input for a process that
/// must not outlive its parent. A second SIGINT ends it at once, whatever it waits for.
final class StopSignal: @unchecked Sendable {
  // @unchecked: the sources are made here and only kept; the flag is atomic.

  private let raised = Atomic<Bool>(false)
  private var sources: [any DispatchSourceSignal] = []

  private static let pollMilliseconds = 20

  /// Starts listening; a signal that comes after this has returned is not lost.
  ///
  /// - Parameters:
  ///   - withStandardInput: also stop when standard input ends, however the parent went.
  ///   - stopsOnHangUp: also stop on SIGHUP.
  init(withStandardInput: Bool = false, stopsOnHangUp: Bool = true) {
    let queue = DispatchQueue(label: "tickring.stop")
    sources = ([SIGINT, SIGTERM] + (stopsOnHangUp ? [SIGHUP] : [])).map { number in
      signalSource(number, on: queue) { [weak self] in
        signal(SIGINT, SIG_DFL)
        self?.raise()
      }
    }
    guard withStandardInput else { return }
    Thread.detachNewThread { [weak self] in
      var byte: UInt8 = 0
      while read(STDIN_FILENO, &byte, 1) > 0 {}
      self?.raise()
    }
  }

  var isRaised: Bool { raised.load(ordering: .relaxed) }

  func raise() { raised.store(true, ordering: .relaxed) }

  /// Returns once the signal is raised or `condition` holds.
  func wait(or condition: () -> Bool = { false }) async {
    while !isRaised, !condition() {
      try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
    }
  }
}

/// Counts the SIGHUPs that ask for the configuration to be read again.
final class ReloadSignal: @unchecked Sendable {
  // @unchecked: the source is made here and only kept; the flag is atomic.

  private let raised = Atomic<Bool>(false)
  private var source: (any DispatchSourceSignal)?

  /// Starts listening; a signal that comes after this has returned is not lost.
  init() {
    source = signalSource(SIGHUP, on: DispatchQueue(label: "tickring.reload")) { [weak self] in
      self?.raised.store(true, ordering: .relaxed)
    }
  }

  /// True once for the signals since the last call.
  func take() -> Bool { raised.exchange(false, ordering: .relaxed) }
}

/// Listens for a signal, and returns when it does. Until then the signal does what it does by default: were it ignored
/// meanwhile, one that came then would be lost, and a command that was told to stop would go on for ever.
private func signalSource(
  _ number: Int32, on queue: DispatchQueue, _ handler: @escaping @Sendable () -> Void
) -> any DispatchSourceSignal {
  let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
  let isListening = DispatchSemaphore(value: 0)
  source.setRegistrationHandler { isListening.signal() }
  source.setEventHandler(handler: handler)
  source.resume()
  isListening.wait()
  return source
}
