import CCrypto
import MarketData

/// The venue's side of one-time passwords (RFC 6238), written apart from the client's so that they check each other.
struct SimulatedOneTimePassword: Sendable {
  private let key: [UInt8]

  private static let stepSeconds: Int64 = 30
  private static let modulus: UInt32 = 1_000_000

  /// Takes the key in base32 without padding; characters that are none are left out.
  init(base32 text: String) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    let bits = text.uppercased().utf8.compactMap { alphabet.firstIndex(of: $0) }
      .flatMap { digit in (0..<5).map { digit >> (4 - $0) & 1 } }
    key = stride(from: 0, to: bits.count - bits.count % 8, by: 8).map { start in
      UInt8(bits[start..<start + 8].reduce(0) { $0 << 1 | $1 })
    }
  }

  /// True for the present password and its neighbours: clocks differ.
  func accepts(_ text: String, at time: Timestamp) -> Bool {
    (-1...1).contains { password(step: time.seconds / Self.stepSeconds + $0) == text }
  }

  /// The present password.
  func password(at time: Timestamp) -> String { password(step: time.seconds / Self.stepSeconds) }

  private func password(step: Int64) -> String {
    var counter = step.bigEndian
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    withUnsafeBytes(of: &counter) { message in
      _ = HMAC(
        EVP_sha1(), key, Int32(clamping: key.count), message.baseAddress, message.count, &digest, nil)
    }
    let start = Int(digest[19] & 15)
    let number = digest[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let digits = String(number % Self.modulus)
    return String(repeating: "0", count: 6 - digits.utf8.count) + digits
  }
}
