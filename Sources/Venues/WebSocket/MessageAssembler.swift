/// The rules of RFC 6455 above the single frame: which frame may follow which, what a text is, how long a message
/// may get, how a connection is closed. Pure: pieces of frames go in, messages and control frames come out.
struct MessageAssembler: ~Copyable {
  /// A piece of a frame as it came: the frame's header, and bytes of its payload.
  struct Piece {
    var isFinal: Bool
    var reservedBits: UInt8
    var opcode: UInt8
    var isMasked: Bool
    var frameBytes: UInt64
    var bytes: UnsafeRawBufferPointer
  }

  /// What a piece completes. The payloads stay valid until the next piece.
  enum Outcome {
    case nothing
    case message(WebSocketOpcode, UnsafeRawBufferPointer)
    case ping(UnsafeRawBufferPointer)
    case end(End)
  }

  /// What ends a connection from within its frames.
  enum End: Equatable {
    /// The server sent a close frame; code 1005 when it named none.
    case closed(code: UInt16, reason: String)
    /// A message is longer than allowed.
    case oversize
    /// The frames break the protocol: what the server sent.
    case violation(String)
    /// A text, or the reason of a close frame, is no UTF-8.
    case invalidText

    /// The code of the close frame that answers it (RFC 6455, sections 5.5.1 and 7.4.1).
    var answerCode: UInt16 {
      switch self {
      case .closed(let code, _): code
      case .oversize: CloseFrame.tooLongCode
      case .violation: CloseFrame.protocolErrorCode
      case .invalidText: CloseFrame.invalidTextCode
      }
    }
  }

  private enum Opcode {
    static let continuation: UInt8 = 0
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let ping: UInt8 = 9
    static let pong: UInt8 = 10
  }

  /// A control frame's longest payload; wslay lets none pass that is longer.
  static let controlBytesMax = 125

  private let messageBytesMax: Int
  /// The message that is under way, and behind its room that of a control frame, which may lie between its frames.
  private let memory: UnsafeMutableRawPointer
  private var messageCount = 0
  private var controlCount = 0
  private var frameBytesTaken: UInt64 = 0
  private var isInsideFrame = false
  private var message: WebSocketOpcode?
  private var text = UTF8Check()

  init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
    memory = .allocate(byteCount: messageBytesMax + Self.controlBytesMax, alignment: 64)
  }

  deinit {
    memory.deallocate()
  }

  /// True when the last message has begun and not ended.
  var isInsideMessage: Bool { message != nil }

  /// Takes the next piece; after an ``Outcome/end(_:)`` there must be no more.
  mutating func take(_ piece: Piece) -> Outcome {
    let isFirst = !isInsideFrame
    if isFirst {
      if let end = begin(piece) { return .end(end) }
      frameBytesTaken = 0
    }
    frameBytesTaken += UInt64(piece.bytes.count)
    isInsideFrame = frameBytesTaken < piece.frameBytes
    return piece.opcode >= Opcode.close
      ? takeControl(piece) : takeData(piece, isWholeFrame: isFirst && !isInsideFrame)
  }

  /// Checks a frame's header.
  private mutating func begin(_ piece: Piece) -> End? {
    if piece.reservedBits != 0 { return .violation("a frame with reserved bits set") }
    if piece.isMasked { return .violation("a masked frame") }
    switch piece.opcode {
    case Opcode.close, Opcode.ping, Opcode.pong:
      controlCount = 0
      return nil
    case Opcode.continuation:
      if message == nil { return .violation("a continuation where no message has begun") }
    case Opcode.text, Opcode.binary:
      if message != nil { return .violation("a new message before the last one has ended") }
      message = piece.opcode == Opcode.text ? .text : .binary
      messageCount = 0
      text = UTF8Check()
    default: return .violation("a frame with the unknown opcode \(piece.opcode)")
    }
    return piece.frameBytes > UInt64(messageBytesMax - messageCount) ? .oversize : nil
  }

  private mutating func takeControl(_ piece: Piece) -> Outcome {
    let room = memory + messageBytesMax
    guard controlCount + piece.bytes.count <= Self.controlBytesMax else {
      return .end(.violation("a control frame of more than \(Self.controlBytesMax) bytes"))
    }
    if let start = piece.bytes.baseAddress {
      (room + controlCount).copyMemory(from: start, byteCount: piece.bytes.count)
    }
    controlCount += piece.bytes.count
    guard !isInsideFrame else { return .nothing }
    let payload = UnsafeRawBufferPointer(start: room, count: controlCount)
    return switch piece.opcode {
    case Opcode.close: .end(CloseFrame.read(payload))
    case Opcode.ping: .ping(payload)
    default: .nothing
    }
  }

  @inline(__always)
  private mutating func takeData(_ piece: Piece, isWholeFrame: Bool) -> Outcome {
    guard let opcode = message else { return .nothing }
    if opcode == .text, !text.take(piece.bytes) { return .end(.invalidText) }
    if isWholeFrame, piece.isFinal, messageCount == 0 {
      // Nearly every message of a feed: it is handed out where it lies.
      return finish(opcode, piece.bytes)
    }
    if let start = piece.bytes.baseAddress {
      (memory + messageCount).copyMemory(from: start, byteCount: piece.bytes.count)
    }
    messageCount += piece.bytes.count
    guard !isInsideFrame, piece.isFinal else { return .nothing }
    return finish(opcode, UnsafeRawBufferPointer(start: memory, count: messageCount))
  }

  @inline(__always)
  private mutating func finish(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) -> Outcome {
    guard opcode == .binary || text.isComplete else { return .end(.invalidText) }
    message = nil
    return .message(opcode, payload)
  }
}
