import Foundation
import MarketData
import Testing

@testable import Venues

/// Tokens between login and use: private, whole, and taken up while a process runs.
@Suite final class TokenStoreTests {
  private let root: String
  private let store: TokenStore
  private let token = StoredToken(
    venue: "kite", words: ["api_key": "key", "access_token": "tok\"en\\1"],
    obtained: CivilTime(year: 2026, month: 11, day: 25, hour: 8).timestamp(),
    expires: CivilTime(year: 2026, month: 11, day: 26, hour: 6).timestamp())

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("tickring-tokens-\(UUID())").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    store = TokenStore(directory: root + "/a/b")
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  private func mode(_ path: String) throws -> Int {
    try (FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? 0
  }

  private func chmod(_ path: String, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  @Test func whatIsWrittenIsReadAndPrivate() throws {
    #expect(try store.read("kite") == nil)
    try store.write(token)
    #expect(try store.read("kite")?.token == token)
    #expect(try mode(store.path(of: "kite")) == 0o600)
    #expect(try mode(store.directory) == 0o700)
    var next = token
    next.words["access_token"] = "another"
    next.expires = nil
    try store.write(next)
    #expect(try store.read("kite")?.token == next)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory) == ["kite.json"])
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o644, 0o666])
  func aFileOpenToOthersIsRefused(mode: Int) throws {
    try store.write(token)
    try chmod(store.path(of: "kite"), mode)
    let fault = #expect(throws: Fault.self) { _ = try self.store.read("kite") }
    #expect(fault?.kind == .configuration)
    #expect(fault?.message.contains("open to others (mode 0\(String(mode, radix: 8)))") == true)
  }

  @Test func aDirectoryOpenToOthersTakesNoToken() throws {
    try FileManager.default.createDirectory(atPath: root + "/open", withIntermediateDirectories: true)
    try chmod(root + "/open", 0o755)
    let fault = #expect(throws: Fault.self) {
      try TokenStore(directory: self.root + "/open").write(self.token)
    }
    #expect(fault?.kind == .configuration)
    #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/open").isEmpty)
  }

  @Test func aLinkOrDirectoryInPlaceOfTheFileIsRefused() throws {
    try store.write(token)
    try FileManager.default.moveItem(atPath: store.path(of: "kite"), toPath: root + "/elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: store.path(of: "kite"), withDestinationPath: root + "/elsewhere")
    #expect(throws: Fault.self) { _ = try self.store.read("kite") }
    try FileManager.default.removeItem(atPath: store.path(of: "kite"))
    try FileManager.default.createDirectory(
      atPath: store.path(of: "kite"), withIntermediateDirectories: false)
    #expect(throws: Fault.self) { _ = try self.store.read("kite") }
  }

  @Test(arguments: ["", "{", "[]", "{\"venue\":1}", "{\"obtained\":\"yesterday\"}", "{} x"])
  func aMalformedFileIsNamed(text: String) throws {
    try store.write(token)
    try text.write(toFile: store.path(of: "kite"), atomically: false, encoding: .utf8)
    let fault = #expect(throws: Fault.self) { _ = try self.store.read("kite") }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains(store.path(of: "kite")) == true)
  }

  @Test func theEnvironmentNamesTheDirectory() {
    func directory(_ environment: [String: String]) -> String {
      TokenStore(environment: environment).directory
    }
    #expect(directory(["TICKRING_TOKEN_DIRECTORY": "/t", "HOME": "/h"]) == "/t")
    #expect(directory(["TICKRING_TOKEN_DIRECTORY": "", "HOME": "/h"]) == "/h/.config/tickring/tokens")
    #expect(directory(["XDG_CONFIG_HOME": "/x", "HOME": "/h"]) == "/x/tickring/tokens")
  }

  // MARK: Kite's rule

  private func credentials(
    _ environment: [String: String], startedBefore seconds: Int64 = 0, hour: Int = 9
  ) throws(Fault) -> KiteCredentials {
    let now = CivilTime(year: 2026, month: 11, day: 25, hour: hour).timestamp()
    return try KiteTokens(
      store: store, environment: environment,
      started: Timestamp.wallClock() + -seconds * Timestamp.nanosecondsPerSecond + 1_000_000_000, now: { now }
    ).credentials()
  }

  private let environment = ["TICKRING_KITE_API_KEY": "key", "TICKRING_KITE_ACCESS_TOKEN": "envtoken"]

  @Test func aFileNewerThanTheProcessGoesBeforeTheEnvironment() throws {
    #expect(try credentials(environment).accessToken == "envtoken")
    try store.write(token)
    #expect(try credentials(environment).accessToken == "envtoken", "the file was there before")
    #expect(try credentials([:]).accessToken == "tok\"en\\1")
    #expect(
      try credentials(environment, startedBefore: 60)
        == KiteCredentials(apiKey: "key", accessToken: "tok\"en\\1"))
    let fault = #expect(throws: Fault.self) {
      _ = try self.credentials(["TICKRING_KITE_API_KEY": "other"], startedBefore: 60)
    }
    #expect(fault?.message.contains("is for another API key") == true)
  }

  @Test func anExpiredTokenIsSaidToBe() throws {
    try store.write(token)
    #expect(try credentials(environment, startedBefore: 60, hour: 30).accessToken == "envtoken")
    let fault = #expect(throws: Fault.self) { _ = try self.credentials([:], hour: 30) }
    #expect(fault?.kind == .refused)
    #expect(
      fault?.message
        == "the access token of Kite in '\(store.path(of: "kite"))' has expired at 2026-11-26T06:00:00+05:30; "
        + "run `tickring login kite`")
  }

  @Test func missingOrUnfitCredentialsAreNamed() throws {
    for environment in [[:], ["TICKRING_KITE_API_KEY": "x"], ["TICKRING_KITE_ACCESS_TOKEN": "x"]] {
      let fault = #expect(throws: Fault.self) { _ = try self.credentials(environment) }
      #expect(fault?.kind == .configuration)
    }
    let unfit = #expect(throws: Fault.self) {
      _ = try self.credentials(["TICKRING_KITE_API_KEY": "k", "TICKRING_KITE_ACCESS_TOKEN": "hunter2\r"])
    }
    #expect(
      unfit?.message
        == "TICKRING_KITE_ACCESS_TOKEN holds white space or characters that no such word has; set it anew")
    try store.write(token)
    let fault = #expect(throws: Fault.self) { _ = try self.credentials(["TICKRING_KITE_API_KEY": "other"]) }
    #expect(fault?.message.contains("for another API key") == true)
  }

  @Test func theWordsNeverShowInText() {
    let credentials = KiteCredentials(apiKey: "hunter1", accessToken: "hunter2")
    var dumped = ""
    dump(Optional(credentials), to: &dumped)
    for text in ["\(credentials)", "\([credentials])", String(reflecting: credentials), dumped] {
      #expect(!text.contains("hunter"))
    }
  }

  @Test func tokensEndAtSixInTheMorning() {
    for (hour, day) in [(0, 25), (5, 25), (6, 26), (9, 26), (23, 26)] {
      let obtained = CivilTime(year: 2026, month: 11, day: 25, hour: hour).timestamp()
      #expect(
        KiteTokens.expiry(ofTokenObtained: obtained)
          == CivilTime(year: 2026, month: 11, day: day, hour: 6).timestamp())
    }
  }
}
