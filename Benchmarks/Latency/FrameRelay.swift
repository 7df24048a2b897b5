internal import Glibc
internal import MarketData

/// Stands between the simulated venue and the feed handler, passes on every byte of both, and so knows the instant at
/// which a frame goes to the feed handler's socket.
struct FrameRelay: ~Copyable {
  /// Where the feed handler is to connect.
  var port: Int { listener.port }

  private let listener: LoopbackSocket
  private let venuePort: Int
  private var links: [Link] = []
  private let buffer: UnsafeMutableRawBufferPointer

  /// The two sides of one connection.
  private final class Link {
    let feed: LoopbackSocket
    let venue: LoopbackSocket
    /// The venue has answered the handshake, so that what follows are frames.
    var isOpen = false

    init(feed: consuming LoopbackSocket, venue: consuming LoopbackSocket) {
      self.feed = feed
      self.venue = venue
    }
  }

  /// Something that the venue has sent and that waits to be passed on.
  struct Delivery: ~Copyable {
    fileprivate let link: Int
    fileprivate let bytes: UnsafeRawBufferPointer
    /// Packets of ticks in it when it is one whole frame; nil when it is anything else.
    let packets: Int?
  }

  /// More than the longest message of the venue.
  private static let bufferBytes = 4 << 20
  private static let wholeFrameMilliseconds: Int64 = 1000

  init(venuePort: Int) throws(Fault) {
    listener = try .listening()
    self.venuePort = venuePort
    buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
  }

  deinit {
    buffer.deallocate()
  }

  /// Passes on what the feed handler has to say, and returns what the venue says next; nil when nothing came in time.
  mutating func next(withinMilliseconds milliseconds: Int) throws(Fault) -> Delivery? {
    var entries = [pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)]
    for link in links {
      entries.append(pollfd(fd: link.feed.descriptor, events: Int16(POLLIN), revents: 0))
      entries.append(pollfd(fd: link.venue.descriptor, events: Int16(POLLIN), revents: 0))
    }
    guard poll(&entries, nfds_t(entries.count), Int32(milliseconds)) > 0 else { return nil }
    if entries[0].revents != 0 {
      links.append(Link(feed: try listener.accepted(), venue: try .connected(to: venuePort)))
    }
    for index in links.indices where entries.count > 2 * index + 2 {
      if entries[2 * index + 1].revents != 0 {
        let count = try links[index].feed.receive(into: buffer)
        try links[index].venue.send(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
      if entries[2 * index + 2].revents != 0 { return try readFrames(index) }
    }
    return nil
  }

  /// Passes a delivery on to the feed handler.
  func pass(_ delivery: consuming Delivery) throws(Fault) {
    try links[delivery.link].feed.send(delivery.bytes)
  }

  /// Hangs up on both sides, since nobody passes on how they would take leave of each other.
  mutating func hangUp() {
    links = []
  }

  /// Reads until what was read ends with a whole frame.
  private func readFrames(_ index: Int) throws(Fault) -> Delivery {
    let link = links[index]
    var count = 0
    let deadline = Timestamp.monotonicNanoseconds() + Self.wholeFrameMilliseconds * 1_000_000
    while Timestamp.monotonicNanoseconds() < deadline {
      count += try link.venue.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      guard link.isOpen else {
        // The venue sends no frame before it is asked for instruments.
        link.isOpen = bytes.suffix(4).elementsEqual("\r\n\r\n".utf8)
        if link.isOpen { return Delivery(link: index, bytes: bytes, packets: nil) }
        continue
      }
      if let packets = Self.packets(in: bytes) {
        return Delivery(link: index, bytes: bytes, packets: packets.frames == 1 ? packets.first : nil)
      }
    }
    throw Fault(.protocolViolation, "the simulated venue left a frame unfinished")
  }

  /// The frames of a server, and the packets in the first; nil while the last is incomplete.
  private static func packets(in bytes: UnsafeRawBufferPointer) -> (frames: Int, first: Int?)? {
    func number(_ offset: Int, _ width: Int) -> Int {
      (0..<width).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
    }
    var start = 0
    var frames = 0
    var first: Int?
    while start < bytes.count {
      guard start + 2 <= bytes.count else { return nil }
      let extra = [126: 2, 127: 8][Int(bytes[start + 1])] ?? 0
      guard start + 2 + extra <= bytes.count else { return nil }
      let payload = extra == 0 ? Int(bytes[start + 1]) : number(start + 2, extra)
      let end = start + 2 + extra + payload
      guard end <= bytes.count else { return nil }
      let isData = bytes[start] & 0x0F == 2 && payload > 2
      if frames == 0, isData { first = number(start + 2 + extra, 2) }
      frames += 1
      start = end
    }
    return frames == 0 ? nil : (frames, first)
  }
}
