import Configuration
import MarketData
import Testing

/// Secrets come from the environment, completely or not at all, and never show.
@Suite struct SecretsTests {
  @Test func bothWordsComeFromTheEnvironment() throws {
    let secrets = try KiteSecrets(environment: [
      "TICKRING_KITE_API_KEY": "key", "TICKRING_KITE_ACCESS_TOKEN": "word",
    ])
    #expect(secrets == KiteSecrets(apiKey: "key", accessToken: "word"))
  }

  @Test func everythingThatIsMissingIsNamedInOneSentence() {
    let end = "; the venue kite needs both words, and the token anew each trading day"
    #expect(
      throws: Fault(
        .configuration, "TICKRING_KITE_API_KEY is not set and TICKRING_KITE_ACCESS_TOKEN is not set\(end)")
    ) { try KiteSecrets(environment: [:]) }
    #expect(
      throws: Fault(
        .configuration,
        "TICKRING_KITE_ACCESS_TOKEN holds white space or characters that no such word has\(end)")
    ) {
      try KiteSecrets(environment: [
        "TICKRING_KITE_API_KEY": "k", "TICKRING_KITE_ACCESS_TOKEN": "hunter2\r",
      ])
    }
  }

  @Test func theWordsNeverShowInText() {
    let secrets = KiteSecrets(apiKey: "hunter1", accessToken: "hunter2")
    var dumped = ""
    dump(Optional(secrets), to: &dumped)
    for text in ["\(secrets)", "\([secrets])", String(reflecting: secrets), dumped] {
      #expect(!text.contains("hunter"))
    }
  }
}
