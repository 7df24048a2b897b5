import Configuration
import MarketData
import Testing

/// What a wrong configuration says: file, line, full key, what is wrong, and what would be right.
@Suite struct FaultTests {
  @Test(
    arguments: [
      ("feed: NSE", "feed.yaml:1: feed is 'NSE', but must be 1 to 32 of the characters a-z, 0-9 and -"),
      ("feed:", "feed.yaml:1: feed is empty, but must be 1 to 32 of the characters a-z, 0-9 and -"),
      ("feed: [nse]", "feed.yaml:1: feed is a list, but must be 1 to 32 of the characters a-z, 0-9 and -"),
      (
        "log_level: verbose",
        "feed.yaml:1: log_level is 'verbose', but must be one of trace, debug, info, notice, warning, error, critical"
      ),
      (
        "source:\n  venue: nse",
        "feed.yaml:2: source.venue is 'nse', but must be one of kite, angelone, openalgo, gateway"
      ),
      (
        "source:\n  venue: gateway",
        "feed.yaml:2: source.venue is gateway, which needs source.gateway_command, a program and its arguments as in "
          + "[python3, my_broker.py]"
      ),
      (
        "source:\n  gateway_command: [cat]",
        "feed.yaml:2: source.gateway_command is given, but source.venue is kite; set that to gateway, or remove the "
          + "command"
      ),
      (
        "source:\n  gateway_command: [[cat]]",
        "feed.yaml:2: source.gateway_command[0] is a list, but must be a text without a zero byte"
      ),
      (
        "recorder:\n  # a comment\n  block_ticks: 0",
        "feed.yaml:3: recorder.block_ticks is '0', but must be a whole number from 1 to 32768"
      ),
      (
        "recorder:\n  block_ticks: \"5\"",
        "feed.yaml:2: recorder.block_ticks is the text \"5\" in quotes, but must be a whole number from 1 to 32768"
      ),
      (
        "recorder: {block_ticks: 010}",
        "feed.yaml:1: recorder.block_ticks is '010', but must be a whole number from 1 to 32768"
      ),
      (
        "recorder:\n  cpu: first",
        "feed.yaml:2: recorder.cpu is 'first', but must be a whole number from 0 to 1023, or empty"
      ),
      (
        "shared_memory:\n  lane_slots: 65535",
        "feed.yaml:2: shared_memory.lane_slots is '65535', but must be a power of two from 1024 to 16777216"
      ),
      (
        "shared_memory: 5",
        "feed.yaml:1: shared_memory is '5', but must hold keys, each with a value: mode, group, lane_slots, "
          + "recorder_slots, lanes_max, instruments_max, huge_pages, lock_memory"
      ),
      (
        "instruments: NSE:INFY",
        "feed.yaml:1: instruments is 'NSE:INFY', but must be a list of symbols such as [NSE:RELIANCE, NSE:INFY], or "
          + "the word all"
      ),
      (
        "instruments: []",
        "feed.yaml:1: instruments is an empty list, but must be a list of symbols such as [NSE:RELIANCE, NSE:INFY], "
          + "or the word all"
      ),
      (
        "instruments:\n- NSE:INFY\n- INFY",
        "feed.yaml:3: instruments[1] is 'INFY', but must be EXCHANGE:SYMBOL as in NSE:RELIANCE, of at most 39 bytes"
      ),
      (
        "instruments:\n- NSE:INFY\n- NSE:INFY",
        "feed.yaml:3: instruments[1] is 'NSE:INFY', but must be named only once"
      ),
      (
        "instruments:\n- NSE: INFY",
        "feed.yaml:2: instruments[0] is a mapping of keys, but must be EXCHANGE:SYMBOL as in NSE:RELIANCE, of at most "
          + "39 bytes"
      ),
      ("? [a]\n: 1", "feed.yaml:1: a key is a list, but must be a word"),
    ])
  func aWrongValueIsNamedWithWhatWouldBeRight(text: String, sentence: String) {
    #expect(sentences(text) == [sentence])
  }

