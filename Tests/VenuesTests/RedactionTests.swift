import Testing

@testable import Venues

@Suite struct RedactionTests {
  @Test(
    arguments: [
      ("wss://ws.kite.trade?api_key=K&access_token=T", "wss://ws.kite.trade?api_key=***&access_token=***"),
      ("https://h/p?from=2026&Access_Token=a=b&oi=1", "https://h/p?from=2026&Access_Token=***&oi=1"),
      ("https://user:pass@h:1/p?x", "https://***@h:1/p?x"), ("https://h/a@b/c", "https://h/a@b/c"), ("", ""),
    ])
  func addressesLoseTheirCredentialsOnly(url: String, shown: String) {
    #expect(Redaction(url: url).url == shown)
  }

  @Test func secretsOfAddressAndHeadersAreReplacedInText() {
    let redact = Redaction(
      url: "https://me:hunter2@h/?access_token=abcdef&from=today",
      headers: [
        (name: "Authorization", value: "token key99:sec99"), (name: "X-PrivateKey", value: "pk-1"),
        (name: "Accept", value: "text"),
      ])
    #expect(
      redact("token today text: abcdef hunter2 key99:sec99 sec99 key99 pk-1 xpk-1x me")
        == "token today text: *** *** *** *** *** *** x***x me")
  }

  @Test func secretsThatAreToldAreReplacedWhereverTheyStand() {
    let redact = Redaction(url: "https://h/hunter2/p?apitoken=hunter2&pin=1", secrets: ["hunter2", "1"])
    #expect(redact.url == "https://h/***/p?apitoken=***&pin=1")
    #expect(redact("no hunter2 at 1") == "no *** at 1")
  }

  @Test func shortValuesDoNotTakeWordsApart() {
    #expect(Redaction(url: "ws://h?api_key=e")("server") == "server")
  }
}
