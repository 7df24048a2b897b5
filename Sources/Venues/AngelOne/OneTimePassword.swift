import MarketData

/// Time-based one-time passwords: RFC 6238 with SHA-1 and steps of 30 seconds, as the authenticator apps have it.
struct OneTimePassword: Sendable {
  /// How long one password is good.
  static let stepSeconds: Int64 = 30
  /// Digits that venues ask for.
  static let digitsDefault = 6

  private let key: [UInt8]

  /// Makes passwords from the key itself.
  init(key: [UInt8]) {
    self.key = key
  }

  /// Makes passwords from the key as it is shown beside the QR code: base32 (RFC 4648), in either case, with or
  /// without padding, spaces and hyphens.
  ///
  /// - Throws: `Fault` of kind `configuration`, which does not repeat the text, when it is no base32.
  init(base32 text: some StringProtocol) throws(Fault) {
    var key: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount = 0
    let characters = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
    for character in characters.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
      guard let digit = Self.digit(character) else {
        throw Fault(
          .configuration, "the secret of one-time passwords must be base32: letters A-Z and digits 2-7")
      }
      bits = (bits << 5 | digit) & 0xFFF
      bitCount += 5
      if bitCount >= 8 {
        bitCount -= 8
        key.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
      }
    }
    guard !key.isEmpty else {
      throw Fault(.configuration, "the secret of one-time passwords is shorter than one byte")
    }
    self.key = key
  }

  private static func digit(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a"))
    case UInt8(ascii: "2")...UInt8(ascii: "7"): UInt32(character - UInt8(ascii: "2")) + 26
    default: nil
    }
  }

  /// The number of the step in which `time` lies.
  static func step(at time: Timestamp) -> Int64 { time.seconds / stepSeconds }

  /// The password that is good at `time`, with leading zeros.
  func code(at time: Timestamp, digits: Int = digitsDefault) -> String {
    let counter = UInt64(bitPattern: Self.step(at: time))
    let digest = Digest.hmacSHA1(
      key: key, message: (0..<8).map { UInt8(truncatingIfNeeded: counter >> (56 - 8 * $0)) })
    // RFC 4226, section 5.3: the last four bits say where the 31 bits of the number begin.
    let offset = Int(digest[digest.count - 1] & 0xF)
    let number = digest[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let text = String(number)
    return String((String(repeating: "0", count: digits) + text).suffix(digits))
  }
}
