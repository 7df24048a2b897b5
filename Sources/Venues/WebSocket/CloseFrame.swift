/// The payload of a close frame: a status code and a reason (RFC 6455, section 5.5.1).
enum CloseFrame {
  /// Stands for a close frame without a code; never sent.
  static let codeAbsent: UInt16 = 1005

  static let normalCode: UInt16 = 1000
  static let protocolErrorCode: UInt16 = 1002
  static let invalidTextCode: UInt16 = 1007
  static let tooLongCode: UInt16 = 1009

  private static let codeBytes = 2

  /// Codes that a server may send: those of section 7.4 and of IANA's registry, then those for libraries and
  /// private use.
  static func isSendable(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// Reads what a server sent.
  static func read(_ payload: UnsafeRawBufferPointer) -> MessageAssembler.End {
    guard payload.count > 0 else { return .closed(code: codeAbsent, reason: "") }
    guard payload.count >= codeBytes else { return .violation("a close frame with half a status code") }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    guard isSendable(code) else {
      return .violation("a close frame with the status code \(code), which nobody may send")
    }
    var check = UTF8Check()
    let reason = UnsafeRawBufferPointer(rebasing: payload[codeBytes...])
    guard check.take(reason), check.isComplete else { return .invalidText }
    return .closed(code: code, reason: excerpt(of: reason))
  }

  /// What is sent for a code.
  static func payload(code: UInt16) -> [UInt8] {
    code == codeAbsent ? [] : [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)]
  }
}
