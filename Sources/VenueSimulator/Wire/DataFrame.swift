/// A binary message of ticks: the number of packets in two bytes, then each packet behind its two length bytes.
struct DataFrame: Sendable {
  /// The message's bytes; the count at its head is right at any time.
  private(set) var payload: [UInt8] = [0, 0]
  /// The instruments in the order of their packets, to be counted once the frame is written.
  private(set) var instruments: [UInt32] = []
  /// How many of the packets are snapshots sent on subscription.
  private(set) var snapshotCount = 0

  /// Most packets that the two count bytes can tell.
  static let packetsLimit = Int(UInt16.max)

  /// An empty frame with room for `packets` full packets.
  init(reserving packets: Int) {
    payload.reserveCapacity(2 + packets * (2 + TickerMode.full.packetLength(isTradable: true)))
    instruments.reserveCapacity(packets)
  }

  /// Packets in the frame.
  var packetCount: Int { instruments.count }

  /// Adds the instrument's current packet.
  mutating func append(_ index: Int, mode: TickerMode, from book: PacketBook, isSnapshot: Bool = false) {
    book.append(index, mode: mode, to: &payload)
    instruments.append(UInt32(index))
    if isSnapshot { snapshotCount += 1 }
    payload[0] = UInt8(truncatingIfNeeded: instruments.count >> 8)
    payload[1] = UInt8(truncatingIfNeeded: instruments.count)
  }
}