  @Test(arguments: ["600", "0600", "\"0600\"", "0o600"])
  func theFileModeIsOctalHoweverItIsWritten(mode: String) throws {
    let parsed = try FeedConfiguration.parse("shared_memory: {mode: \(mode)}", file: "feed.yaml")
    #expect(parsed.sharedMemory.mode == 0o600)
  }

  @Test(arguments: ["0400", "1600", "608", "60", "00600", "+600", "-600", "rw", "[6]"])
  func aFileModeThatShutsOutTheOwnerOrIsNoneIsRefused(mode: String) {
    #expect(
      sentences("shared_memory: {mode: \(mode)}").first?.hasSuffix(
        "but must be an octal file mode from \"0600\" to \"0777\" that lets the owner read and write") == true
    )
  }

  @Test(arguments: ["-x", "a b", ".x", "{}", String(repeating: "g", count: 33)])
  func aGroupThatNoGroupCanBeCalledIsRefused(group: String) {
    #expect(
      sentences("shared_memory: {group: '\(group)'}").first?.contains("name or number of a group") == true)
  }

  @Test(arguments: ["yes", "1", "'true'"]) func aFlagIsTrueOrFalse(flag: String) {
    #expect(
      sentences("shared_memory: {huge_pages: \(flag)}").first?.hasSuffix("but must be true or false") == true)
  }

  @Test(arguments: [
    "https://ws.kite.trade", "wss://", "wss:ws.kite.trade", "ws.kite.trade", "wss://ws.kite.trade:0",
    "wss://ws.kite.trade:70000", "wss://a b", "''", "[]",
  ])
  func anAddressWithTheWrongSchemeOrWithoutAHostIsRefused(url: String) {
    let text = sentences("source: {websocket_url: \(url)}")
    #expect(text.count == 1)
    #expect(text.first?.hasPrefix("feed.yaml:1: source.websocket_url is ") == true)
  }

  @Test func anAddressThatCarriesCredentialsIsRefusedWithoutRepeatingThem() {
    for url in ["wss://ws.kite.trade?access_token=hunter2", "wss://me:hunter2@ws.kite.trade"] {
      #expect(
        sentences("source:\n  websocket_url: \(url)") == [
          "feed.yaml:2: source.websocket_url is an address with a user, a query or a fragment, but must be an address "
            + "that begins with wss:// or ws://, without user, query or fragment, such as wss://ws.kite.trade, or "
            + "empty"
        ])
    }
  }

  @Test(
    arguments: [
      (
        "recorder:\n  block_tick: 5",
        "feed.yaml:2: recorder.block_tick is not a key; did you mean recorder.block_ticks?"
      ),
      ("recoder: {}", "feed.yaml:1: recoder is not a key; did you mean recorder?"),
      ("block_ticks: 5", "feed.yaml:1: block_ticks is not a key; did you mean recorder.block_ticks?"),
      (
        "history:\n  zebra: 5",
        "feed.yaml:2: history.zebra is not a key; valid here are source, gateway_command, sessions, "
          + "requests_per_second, requests_per_minute, requests_per_hour, requests_at_once"
      ),
      (
        "history:\n  <<: {sessions: 1}",
        "feed.yaml:2: history.<< is not a key; valid here are source, gateway_command, sessions, "
          + "requests_per_second, requests_per_minute, requests_per_hour, requests_at_once"
      ),
    ])
  func anUnknownKeyIsNamedWithTheNearestValidOne(text: String, sentence: String) {
    #expect(sentences(text) == [sentence])
  }

  @Test(
    arguments: [
      ("access_token", "TICKRING_KITE_ACCESS_TOKEN"), ("api_key", "TICKRING_KITE_API_KEY"),
      ("kite_apikey", "TICKRING_KITE_API_KEY"),
      ("api_secret", "TICKRING_KITE_API_KEY and TICKRING_KITE_ACCESS_TOKEN"),
      ("Password", "TICKRING_KITE_API_KEY and TICKRING_KITE_ACCESS_TOKEN"),
    ])
  func aSecretInTheFileIsSentToTheEnvironmentAndNotRepeated(key: String, variables: String) {
    #expect(
      sentences("source:\n  \(key): hunter2") == [
        "feed.yaml:2: source.\(key) is a secret, which must not stand in a file; remove it, and set \(variables) in "
          + "the environment"
      ])
  }

  @Test func aRepeatedKeyIsNamedWithBothLinesAndTheRestIsStillChecked() {
    let text = """
      feed: a
      recorder:
        cpu: x

        # twice
        seal_seconds: 1
        cpu : 2
      feed: b
      feed: c
      recorder:
        cpu: 3
      """
    #expect(
      sentences(text) == [
        "feed.yaml:3: recorder.cpu is 'x', but must be a whole number from 0 to 1023, or empty",
        "feed.yaml:7: recorder.cpu is given twice, first in line 3; one of the two must go",
        "feed.yaml:8: feed is given twice, first in line 1; one of the two must go",
        "feed.yaml:9: feed is given twice, first in line 1; one of the two must go",
        "feed.yaml:10: recorder is given twice, first in line 2; one of the two must go",
      ])
  }

  @Test func aRepeatedKeyInOneLineOrInQuotesIsNamedByTheFirstLine() {
    for text in ["recorder: {cpu: 1, cpu: 2}", "recorder:\n  cpu: 1\n  \"cpu\": 2"] {
      let line = text.contains("\n") ? 2 : 1
      #expect(
        sentences(text) == ["feed.yaml:\(line): cpu is given twice in one mapping; one of the two must go"])
    }
    let many = (0..<200).map { "k\($0): 1\nk\($0): 2" }.joined(separator: "\n")
    #expect(sentences(many) == ["feed.yaml: more than 100 keys are given twice"])
  }

  @Test func valuesThatContradictEachOtherAreNamed() {
    let text = """
      instruments: [NSE:A, NSE:B]
      shared_memory: {instruments_max: 1}
      retry: {first_delay_milliseconds: 600, delay_milliseconds_max: 500}
      data_directory: /\(String(repeating: "d", count: 92))
      """
    #expect(
      sentences(text) == [
        "feed.yaml:1: instruments lists 2 symbols, but shared_memory.instruments_max is 1; raise it",
        "feed.yaml:3: retry.first_delay_milliseconds is 600, but must not be above retry.delay_milliseconds_max, "
          + "which is 500",
        "feed.yaml: control_socket would be /\(String(repeating: "d", count: 92))/nse.sock with 102 bytes, but a "
          + "socket's path has at most 100; give a shorter one",
      ])
    #expect(sentences("data_directory: /\(String(repeating: "d", count: 90))").isEmpty)
  }

  @Test func allFaultsAreReportedInTheOrderOfTheirLines() throws {
    let text = "retry:\n  attempts_max: 0\nfed: x\nquality: {band_percent: -1, stale_seconds: 1e3}"
    let faults = #expect(throws: ConfigurationFaults.self) {
      try FeedConfiguration.parse(text, file: "feed.yaml")
    }
    #expect(faults?.all.map(\.kind) == [.configuration, .configuration, .configuration, .configuration])
    #expect(
      faults?.description == """
        feed.yaml:2: retry.attempts_max is '0', but must be a whole number from 1 to 10000
        feed.yaml:3: fed is not a key; did you mean feed?
        feed.yaml:4: quality.band_percent is '-1', but must be a whole number from 0 to 10000, or empty
        feed.yaml:4: quality.stale_seconds is '1e3', but must be a whole number from 0 to 86400, or empty
        """)
    #expect(faults?.fault == faults?.all.first)
  }
}
