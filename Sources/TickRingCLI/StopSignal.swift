internal import Dispatch
internal import Foundation
internal import Synchronization

/// Tells a running command to stop: SIGINT, SIGTERM or SIGHUP, or the end of standard input for a process that
/// must not outlive its parent. A second SIGINT ends it at once, whatever it waits for.
final class StopSignal: @unchecked Sendable {
  // @unchecked: the sources are made here and only kept; the flag is atomic.

  private let raised = Atomic<Bool>(false)
  private let sources: [any DispatchSourceSignal]

  private static let pollMilliseconds = 20

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - withStandardInput: also stop when standard input ends, however the parent went.
  ///   - stopsOnHangUp: also stop on SIGHUP.
  init(withStandardInput: Bool = false, stopsOnHangUp: Bool = true) {
    let queue = DispatchQueue(label: "tickring.stop")
    sources = ([SIGINT, SIGTERM] + (stopsOnHangUp ? [SIGHUP] : [])).map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for source in sources {
      source.setEventHandler { [weak self] in
        signal(SIGINT, SIG_DFL)
        self?.raise()
      }
      source.resume()
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
  private let source: any DispatchSourceSignal

  /// Starts listening.
  init() {
    signal(SIGHUP, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "tickring.reload"))
    source.setEventHandler { [weak self] in self?.raised.store(true, ordering: .relaxed) }
    source.resume()
  }

  /// True once for the signals since the last call.
  func take() -> Bool { raised.exchange(false, ordering: .relaxed) }
}
