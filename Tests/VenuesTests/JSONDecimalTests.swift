import MarketData
import Testing

@testable import Venues

@Suite struct JSONDecimalTests {
  private func decimal(_ text: String) throws -> JSONDecimal? {
    var scanner = JSONScanner(Array(text.utf8))
    let decimal = try scanner.decimal()
    try scanner.expectEnd()
    return decimal
  }

  @Test(
    arguments: [
      ("1500.0500000000002", 1_500_050_000_000), ("1e3", 1_000_000_000_000), ("-2.5E-3", -2_500_000),
      ("0.0000000005", 0), ("0.0000000015", 2), ("0.00000000050000000000000000001", 1), ("1e-30", 0),
      ("9223372036.8547758074999", 9_223_372_036_854_775_807),
      ("9223372036.85477580649999999999999", 9_223_372_036_854_775_806),
      ("-9223372036.854775807", -9_223_372_036_854_775_807),
      ("0.1000000000000000055511151231257827", 100_000_000),
      ("123456789012345678901234567890e-25", 12_345_678_901_235), ("0e999999999999", 0),
    ] as [(String, Int64)])
  func pricesAreRoundedToTheirDigits(text: String, units: Int64) throws {
    #expect(try decimal(text)?.price?.units == units)
  }

  @Test(arguments: [
    "9223372036.8547758075", "1e10", "1e99999999999999999999", "-1e12", "99999999999999999999999",
    "18446744073.7095516159", "-18446744073.70955161599", "18446744073709551615.9",
  ])
  func whatIsBeyondAnyPriceIsNone(text: String) throws {
    #expect(try decimal(text) != nil)
    #expect(try decimal(text)?.price == nil)
  }

  @Test(arguments: ["18446744073709551615.9", "18446744073709551615.5", "9223372036854775807.5"])
  func aWholeNumberThatDoesNotFitOnceRoundedIsNone(text: String) throws {
    #expect(try decimal(text)?.scaled(fractionDigits: 0) == nil)
  }

  @Test(arguments: ["NaN", "Infinity", "-Infinity"])
  func whatPythonWritesForNoNumberIsNone(text: String) throws {
    #expect(try decimal(text) == nil)
  }

  @Test(arguments: ["01", "-", "1.", ".5", "+1", "1e", "1e+", "-NaN", "0x1", "1 2", ""])
  func whatJSONDoesNotSpellSoIsAFault(text: String) {
    #expect(throws: Fault.self) { try decimal(text) }
  }

  @Test(
    arguments: [
      ("1700000000", 1_700_000_000_000_000_000), ("1700000000.123456789", 1_700_000_000_123_456_789),
      ("1700000000123", 1_700_000_000_123_000_000), ("1.7e12", 1_700_000_000_000_000_000),
      ("1700000000123456", 1_700_000_000_123_456_000), ("1700000000123456789", 1_700_000_000_123_456_789),
      ("\"1700000000\"", 1_700_000_000_000_000_000),
      ("\"2023-11-15T03:43:20+05:30\"", 1_700_000_000_000_000_000),
      ("0", 0), ("-5", 0), ("null", 0), ("NaN", 0), ("\"15-Nov-2023 03:43:20\"", 0), ("1e30", 0),
      ("{\"a\":[1]}", 0),
    ] as [(String, Int64)])
  func timesAreToldApartByMagnitude(text: String, nanoseconds: Int64) throws {
    var scanner = JSONScanner(Array(text.utf8))
    #expect(try scanner.looseTime().nanoseconds == nanoseconds)
    try scanner.expectEnd()
  }

  @Test(arguments: [
    "tru", "nul", "truex", "{\"a\" 1}", "{\"a\":1,}", "[1,]", "{1:2}", "\"\\x\"", "\"\\u12g4\"",
    "\"a\u{1}b\"", "[1 2]",
    "{\"a\":1 \"b\":2}", String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
  ])
  func malformedValuesAreFaults(text: String) {
    #expect(throws: Fault.self) {
      var scanner = JSONScanner(Array(text.utf8))
      try scanner.skipStrictly()
      try scanner.expectEnd()
    }
  }

  @Test func aValueIsWrittenDownWithoutSpaceAndWithExactNumbers() throws {
    var scanner = JSONScanner(
      Array(" { \"a\" : [ 1.10 , -0.0, NaN , 1e-12 , true ] , \"é\\n\" : { } } ".utf8))
    #expect(try scanner.normalizedValue() == "{\"a\":[1.1,0,null,0,true],\"é\\n\":{}}")
  }

  @Test func aPartOfTheBytesIsAllThatIsSeen() {
    let bytes = Array("{\"a\":1}\n{\"b\":2}\n".utf8)
    #expect(throws: Fault.self) {
      var scanner = JSONScanner(bytes, in: 0..<6)
      try scanner.skipStrictly()
    }
    #expect(throws: Never.self) {
      var scanner = JSONScanner(bytes, in: 8..<15)
      try scanner.skipStrictly()
      try scanner.expectEnd()
    }
  }
}
