import Configuration
import Foundation
import MarketData
import Testing

/// Files that cannot be read, texts that are not YAML, and what a file's place means for the paths in it.
@Suite struct TextTests {
  @Test(
    arguments: [
      ("", "feed.yaml: the file is empty, but must hold keys with values, such as feed: nse"),
      ("# nothing\n", "feed.yaml: the file is empty, but must hold keys with values, such as feed: nse"),
      (
        "feed: nse\n\tlog_level: info",
        "found a tab character that violates indentation; YAML is indented by spaces, never by tabs"
      ),
      ("feed: nse\ninstruments: [NSE:A\nretry: {}", "feed.yaml:3: this is not YAML: "),
      ("feed: nse\n---\nfeed: nse", "feed.yaml:2: this is not YAML: "),
      ("feed: *nse", "feed.yaml:1: this is not YAML: found undefined alias"),
      ("feed: nse\nx: \u{1}", "feed.yaml:2: this is not YAML: control characters are not allowed"),
      ("hello", "feed.yaml:1: the file is 'hello', but must hold keys, each with a value: feed, "),
      ("- feed", "feed.yaml:1: the file is a list, but must hold keys, each with a value: feed, "),
      ("{\"feed\": \"nse\"", "feed.yaml:1: this is not YAML: "),
    ])
  func aTextThatIsNotAMappingInYAMLIsExplainedInOneLine(text: String, part: String) {
    let all = sentences(text)
    #expect(all.count == 1)
    #expect(all.first?.contains(part) == true, "\(all)")
    #expect(all.first?.contains("\n") == false)
  }

  @Test func linesAreCountedAlikeWhateverEndsThem() {
    for end in ["\n", "\r\n", "\r"] {
      let text = ["feed: nse", "retry:", "  attempts_max: 0", "feed: bse"].joined(separator: end)
      #expect(
        sentences(text) == [
          "feed.yaml:3: retry.attempts_max is '0', but must be a whole number from 1 to 10000",
          "feed.yaml:4: feed is given twice, first in line 1; one of the two must go",
        ])
    }
  }

  @Test func aByteOrderMarkAtTheStartOfTheFileDoesNoHarm() throws {
    #expect(try FeedConfiguration.parse("\u{FEFF}feed: bse", file: "feed.yaml").feed == "bse")
  }

  @Test func aMissingFileADirectoryAndOtherBytesAreExplained() throws {
    try withTemporaryDirectory { directory in
      let binary = directory + "/binary.yaml"
      try Data([0x66, 0xFF, 0x00]).write(to: URL(fileURLWithPath: binary))
      let large = directory + "/large.yaml"
      try Data(repeating: 0x23, count: FeedConfiguration.fileBytesMax + 1).write(
        to: URL(fileURLWithPath: large))
      for (path, kind, text) in [
        (directory + "/none.yaml", Fault.Kind.missingInput, "the configuration file does not exist"),
        (directory, .missingInput, "this is a directory, but must be a configuration file"),
        (binary, .configuration, "this is not UTF-8 text, but must be YAML, such as feed: nse"),
        (binary + "/x", .missingInput, "the configuration file cannot be opened: Not a directory"),
        (large, .missingInput, "the configuration file is larger than 1048576 bytes"),
      ] {
        let faults = #expect(throws: ConfigurationFaults.self) { try FeedConfiguration.load(path: path) }
        #expect(faults?.all == [Fault(kind, "\(path): \(text)")])
        #expect(faults?.fault == faults?.all.first)
      }
    }
  }

  @Test func relativePathsAreRelativeToTheFile() throws {
    try withTemporaryDirectory { directory in
      let path = directory + "/feed.yaml"
      try "control_socket: run/x.sock\nsource: {ca_file: /etc/ca.pem}\nfeed: bse".write(
        toFile: path, atomically: true, encoding: .utf8)
      let loaded = try FeedConfiguration.load(path: path)
      #expect(loaded.dataDirectory == directory + "/tickring-data")
      #expect(loaded.controlSocket == directory + "/run/x.sock")
      #expect(loaded.source.caFile == "/etc/ca.pem")
      var other = loaded
      other.controlSocket = nil
      #expect(other.controlSocketPath == directory + "/tickring-data/bse.sock")
    }
  }

  @Test func nestingWithoutEndIsAFaultAndNoCrash() {
    for text in [
      String(repeating: "[", count: 200_000), String(repeating: "- ", count: 200_000),
      "feed: " + String(repeating: "{a: ", count: 100_000),
    ] {
      #expect(sentences(text).count == 1)
    }
  }

  @Test func aDamagedFileIsReadOrExplainedButNeverTraps() {
    let example = Array(FeedConfiguration().yamlText.utf8)
    let spice = Array("[]{}:,&*!|>'\"%@`#-?\n \t~<=0aé\u{E000}".utf8)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<400 {
      var bytes = example
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.remove(at: index)
        case 1: bytes.insert(spice.randomElement(using: &random) ?? 0, at: index)
        default: bytes.replaceSubrange(index..., with: bytes[index...].shuffled(using: &random).prefix(9))
        }
        if bytes.isEmpty { break }
      }
      let all = sentences(String(decoding: bytes, as: UTF8.self))
      #expect(all.allSatisfy { $0.hasPrefix("feed.yaml:") && !$0.contains("\n") })
    }
  }
}
