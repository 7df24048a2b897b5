internal import CCrypto

/// Digests and keyed digests, by OpenSSL's libcrypto, which libcurl brings into the process anyway.
enum Digest {
  /// SHA-1 (RFC 3174): in the websocket handshake a check against accidents, in one-time passwords what RFC 6238 says.
  static func sha1(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    _ = SHA1(message, message.count, &digest)
    return digest
  }

  /// SHA-256 (RFC 6234).
  static func sha256(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256(message, message.count, &digest)
    return digest
  }

  /// HMAC with SHA-1 (RFC 2104); a key of any length.
  static func hmacSHA1(key: [UInt8], message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    // No one could go on without it, and it fails only when a build of OpenSSL has no SHA-1 at all.
    let result = HMAC(EVP_sha1(), key, Int32(clamping: key.count), message, message.count, &digest, nil)
    precondition(result != nil, "this OpenSSL has no SHA-1")
    return digest
  }
}
