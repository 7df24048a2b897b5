internal import Foundation
internal import MarketData
internal import Synchronization

/// A thread that works until it returns, and the fault with which it did.
final class WorkThread: @unchecked Sendable {
  // @unchecked: the thread object is started once; the outcome is under a lock.

  private let outcome = Mutex<(hasEnded: Bool, fault: Fault?)>((false, nil))
  private let work: @Sendable () -> Fault?
  private let name: String
  private static let pollMilliseconds = 2
  private static let stackBytes = 1 << 20

  init(name: String, work: @escaping @Sendable () -> Fault?) {
    self.name = name
    self.work = work
  }

  func start() {
    let thread = Thread { [self] in
      let fault = work()
      outcome.withLock { $0 = (true, fault) }
    }
    thread.name = name
    thread.stackSize = Self.stackBytes
    thread.start()
  }

  var hasEnded: Bool { outcome.withLock { $0.hasEnded } }

  var fault: Fault? { outcome.withLock { $0.fault } }

  func waitForEnd() async {
    while !hasEnded { try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds)) }
  }

  /// Waits for the end, but not longer.
  func waitForEnd(millisecondsMax: Int) async {
    let deadline = ContinuousClock.now + .milliseconds(millisecondsMax)
    while !hasEnded, ContinuousClock.now < deadline {
      try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
    }
  }
}
