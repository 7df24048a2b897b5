import Testing

@testable import Venues

/// The digests against published vectors.
@Suite struct DigestTests {
  @Test(
    arguments: [
      ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
      ),
    ])
  func sha1GivesThePublishedDigests(text: String, digest: String) {
    #expect(KiteBytes.hex(Digest.sha1(Array(text.utf8))) == digest)
  }

  @Test func sha256GivesThePublishedDigest() {
    #expect(
      KiteBytes.hex(Digest.sha256(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  /// RFC 2202, section 3: an ordinary key, a binary one, and one longer than a block.
  @Test func hmacGivesThePublishedDigests() {
    let vectors: [(key: [UInt8], message: [UInt8], digest: String)] = [
      (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
      ),
      (
        Array(repeating: 0xAA, count: 20), Array(repeating: 0xDD, count: 50),
        "125d7342b9ac11cd91a39af48aa17b4f63f175d3"
      ),
      (
        Array(repeating: 0xAA, count: 80),
        Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "aa4ae5e15272d00e95705637ce8a3b55ed402112"
      ),
    ]
    for vector in vectors {
      #expect(KiteBytes.hex(Digest.hmacSHA1(key: vector.key, message: vector.message)) == vector.digest)
    }
    #expect(
      KiteBytes.hex(Digest.hmacSHA1(key: [], message: [])) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d")
  }
}
