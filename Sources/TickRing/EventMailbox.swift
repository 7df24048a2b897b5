internal import Dispatch
internal import MarketData
internal import Synchronization

/// One subscriber's buffer between the thread that reads the feed and the task that takes events: the lock and the
/// waiting around ``EventBuffer``.
final class EventMailbox: Sendable {
  private struct State {
    var buffer: EventBuffer
    var consumer: CheckedContinuation<MarketEvent?, Never>?
    var isProducerWaiting = false
    var isCancelled = false
  }

  let kinds: Set<EventKind>
  private let state: Mutex<State>
  private let room = DispatchSemaphore(value: 0)

  init(kinds: Set<EventKind>, capacity: Int, policy: FullBufferPolicy) {
    self.kinds = kinds
    state = Mutex(State(buffer: EventBuffer(capacity: capacity, policy: policy)))
  }

  /// Events dropped so far.
  var dropped: UInt64 { state.withLock { $0.buffer.dropped } }

  /// True when nothing waits and the subscriber does.
  var isIdle: Bool { state.withLock { $0.buffer.count == 0 && $0.consumer != nil } }

  /// True when the subscriber has gone.
  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Gives an event to the subscriber, waiting for room where that is its policy; from one thread.
  func offer(_ event: MarketEvent) {
    guard kinds.contains(where: { $0.includes(event) }) else { return }
    while true {
      let (isTaken, consumer): (Bool, CheckedContinuation<MarketEvent?, Never>?) = state.withLock { state in
        if let consumer = state.consumer {
          state.consumer = nil
          return (true, consumer)
        }
        let outcome = state.buffer.offer(event)
        state.isProducerWaiting = outcome == .suspend
        return (outcome != .suspend, nil)
      }
      consumer?.resume(returning: event)
      if isTaken { return }
      room.wait()
    }
  }

  /// No more events come.
  func finish() {
    let consumer = state.withLock { state in
      state.buffer.finish()
      defer { state.consumer = nil }
      return state.consumer
    }
    consumer?.resume(returning: nil)
  }

  /// The next event; nil at the end, and when the task is cancelled. `beforeWaiting` is called when there is none yet,
  /// after it is known to whoever offers that one is waited for.
  func next(beforeWaiting: () -> Void = {}) async -> MarketEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isAnswered, event, wakesProducer): (Bool, MarketEvent?, Bool) = state.withLock { state in
          let answer: EventBuffer.Answer = state.isCancelled ? .finished : state.buffer.next()
          let wakes = state.isProducerWaiting
          state.isProducerWaiting = false
          switch answer {
          case .event(let event): return (true, event, wakes)
          case .finished: return (true, nil, wakes)
          case .wait:
            precondition(state.consumer == nil, "one task takes the events of one subscription")
            state.consumer = continuation
            return (false, nil, wakes)
          }
        }
        if wakesProducer { room.signal() }
        if isAnswered { continuation.resume(returning: event) } else { beforeWaiting() }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The subscriber has gone: nobody waits for it any more.
  func cancel() {
    let (consumer, wakes) = state.withLock { state in
      state.isCancelled = true
      state.buffer.finish()
      let wakes = state.isProducerWaiting
      state.isProducerWaiting = false
      defer { state.consumer = nil }
      return (state.consumer, wakes)
    }
    consumer?.resume(returning: nil)
    if wakes { room.signal() }
  }
}

extension EventKind {
  /// True for an event of this kind.
  func includes(_ event: MarketEvent) -> Bool {
    switch (self, event) {
    case (.ticks, .tick), (.gaps, .gap), (.gaps, .repaired), (.halts, .halt), (.halts, .feedLost),
      (.halts, .feedReturned):
      true
    case (.candles(let interval), .candle(let candle)): candle.interval == interval
    default: false
    }
  }
}
