internal import CWslay

/// RFC 6455 framing: bytes from the socket go in, whole messages come out one by one, and control frames are answered.
///
/// wslay reads and writes the frames; which frame may follow which is ``MessageAssembler``'s. wslay's own layer for
/// that was left because it answers broken frames without a code, takes half a status code and refuses those that were
/// registered since (1012 to 1014), checks a close frame's reason wrongly when it comes in pieces, and judges the next
/// frame before a message could be answered, which then never is.
///
/// Nothing is allocated for a message that comes. What goes out is put into one buffer, which the owner sends with
/// ``flush(_:)``.
final class FrameCodec {
  typealias End = MessageAssembler.End

  private let frames: wslay_frame_context_ptr
  private let state: UnsafeMutablePointer<FrameState>
  private var assembler: MessageAssembler
  /// A ping that could not be answered for want of room; only the latest needs an answer (section 5.5.3).
  private var unansweredPing: [UInt8]?
  private var isCloseQueued = false

  /// Why no more messages will come, once that is so.
  private(set) var end: End?
  /// True while bytes given by ``take(_:)`` are left.
  private(set) var hasInput = false

  /// Bytes that may wait to be sent before pings are passed over.
  static let unsentBytesMaxForPongs = 64 * 1024

  /// Makes the client's side of a fresh connection; nil when memory is short.
  init?(messageBytesMax: Int) {
    state = .allocate(capacity: 1)
    state.initialize(to: FrameState())
    var callbacks = wslay_frame_callbacks(
      send_callback: frameWrite, recv_callback: frameRead, genmask_callback: frameMask)
    var made: wslay_frame_context_ptr?
    guard wslay_frame_context_init(&made, &callbacks, state) == 0, let made else {
      state.deinitialize(count: 1)
      state.deallocate()
      return nil
    }
    frames = made
    assembler = MessageAssembler(messageBytesMax: messageBytesMax)
  }

  deinit {
    wslay_frame_context_free(frames)
    state.deinitialize(count: 1)
    state.deallocate()
  }

  // MARK: Receiving

  /// True when the last message has begun and not ended.
  var isInsideMessage: Bool { assembler.isInsideMessage }

  /// Takes bytes, which must lie still until ``nextMessage()`` has returned nil; the earlier ones must be used up.
  func take(_ input: UnsafeRawBufferPointer) {
    state.pointee.input = input
    hasInput = !input.isEmpty && end == nil
  }

  /// The next whole message; nil when more bytes are needed, or no more will come, for the reason in ``end``.
  /// Its bytes stay valid until the next call.
  @inline(__always)
  func nextMessage() -> (opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer)? {
    while hasInput {
      var frame = wslay_frame_iocb()
      let count = wslay_frame_recv(frames, &frame)
      guard count >= 0 else {
        hasInput = false
        if count != Int(WSLAY_ERR_WANT_READ.rawValue) {
          finish(.violation("a control frame in parts or too long, or a length not in its shortest form"))
        }
        return nil
      }
      let piece = MessageAssembler.Piece(
        isFinal: frame.fin != 0, reservedBits: frame.rsv, opcode: frame.opcode, isMasked: frame.mask != 0,
        frameBytes: frame.payload_length, bytes: UnsafeRawBufferPointer(start: frame.data, count: count))
      switch assembler.take(piece) {
      case .nothing: break
      case .message(let opcode, let payload): return (opcode, payload)
      case .ping(let payload): answer(ping: payload)
      case .end(let end): finish(end)
      }
    }
    return nil
  }

  private func finish(_ end: End) {
    self.end = end
    hasInput = false
    queueClose(code: end.answerCode)
  }

  // MARK: Sending

  /// Bytes that wait to be sent.
  var unsentBytes: Int { state.pointee.output.count - state.pointee.sentBytes }

  var wantsToSend: Bool { unsentBytes > 0 || unansweredPing != nil }

  /// Puts a message into the queue; false when the connection is being closed.
  func queue(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) -> Bool {
    guard !isCloseQueued else { return false }
    return write(opcode == .text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, payload)
  }

