import MarketData
import Testing

@testable import Venues

@Suite struct JSONScannerTests {
  @Test func numbersAreWhatThePriceParserReads() {
    var generator = SeededGenerator(seed: 5)
    let alphabet = Array("0123456789".utf8) + Array("0000.-9e ".utf8)
    var numbers = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
        alphabet.randomElement(using: &generator) ?? 0
      }
      var scanner = JSONScanner(text)
      // A number with a bare point at its end is none in JSON, though the price parser takes it.
      guard text.first != UInt8(ascii: " "), text.last != UInt8(ascii: ".") else { continue }
      let expected = Price.scaled(decimal: text, fractionDigits: 9)
      let value = try? scanner.number(fractionDigits: 9)
      let actual = scanner.peek() == nil ? value : nil
      if expected != actual && text.last != UInt8(ascii: " ") {
        Issue.record("\(String(decoding: text, as: UTF8.self)): \(expected as Any) and \(actual as Any)")
      }
      if expected != nil { numbers += 1 }
    }
    #expect(numbers > 1000)
  }

  @Test(
    arguments: [
      ("9223372036.854775807", Int64.max), ("-9223372036.854775807", -Int64.max), ("0.000000001000", 1),
      ("0", 0),
      ("-0.5", -500_000_000),
    ])
  func theLimitsOfTheRangeAreExact(text: String, units: Int64) throws {
    var scanner = JSONScanner(Array(text.utf8))
    #expect(try scanner.number(fractionDigits: 9) == units)
  }

  @Test(arguments: [
    "9223372036.854775808", "99999999999999999999", "1.", ".5", "-", "+1", "0.0000000001", "x", "",
  ])
  func whatIsNoSuchNumberIsAFault(text: String) {
    #expect(throws: Fault.self) {
      var scanner = JSONScanner(Array(text.utf8))
      _ = try scanner.number(fractionDigits: 9)
      try scanner.expectEnd()
    }
  }

  @Test func stringsResolveTheirEscapes() throws {
    var scanner = JSONScanner(Array(#" "a\"b\\\/\n\u20b9\ud83d\ude00é" x"#.utf8))
    #expect(try scanner.string() == "a\"b\\/\n₹😀é")
    #expect(scanner.peek() == UInt8(ascii: "x"))
  }

  @Test(arguments: ["\"\\", "\"\\\"", "\"abc", "\"\\u12\"", "\"\\u12", "abc"])
  func stringsThatDoNotEndAreFaults(text: String) {
    #expect(throws: Fault.self) {
      var scanner = JSONScanner(Array(text.utf8))
      _ = try scanner.string()
    }
  }

  @Test func anyValueCanBeSkippedHoweverDeep() throws {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    for value in ["1", "null", "\"]\"", "{\"a\":[1,{\"b\":\"}\"}],\"c\":-1.5e3}", "[]", deep] {
      var scanner = JSONScanner(Array((value + " ,").utf8))
      try scanner.skipValue()
      #expect(scanner.peek() == UInt8(ascii: ","))
    }
  }
}
