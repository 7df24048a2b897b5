import FeedControl
import Foundation
import Testing

@testable import FeedHandler

/// What a program that asks the control socket in its own words is told.
@Suite struct DecodingSentenceTests {
  @Test(
    arguments: [
      (#"{"lane":"a"}"#, "it has no 'symbols'"), (#"{"lane":1,"symbols":[]}"#, "its 'lane' is not a text"),
      (#"{"lane":"a","symbols":"NSE:X"}"#, "its 'symbols' is not a list"),
      (#"{"lane":"a","symbols":["NSE:X",5]}"#, "its 'symbols.1' is not a text"),
      (#"{"lane":"a","symbols":[null]}"#, "its 'symbols.0' is not a text"),
      (#"{"lane":"a","symbols":[],"slots":"many"}"#, "its 'slots' is not a whole number"),
      (#"["a"]"#, "it is not an object"), ("lane=a", "it is no JSON"), ("", "it is no JSON"),
    ])
  func aWrongBodyIsToldInOneSentence(body: String, sentence: String) throws {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(LaneRequest.self, from: Data(body.utf8))
    }
    #expect(error?.sentence == sentence)
  }
}
