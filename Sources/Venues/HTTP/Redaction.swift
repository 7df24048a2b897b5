/// Takes credentials out of sentences that people and log files get to see.
struct Redaction {
  /// The address with the values of telling query parameters, and any user information, replaced.
  let url: String
  /// What must not appear in other text either, the longest first, so that no secret is left half shown because a
  /// part of it was replaced before.
  private let secrets: [String]

  private static let secretQueryNames: Set<String> = [
    "access_token", "api_key", "apikey", "api_secret", "request_token", "checksum", "enctoken", "token",
    "feedtoken", "feed_token", "clientcode", "jwttoken", "refresh_token",
  ]
  private static let secretHeaderParts = ["auth", "key", "token", "secret", "cookie", "client"]
  private static let replacement = "***"
  /// Shorter secrets are not looked for in free text: they would take ordinary words apart and hide nothing.
  private static let characterCountMin = 4

  /// Learns the secrets of a request from its address and its header fields; `told` are further ones, which are taken
  /// out of the address wherever they stand.
  init(url: String, headers: [(name: String, value: String)] = [], secrets told: [String] = []) {
    var found: [Substring] = []
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var shown = Self.withoutUserInformation(parts[0], secrets: &found)
    if parts.count == 2 {
      shown +=
        "?" + parts[1].split(separator: "&").map { Self.redacted($0, secrets: &found) }.joined(separator: "&")
    }
    for header in headers {
      let name = header.name.lowercased()
      guard Self.secretHeaderParts.contains(where: name.contains) else { continue }
      // `Authorization: token key:secret`: the scheme is no secret, the rest is, in whole and in parts.
      let words = header.value.split(separator: " ")
      for word in words.count > 1 ? words.dropFirst() : words[...] {
        found += [word] + word.split(separator: ":")
      }
    }
    self.url = Self.replace(Self.ordered(told), in: shown)
    secrets = Self.ordered(found.map(String.init) + told)
  }

  private static func ordered(_ secrets: [String]) -> [String] {
    Set(secrets).filter { $0.count >= characterCountMin }.sorted { ($0.count, $0) > ($1.count, $1) }
  }

  private static func withoutUserInformation(_ address: Substring, secrets: inout [Substring]) -> String {
    let parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count > 2, let at = parts[2].lastIndex(of: "@") else { return String(address) }
    secrets += parts[2][..<at].split(separator: ":")
    return ([parts[0], parts[1], replacement + parts[2][at...]] + parts.dropFirst(3)).joined(separator: "/")
  }

  private static func redacted(_ parameter: Substring, secrets: inout [Substring]) -> String {
    let parts = parameter.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, secretQueryNames.contains(parts[0].lowercased()) else { return String(parameter) }
    secrets.append(parts[1])
    return "\(parts[0])=\(replacement)"
  }

  /// The text with every secret replaced.
  func callAsFunction(_ text: String) -> String { Self.replace(secrets, in: text) }

  private static func replace(_ secrets: [String], in text: String) -> String {
    secrets.reduce(text) {
      $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: replacement)
    }
  }
}
