import MarketData
import Testing

/// What a fault shows of somebody else's words.
@Suite struct FaultTests {
  @Test(arguments: [
    ("a\nb\r\tc", "a b  c"), ("\u{1B}[31mred", " [31mred"), ("\u{7F}\u{9B}x", "  x"),
    ("₹ ok\u{A0}", "₹ ok\u{A0}"),
  ])
  func controlCharactersBecomeSpaces(text: String, message: String) {
    #expect(Fault(.badData, text).message.unicodeScalars.elementsEqual(message.unicodeScalars))
  }

  @Test func aFloodIsCutBetweenCharacters() {
    let whole = String(repeating: "₹", count: Fault.messageBytesMax / 3)
    #expect(Fault(.badData, whole).message == whole)
    let cut = Fault(.badData, whole + whole).message
    #expect(cut.hasSuffix("₹…") && cut.utf8.count <= Fault.messageBytesMax)
    #expect(cut.utf8.count > Fault.messageBytesMax - 4)
  }
}