  /// Puts a close frame into the queue, behind all that is there, unless there is one already.
  func queueClose(code: UInt16) {
    guard !isCloseQueued else { return }
    isCloseQueued = true
    unansweredPing = nil
    _ = CloseFrame.payload(code: code).withUnsafeBytes { write(WSLAY_CONNECTION_CLOSE, $0) }
  }

  private func answer(ping payload: UnsafeRawBufferPointer) {
    guard !isCloseQueued else { return }
    if unsentBytes < Self.unsentBytesMaxForPongs {
      _ = write(WSLAY_PONG, payload)
    } else {
      unansweredPing = Array(payload)
    }
  }

  /// Sends what is queued through `send`, which returns how many bytes the socket took, 0 when it takes none now,
  /// and nil when it is broken. Returns false in that last case.
  func flush(_ send: (UnsafeRawBufferPointer) -> Int?) -> Bool {
    while wantsToSend {
      if unsentBytes == 0, let ping = unansweredPing {
        unansweredPing = nil
        _ = ping.withUnsafeBytes { write(WSLAY_PONG, $0) }
      }
      let rest = state.pointee.sentBytes...
      guard
        let taken = state.pointee.output.withUnsafeBytes({ send(UnsafeRawBufferPointer(rebasing: $0[rest])) })
      else { return false }
      if taken == 0 { return true }
      state.pointee.noteSent(taken)
    }
    return true
  }

  private func write(_ opcode: wslay_opcode, _ payload: UnsafeRawBufferPointer) -> Bool {
    var frame = wslay_frame_iocb()
    frame.fin = 1
    frame.opcode = UInt8(opcode.rawValue)
    frame.mask = 1
    frame.payload_length = UInt64(payload.count)
    frame.data = payload.baseAddress?.assumingMemoryBound(to: UInt8.self)
    frame.data_length = payload.count
    return wslay_frame_send(frames, &frame) == payload.count
  }
}

/// What wslay's callbacks work on. It lies in memory of its own, so that a callback costs neither reference
/// counting nor exclusivity checks.
private struct FrameState {
  var input = UnsafeRawBufferPointer(start: nil, count: 0)
  var output: [UInt8] = []
  /// Bytes at the front of ``output`` that are sent.
  var sentBytes = 0

  /// A longer output's memory is given back when it is sent.
  private static let keptBytesMax = 1 << 20

  mutating func noteSent(_ count: Int) {
    sentBytes += count
    guard sentBytes == output.count else { return }
    output.removeAll(keepingCapacity: output.count <= Self.keptBytesMax)
    sentBytes = 0
  }

  mutating func read(_ room: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(room.count, input.count)
    guard count > 0 else { return 0 }
    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
    input = UnsafeRawBufferPointer(rebasing: input[count...])
    return count
  }
}

/// All callbacks get the codec's own state.
private func frameState(_ userData: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<FrameState>? {
  userData?.assumingMemoryBound(to: FrameState.self)
}

/// Hands over bytes that came; zero means that there are none now.
private func frameRead(
  buffer: UnsafeMutablePointer<UInt8>?, count: Int, flags: Int32, userData: UnsafeMutableRawPointer?
) -> Int {
  frameState(userData)?.pointee.read(UnsafeMutableRawBufferPointer(start: buffer, count: count)) ?? 0
}

/// Takes all bytes that shall be sent, so that wslay never has to try again.
private func frameWrite(
  bytes: UnsafePointer<UInt8>?, count: Int, flags: Int32, userData: UnsafeMutableRawPointer?
) -> Int {
  frameState(userData)?.pointee.output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
  return count
}

/// A fresh key for each frame from the system's generator, which nobody can predict (RFC 6455, section 5.3).
private func frameMask(buffer: UnsafeMutablePointer<UInt8>?, count: Int, userData: UnsafeMutableRawPointer?)
  -> Int32
{
  var generator = SystemRandomNumberGenerator()
  withUnsafeBytes(of: generator.next()) { random in
    for index in 0..<count { buffer?[index] = random[index % random.count] }
  }
  return 0
}
