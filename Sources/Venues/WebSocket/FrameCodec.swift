internal import CWslay

/// RFC 6455 framing by wslay: bytes from the socket go in, whole messages come out, control frames are answered.
///
/// wslay runs in its mode without buffering and hands out payload piece by piece from an internal buffer of 4 KiB,
/// which it refills through a callback. That buffer sets the pace here: each ``parse(_:)`` refills it once,
/// and the messages that this completes lie in preallocated memory until the next call. So nothing is allocated
/// for a message, wslay's callbacks never call outside code, and what was just parsed is still in the nearest
/// cache when it is decoded. The price is one more copy of each byte, a few nanoseconds a message.
///
/// The socket's side of sending is a closure, called only for our own few messages and for answers to pings.
final class FrameCodec {
  /// What ends a connection from within its frames.
  enum End: Equatable {
    /// The server sent a close frame; code 1005 when it named none.
    case closed(code: UInt16, reason: String)
    /// A message is longer than allowed.
    case oversize
    /// The server asks for answers to pings and takes none.
    case deaf
    /// The frames break the protocol, or a text is no UTF-8.
    case violation
  }

  private let state: UnsafeMutablePointer<FrameState>
  private let context: wslay_event_context_ptr

  /// Bytes that may wait for a socket that takes none: our largest request is a tenth of that.
  static let sendQueueBytesMax = 1 << 20
  /// Messages that may wait; what one batch of pings can add stays far below.
  static let queuedMessagesMax = 10_000

  /// Makes the client's side of a fresh connection; nil when memory is short.
  init?(messageBytesMax: Int) {
    state = .allocate(capacity: 1)
    state.initialize(to: FrameState(messageBytesMax: messageBytesMax))
    var callbacks = wslay_event_callbacks(
      recv_callback: frameRefill, send_callback: frameSend, genmask_callback: frameMask,
      on_frame_recv_start_callback: frameStarted, on_frame_recv_chunk_callback: framePayload,
      on_frame_recv_end_callback: nil, on_msg_recv_callback: messageEnded)
    var made: wslay_event_context_ptr?
    guard wslay_event_context_client_init(&made, &callbacks, state) == 0, let made else {
      state.pointee.deallocate()
      state.deallocate()
      return nil
    }
    context = made
    wslay_event_config_set_no_buffering(context, 1)
  }

  deinit {
    wslay_event_context_free(context)
    state.pointee.deallocate()
    state.deallocate()
  }

  // MARK: Receiving

  /// True when the last message has begun and not ended.
  var isInsideMessage: Bool { state.pointee.isInsideMessage }

  /// Takes bytes from the front of `input` (all, when it is short), and makes the messages that they complete
  /// ready for ``message(at:)``, instead of those before. Returns how many bytes it took; zero means that wslay
  /// reads no more, for the reason in ``end``.
  func parse(_ input: UnsafeRawBufferPointer) -> Int {
    state.pointee.startBatch(input)
    let result = wslay_event_recv(context)
    if result != 0 { state.pointee.isBroken = true }
    return state.pointee.takenBytes
  }

  /// Messages that the last ``parse(_:)`` completed.
  var messageCount: Int { state.pointee.messageCount }

  /// One of them; its bytes stay valid until the next call of ``parse(_:)``.
  @inline(__always)
  func message(at index: Int) -> (opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer) {
    let entry = state.pointee.messages[index]
    return (
      entry.isText ? .text : .binary,
      UnsafeRawBufferPointer(start: state.pointee.payload + entry.start, count: entry.count)
    )
  }

  /// Why no more messages will come, once that is so.
  var end: End? {
    if wslay_event_get_close_received(context) != 0 {
      return .closed(
        code: wslay_event_get_status_code_received(context), reason: state.pointee.closeReason)
    }
    if state.pointee.isOversize { return .oversize }
    if wslay_event_get_queued_msg_count(context) > Self.queuedMessagesMax { return .deaf }
    return state.pointee.isBroken || wslay_event_get_read_enabled(context) == 0 ? .violation : nil
  }

