/// A binary message of ticks: Kite's number of packets in two bytes, then each packet behind its two length bytes; with
/// Angel One the one packet alone.
struct DataFrame: Sendable {
  /// What stands before the first packet.
  enum Head: Sendable {
    /// The number of packets, in two bytes.
    case count
    /// Nothing: the message holds one packet.
    case none

    var bytes: [UInt8] { self == .count ? [0, 0] : [] }
  }

  /// The message's bytes; the count at its head is right at any time.
  private(set) var payload: [UInt8]
  /// The instruments in the order of their packets, to be counted once the frame is written.
  private(set) var instruments: [UInt32] = []
  /// How many of the packets are snapshots sent on subscription.
  private(set) var snapshotCount = 0
  private let head: Head

  /// Most packets that the two count bytes can tell.
  static let packetsLimit = Int(UInt16.max)

  /// An empty frame with room for `packets` full packets.
  init(reserving packets: Int, head: Head) {
    self.head = head
    payload = head.bytes
    payload.reserveCapacity(2 + packets * (2 + TickerMode.full.packetLength(isTradable: true)))
    instruments.reserveCapacity(packets)
  }

  /// Packets in the frame.
  var packetCount: Int { instruments.count }
  /// Bytes behind the head.
  var packetBytes: Int { payload.count - head.bytes.count }

  /// Adds the instrument's current packet.
  mutating func append(_ index: Int, mode: TickerMode, from book: any StreamBook, isSnapshot: Bool = false) {
    book.append(index, mode: mode, to: &payload)
    instruments.append(UInt32(index))
    if isSnapshot { snapshotCount += 1 }
    guard head == .count else { return }
    payload[0] = UInt8(truncatingIfNeeded: instruments.count >> 8)
    payload[1] = UInt8(truncatingIfNeeded: instruments.count)
  }
}
