internal import CandleStore
internal import Foundation
internal import MarketData
internal import Synchronization

/// How far a load of history has come.
public struct HistoryProgress: Sendable, Hashable {
  /// Requests that are done, of those below.
  public var done = 0
  /// Requests in all.
  public var total = 0
  /// Candles stored so far.
  public var candles = 0

  /// Nothing done of nothing.
  public init() {}
}

/// Fetches from a source of candles into the store: the source's thread fetches and reads on while another stores, and
/// each part is stored with the note that it is known, so that whatever ends a load, the next goes on from there.
struct HistoryLoader: Sendable {
  let source: any CandleSource & Sendable
  let store: CandleStore

  /// What a load brought.
  struct Outcome {
    var progress = HistoryProgress()
    /// Requests that failed, and why; the rest is stored.
    var failures: [(request: CandleRequest, fault: Fault)] = []
    /// True when it was told to stop before the end.
    var isStopped = false
  }

  /// Candles that may wait for the storing thread; the source waits when there are more.
  private static let waitingMax = 400_000
  /// Candles of one transaction, unless a single part holds more.
  private static let candlesPerTransaction = 100_000

  /// Loads the candles of all requests.
  ///
  /// - Parameter progress: Told after each request, on the calling thread.
  /// - Throws: ``Fault`` of kind `refused` from the source, `unavailable` when it is out of order, and what the store
  ///   throws. What came before is stored.
  func load(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    progress: (HistoryProgress) -> Void
  ) throws(Fault) -> Outcome {
    var outcome = Outcome()
    outcome.progress.total = requests.count
    guard !requests.isEmpty else { return outcome }
    let writer = HistoryWriter(
      store: store, waitingMax: Self.waitingMax, candlesPerTransaction: Self.candlesPerTransaction)
    let thread = Thread { writer.run() }
    thread.name = "history-store"
    thread.start()
    // Parts of a request come in any order, and of unknown number: it is done when they fill its range.
    var left = requests.map { $0.to - $0.from }
    var fault: Fault?
    do throws(Fault) {
      try source.fetch(requests, urgency: urgency, until: { shouldStop() || writer.hasFailed }) {
        (delivery) throws(Fault) in
        switch delivery.outcome {
        case .success(let candles):
          writer.take(
            HistoryPart(
              instrument: delivery.part.instrument.id, interval: delivery.part.interval,
              range: delivery.part.from..<delivery.part.to, candles: candles))
          outcome.progress.candles += candles.count
        case .failure(let fault): outcome.failures.append((delivery.part, fault))
        }
        left[delivery.requestIndex] -= delivery.part.to - delivery.part.from
        if left[delivery.requestIndex] <= 0 { outcome.progress.done += 1 }
        progress(outcome.progress)
      }
    } catch { fault = error }
    // The store's trouble is the cause where both have failed.
    if let failure = writer.finish() { throw failure }
    if let fault { throw fault }
    outcome.isStopped = left.contains { $0 > 0 }
    return outcome
  }
}

/// The storing half of a load.
private final class HistoryWriter: @unchecked Sendable {
  // @unchecked: everything is under the condition's lock.

  private let store: CandleStore
  private let waitingMax: Int
  private let candlesPerTransaction: Int
  private let condition = NSCondition()
  private var waiting: [HistoryPart] = []
  private var waitingCandles = 0
  private var isEnding = false
  private var hasEnded = false
  private var fault: Fault?

  init(store: CandleStore, waitingMax: Int, candlesPerTransaction: Int) {
    self.store = store
    self.waitingMax = waitingMax
    self.candlesPerTransaction = candlesPerTransaction
  }

  var hasFailed: Bool { condition.withLock { fault != nil } }

  /// Hands a part over, once there is room.
  func take(_ part: HistoryPart) {
    condition.withLock {
      while waitingCandles > waitingMax, fault == nil { condition.wait() }
      waiting.append(part)
      waitingCandles += part.candles.count
      condition.broadcast()
    }
  }

  /// Waits until everything is stored; the fault that kept it from being so.
  func finish() -> Fault? {
    condition.withLock {
      isEnding = true
      condition.broadcast()
      while !hasEnded { condition.wait() }
      return fault
    }
  }

  func run() {
    while let parts = next() {
      do throws(Fault) {
        try store.storeHistory(parts)
      } catch {
        condition.withLock { fault = error }
      }
    }
    condition.withLock {
      hasEnded = true
      condition.broadcast()
    }
  }

  /// What is to be stored together; nil at the end.
  private func next() -> [HistoryPart]? {
    condition.withLock {
      while waiting.isEmpty, !isEnding, fault == nil { condition.wait() }
      guard fault == nil, !waiting.isEmpty else { return nil }
      var count = 0
      var candles = 0
      while count < waiting.count, candles < candlesPerTransaction {
        candles += waiting[count].candles.count
        count += 1
      }
      let parts = Array(waiting[..<count])
      waiting.removeFirst(count)
      waitingCandles -= candles
      condition.broadcast()
      return parts
    }
  }
}
