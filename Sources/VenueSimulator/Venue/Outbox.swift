/// What waits to be written to one connection, in order. Ticks are packed into the newest frame until it is full
/// or something else must follow, so frames grow by themselves when the client reads slowly.
struct Outbox {
  /// One websocket message.
  enum Message {
    case data(DataFrame)
    case heartbeat
    case text(String)
    case pong([UInt8])
  }

  private var messages: [Message] = []
  private var head = 0
  private var open: DataFrame?
  /// Payload bytes that wait in frames of ticks.
  private(set) var queuedBytes = 0
  private let packetsPerFrameMax: Int

  init(packetsPerFrameMax: Int) { self.packetsPerFrameMax = packetsPerFrameMax }

  var isEmpty: Bool { open == nil && head == messages.count }

  /// Packs the instrument's current packet.
  mutating func append(_ index: Int, mode: TickerMode, from book: any StreamBook, isSnapshot: Bool) {
    var frame = open ?? DataFrame(reserving: min(packetsPerFrameMax, 16), head: book.frameHead)
    open = nil
    let bytesBefore = frame.packetBytes
    frame.append(index, mode: mode, from: book, isSnapshot: isSnapshot)
    queuedBytes += frame.packetBytes - bytesBefore
    if frame.packetCount >= packetsPerFrameMax { messages.append(.data(frame)) } else { open = frame }
  }

  /// Appends a message behind all that waits.
  mutating func append(_ message: Message) {
    closeFrame()
    messages.append(message)
  }

  /// Takes the oldest message.
  mutating func take() -> Message? {
    if head == messages.count { closeFrame() }
    guard head < messages.count else { return nil }
    let message = messages[head]
    head += 1
    if head == messages.count || head > 256 {
      messages.removeFirst(head)
      head = 0
    }
    if case .data(let frame) = message { queuedBytes -= frame.packetBytes }
    return message
  }

  /// Forgets all that waits.
  mutating func removeAll() {
    messages = []
    head = 0
    open = nil
    queuedBytes = 0
  }

  private mutating func closeFrame() {
    guard let frame = open else { return }
    open = nil
    messages.append(.data(frame))
  }
}