  // MARK: Sending

  /// Puts a text message into the queue; false when the queue is full or the connection is being closed.
  func queueText(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      guard Int(wslay_event_get_queued_msg_length(context)) + bytes.count <= Self.sendQueueBytesMax else {
        return false
      }
      var message = wslay_event_msg(
        opcode: UInt8(WSLAY_TEXT_FRAME.rawValue), msg: bytes.baseAddress, msg_length: bytes.count)
      return wslay_event_queue_msg(context, &message) == 0
    }
  }

  /// Puts a close frame into the queue, unless one is there or went out.
  func queueClose(code: UInt16) {
    _ = wslay_event_queue_close(context, code, nil, 0)
  }

  /// True while something waits to be sent.
  var wantsToSend: Bool { wslay_event_want_write(context) != 0 }

  /// Sends what is queued through `send`, which returns how many bytes the socket took, 0 when it takes none now,
  /// and nil when it is broken. Returns false in that last case.
  func flush(_ send: (UnsafeRawBufferPointer) -> Int?) -> Bool {
    withoutActuallyEscaping(send) { send in
      state.pointee.send = send
      defer { state.pointee.send = nil }
      return wslay_event_send(context) == 0
    }
  }
}

/// What wslay's callbacks work on. It lies in memory of its own, so that a callback costs neither reference
/// counting nor exclusivity checks.
private struct FrameState {
  struct Message {
    var start: Int
    var count: Int
    var isText: Bool
  }

  /// wslay's own input buffer: one refill can complete no more messages than it has room for empty frames, plus
  /// the one that was pending.
  static let refillBytesMax = 4096
  static let messagesMax = refillBytesMax / 2 + 1

  let messageBytesMax: Int
  /// Payload of the batch's messages, then of the message that is still incomplete.
  let payload: UnsafeMutableRawPointer
  let messages: UnsafeMutablePointer<Message>
  var messageCount = 0
  /// Where the incomplete message begins, and where its next piece goes.
  var messageStart = 0
  var payloadEnd = 0
  var isInsideMessage = false
  var isControlFrame = false
  var isOversize = false
  var isBroken = false
  var closeReason = ""
  var input = UnsafeRawBufferPointer(start: nil, count: 0)
  var takenBytes = 0
  var send: ((UnsafeRawBufferPointer) -> Int?)?

  init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
    payload = .allocate(byteCount: messageBytesMax + 2 * Self.refillBytesMax, alignment: 64)
    messages = .allocate(capacity: Self.messagesMax)
  }

  func deallocate() {
    payload.deallocate()
    messages.deallocate()
  }

  mutating func startBatch(_ input: UnsafeRawBufferPointer) {
    self.input = input
    takenBytes = 0
    messageCount = 0
    let pending = payloadEnd - messageStart
    if messageStart > 0 && pending > 0 {
      payload.copyMemory(from: payload + messageStart, byteCount: pending)
    }
    messageStart = 0
    payloadEnd = pending
  }

  mutating func refill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard takenBytes == 0, let source = input.baseAddress else { return 0 }
    let count = min(buffer.count, input.count, Self.refillBytesMax)
    buffer.baseAddress?.copyMemory(from: source, byteCount: count)
    takenBytes = count
    return count
  }

  mutating func append(_ piece: UnsafeRawPointer, count: Int) -> Bool {
    guard payloadEnd - messageStart + count <= messageBytesMax else { return false }
    (payload + payloadEnd).copyMemory(from: piece, byteCount: count)
    payloadEnd += count
    return true
  }

  mutating func endMessage(isText: Bool) {
    messages[messageCount] = Message(start: messageStart, count: payloadEnd - messageStart, isText: isText)
    messageCount += 1
    messageStart = payloadEnd
    isInsideMessage = false
  }
}

