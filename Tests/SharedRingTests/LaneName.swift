import Glibc
import MarketData
import SharedRing
import Synchronization
import Testing

/// A lane name that no other test uses, and hands that do what a well-behaved program would not.
struct LaneName {
  private static let counter = Atomic<Int>(0)
  let feed: String
  let lane = "lane"

  init() {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    feed = "test-\(getpid())-\(number)"
  }

  func writer(capacity: Int, owner: String = "") throws(Fault) -> LaneWriter {
    try LaneWriter(feed: feed, lane: lane, capacity: capacity, owner: owner)
  }

  func reader() throws(Fault) -> LaneReader { try LaneReader(feed: feed, lane: lane) }

  var object: String { SegmentNames.lane(lane, of: feed) }

  func unlink() { shm_unlink(object) }

  func createRaw(byteCount: Int) throws {
    let descriptor = shm_open(object, O_RDWR | O_CREAT, 0o600)
    try #require(descriptor >= 0)
    try #require(ftruncate(descriptor, byteCount) == 0)
    close(descriptor)
  }

  /// Writes one word into the object behind the library's back.
  func forge(offset: Int, value: UInt64) throws {
    let descriptor = shm_open(object, O_RDWR, 0o600)
    try #require(descriptor >= 0)
    var word = value
    try #require(pwrite(descriptor, &word, 8, off_t(offset)) == 8)
    close(descriptor)
  }

  func forgeReleased(_ value: UInt64) throws { try forge(offset: 8192, value: value) }
}

/// The fault that `body` throws; nil when it throws none.
func fault(_ body: () throws -> Void) -> Fault? {
  do {
    try body()
    return nil
  } catch {
    return error as? Fault
  }
}

extension Tick {
  static func sample(instrument: UInt32 = 3, sequence: UInt64, price: Int64 = 100) -> Tick {
    Tick(
      instrument: InstrumentID(rawValue: instrument), sequence: sequence,
      receiveTime: Timestamp(nanoseconds: Int64(bitPattern: sequence) &+ 1_000), exchangeTime: .unknown,
      lastPrice: Price(units: price), dayVolume: 5, lastTradeSeconds: 6, lastQuantity: 7, openInterest: 8)
  }
}
