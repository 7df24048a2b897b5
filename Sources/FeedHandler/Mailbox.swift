internal import Synchronization

/// Messages to a thread that looks for them between two rounds of its work.
///
/// Looking costs one atomic load while there is none: the lock is taken only to put a message in or out, so the
/// receive thread never waits for it on the path of a tick.
final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  private let isFilled = Atomic<Bool>(false)

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    isFilled.store(true, ordering: .releasing)
  }

  func take() -> [Message] {
    guard isFilled.load(ordering: .acquiring) else { return [] }
    return messages.withLock { waiting in
      isFilled.store(false, ordering: .relaxed)
      defer { waiting = [] }
      return waiting
    }
  }
}