private func frameState(_ userData: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<FrameState>? {
  userData?.assumingMemoryBound(to: FrameState.self)
}

private func frameRefill(
  context: wslay_event_context_ptr?, buffer: UnsafeMutablePointer<UInt8>?, count: Int, flags: Int32,
  userData: UnsafeMutableRawPointer?
) -> Int {
  guard let state = frameState(userData) else { return -1 }
  let taken = state.pointee.refill(UnsafeMutableRawBufferPointer(start: buffer, count: count))
  guard taken > 0 else {
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK.rawValue)
    return -1
  }
  return taken
}

private func frameSend(
  context: wslay_event_context_ptr?, bytes: UnsafePointer<UInt8>?, count: Int, flags: Int32,
  userData: UnsafeMutableRawPointer?
) -> Int {
  let sent = frameState(userData)?.pointee.send?(UnsafeRawBufferPointer(start: bytes, count: count))
  if let sent, sent > 0 { return sent }
  wslay_event_set_error(
    context, (sent == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE).rawValue)
  return -1
}

private func frameMask(
  context: wslay_event_context_ptr?, buffer: UnsafeMutablePointer<UInt8>?, count: Int,
  userData: UnsafeMutableRawPointer?
) -> Int32 {
  for index in 0..<count { buffer?[index] = .random(in: .min ... .max) }
  return 0
}

private func frameStarted(
  context: wslay_event_context_ptr?, frame: UnsafePointer<wslay_event_on_frame_recv_start_arg>?,
  userData: UnsafeMutableRawPointer?
) {
  guard let state = frameState(userData), let frame else { return }
  // Opcodes from 8 up are control frames (RFC 6455, section 5.2); they may lie between the frames of a message.
  state.pointee.isControlFrame = frame.pointee.opcode >= UInt8(WSLAY_CONNECTION_CLOSE.rawValue)
  guard !state.pointee.isControlFrame else { return }
  state.pointee.isInsideMessage = true
  if frame.pointee.payload_length > UInt64(state.pointee.messageBytesMax) { giveUp(context, state) }
}

private func framePayload(
  context: wslay_event_context_ptr?, piece: UnsafePointer<wslay_event_on_frame_recv_chunk_arg>?,
  userData: UnsafeMutableRawPointer?
) {
  guard let state = frameState(userData), let piece, let data = piece.pointee.data else { return }
  guard !state.pointee.isControlFrame else { return }
  if !state.pointee.append(data, count: piece.pointee.data_length) { giveUp(context, state) }
}

/// Ends a connection whose message is too long: wslay, without buffering, knows no limit for a whole message.
private func giveUp(_ context: wslay_event_context_ptr?, _ state: UnsafeMutablePointer<FrameState>) {
  state.pointee.isOversize = true
  _ = wslay_event_queue_close(context, UInt16(WSLAY_CODE_MESSAGE_TOO_BIG.rawValue), nil, 0)
  wslay_event_shutdown_read(context)
}

private func messageEnded(
  context: wslay_event_context_ptr?, message: UnsafePointer<wslay_event_on_msg_recv_arg>?,
  userData: UnsafeMutableRawPointer?
) {
  guard let state = frameState(userData), let message else { return }
  switch UInt32(message.pointee.opcode) {
  case WSLAY_TEXT_FRAME.rawValue where !state.pointee.isOversize: state.pointee.endMessage(isText: true)
  case WSLAY_BINARY_FRAME.rawValue where !state.pointee.isOversize: state.pointee.endMessage(isText: false)
  case WSLAY_CONNECTION_CLOSE.rawValue:
    // The first two bytes of the payload are the status code.
    let payload = UnsafeRawBufferPointer(start: message.pointee.msg, count: message.pointee.msg_length)
    state.pointee.closeReason = WebSocketHandshake.excerpt(of: payload.dropFirst(2))
  default: break
  }
}
