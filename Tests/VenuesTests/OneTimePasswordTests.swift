import MarketData
import Testing

@testable import Venues

/// One-time passwords against RFC 6238, appendix B, and its key as authenticators are given it.
@Suite struct OneTimePasswordTests {
  private static let key = Array("12345678901234567890".utf8)
  private static let base32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

  /// The last vector of the appendix lies in the year 2603, which no timestamp holds.
  @Test(
    arguments: [
      (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
      (1_234_567_890, "89005924"), (2_000_000_000, "69279037"),
    ] as [(Int64, String)])
  func theRFCsVectorsHold(seconds: Int64, code: String) throws {
    let time = Timestamp(seconds: seconds)
    #expect(OneTimePassword(key: Self.key).code(at: time, digits: 8) == code)
    #expect(try OneTimePassword(base32: Self.base32).code(at: time) == code.suffix(6))
  }

  @Test(
    arguments: [
      "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
      "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======",
    ])
  func theSecretMayBeWrittenAsPeopleWriteIt(text: String) throws {
    #expect(try OneTimePassword(base32: text).code(at: Timestamp(seconds: 59)) == "287082")
  }

  /// RFC 4648, section 10, has keys that end in each place of a group: `f`, `fo`, …
  @Test func keysOfAnyLengthAreRead() throws {
    for (text, key) in [
      ("MY", "f"), ("MZXQ", "fo"), ("MZXW6", "foo"), ("MZXW6YQ", "foob"), ("MZXW6YTB", "fooba"),
      ("MZXW6YTBOI======", "foobar"),
    ] {
      let time = Timestamp(seconds: 1_700_000_000)
      #expect(
        try OneTimePassword(base32: text).code(at: time)
          == OneTimePassword(key: Array(key.utf8)).code(at: time))
    }
  }

  @Test(arguments: ["", "A", "====", "GEZD1", "GEZD=GNBV", "hunter2!"])
  func whatIsNoBase32IsRefusedWithoutRepeatingIt(text: String) {
    let fault = #expect(throws: Fault.self) { try OneTimePassword(base32: text) }
    #expect(fault?.kind == .configuration)
    #expect(text.utf8.count < 5 || fault?.message.contains(text) == false)
  }
}
