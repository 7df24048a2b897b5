import CSharedRing
import Glibc
import MarketData

/// What the processes of a soak write down about their doings, in a file of their own beside the ring.
///
/// It outlives a SIGKILL as the ring does, and is how the checker knows what should have come.
@safe
struct Ledger {
  enum Word: Int {
    /// Newest value that a producer set out to publish, and newest whose publication returned.
    case attempted, done
    /// Producers started so far.
    case starts
    /// Monotonic time at which the role was ready, and how long its LaneWriter or LaneReader took to attach.
    case producerReady, producerAttach, consumerReady, consumerAttach
    /// What the consumer gave back for certain.
    case released
    /// Which of the two copies of the consumer's place is the valid one.
    case placeCopy
    /// Records seen again after a kill, within what was not released.
    case doubled
    /// ``producersStop`` or ``everybodyStops``.
    case stop
  }

  static let producersStop: UInt64 = 1
  /// Consumers end when they have read all.
  static let everybodyStops: UInt64 = 2

  /// How far the consumer got: position, newest value, and the start of the producer that wrote it.
  struct Place {
    var next: UInt64 = 0
    var value: UInt64 = 0
    var start: UInt64 = 0
  }

  private static let placesOffset = 32
  private static let startsOffset = 64
  private static let startsMax = 1 << 17
  private let words: UnsafeMutablePointer<UInt64>

  init(path: String, create: Bool = false) throws(Fault) {
    let descriptor = open(path, create ? O_RDWR | O_CREAT | O_EXCL : O_RDWR, 0o600)
    let byteCount = (Self.startsOffset + 2 * Self.startsMax) * 8
    guard descriptor >= 0, !create || ftruncate(descriptor, byteCount) == 0,
      let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else { throw Fault(.system, "cannot map the ledger '\(path)'") }
    close(descriptor)
    words = base.assumingMemoryBound(to: UInt64.self)
  }

  subscript(word: Word) -> UInt64 {
    get { tickring_word_load_acquire(words + word.rawValue) }
    nonmutating set { tickring_word_store_release(words + word.rawValue, newValue) }
  }

  /// Enters a producer's start with what its predecessors had done; returns its number.
  func enterStart() throws(Fault) -> UInt64 {
    let start = self[.starts]
    guard start < Self.startsMax else { throw Fault(.usage, "the ledger has no room for more starts") }
    let entry = words + Self.startsOffset + 2 * Int(start)
    tickring_word_store_release(entry, self[.attempted])
    tickring_word_store_release(entry + 1, self[.done])
    self[.starts] = start + 1
    return start
  }

  /// What had been attempted and done when a start began.
  func before(start: UInt64) -> (attempted: UInt64, done: UInt64) {
    guard start < Self.startsMax else { return (0, .max) }
    let entry = words + Self.startsOffset + 2 * Int(start)
    return (tickring_word_load_acquire(entry), tickring_word_load_acquire(entry + 1))
  }

  /// The consumer's place; a kill between its three words leaves the other copy valid.
  var place: Place {
    get {
      let copy = words + Self.placesOffset + 4 * Int(self[.placeCopy] & 1)
      return Place(
        next: tickring_word_load_acquire(copy), value: tickring_word_load_acquire(copy + 1),
        start: tickring_word_load_acquire(copy + 2))
    }
    nonmutating set {
      let other = (self[.placeCopy] & 1) ^ 1
      let copy = words + Self.placesOffset + 4 * Int(other)
      tickring_word_store_release(copy, newValue.next)
      tickring_word_store_release(copy + 1, newValue.value)
      tickring_word_store_release(copy + 2, newValue.start)
      self[.placeCopy] = other
    }
  }
}
