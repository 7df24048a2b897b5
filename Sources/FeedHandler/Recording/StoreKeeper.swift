internal import CandleStore
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization

/// Deletes what the configured retention no longer keeps: when the feed starts, and at each midnight of India's clocks,
/// when every market is closed.
///
/// On a thread of its own, some thousand candles a transaction: neither the recorder nor a reader waits for long. A store
/// that refuses is asked again an hour later.
final class StoreKeeper: Sendable {
  private let store: CandleStore
  private let retention: CandleRetention
  private let segment: FeedSegment
  private let clock: FeedClock
  private let logger: Logger
  private let isStopping = Atomic<Bool>(false)

  private static let pauseMicroseconds: UInt32 = 100_000
  private static let retryNanoseconds: Int64 = 3600 * Timestamp.nanosecondsPerSecond

  /// Nil when everything is kept for ever.
  init?(
    store: CandleStore, retention: CandleRetention, segment: FeedSegment, clock: FeedClock, logger: Logger
  ) {
    guard !retention.keepsEverything else { return nil }
    self.store = store
    self.retention = retention
    self.segment = segment
    self.clock = clock
    self.logger = logger
  }

  func stop() { isStopping.store(true, ordering: .releasing) }

  /// Runs until told to stop.
  func run() -> Fault? {
    var next = Timestamp(nanoseconds: .min)
    while !isStopping.load(ordering: .acquiring) {
      let now = clock.now()
      if now >= next {
        next = CivilTime(dayNumber: CivilTime(now).dayNumber + 1).timestamp()
        do throws(Fault) {
          let deleted = try store.prune(
            retention, now: now, shouldStop: { isStopping.load(ordering: .acquiring) })
          if deleted > 0 {
            segment.add(.pruned, UInt64(deleted))
            logger.info("deleted \(deleted) candles that are older than the store keeps them")
          }
        } catch {
          logger.warning("old candles are not deleted yet: \(error.message)")
          next = now + Self.retryNanoseconds
        }
      }
      usleep(Self.pauseMicroseconds)
    }
    return nil
  }
}
