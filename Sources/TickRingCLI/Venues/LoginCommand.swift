internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MarketData
internal import Venues

struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Obtain a venue's token of the day and keep it for the feed.",
    discussion: "A feed that waits for a new token takes it up by itself.",
    subcommands: [KiteLoginCommand.self])
}

struct KiteLoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kite",
    abstract: "Log in at Zerodha's Kite: prints the address to sign in at, takes what it returns.",
    discussion: """
      Sign in at the address printed; the browser is then sent to the application's redirect address. Paste that \
      address, or the request_token in it. The environment holds TICKRING_KITE_API_KEY and TICKRING_KITE_API_SECRET; \
      the secret is used for this exchange only and kept nowhere. The token is good until 06:00 of the next day.
      """)

  @Argument(help: "The request token or the whole address; read from standard input when left out.")
  var requestToken: String?
  @Option(help: "Configuration file of the feed: its api_url, ca_file and credentials.directory are used.")
  var config: String?

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let configuration = try config.map { try loadConfiguration($0) } ?? FeedConfiguration()
    let apiKey = try Self.word(KiteTokens.apiKeyVariable, environment)
    let secret = try Self.word(KiteTokens.apiSecretVariable, environment)
    let store =
      configuration.credentials.directory.map { TokenStore(directory: $0) }
      ?? TokenStore(environment: environment)
    let login = KiteLogin(apiKey: apiKey, baseURL: configuration.source.apiURL)
    let answer: String
    if let requestToken {
      answer = requestToken
    } else {
      // On standard output, so that a script can open it.
      Console.line(login.loginURL())
      Console.errorText("Sign in there, then paste the address to which the browser is sent back: ")
      guard let line = readLine() else {
        throw Fault(.usage, "standard input ended before a request token came")
      }
      answer = line
    }
    let token = try KiteLogin.requestToken(in: answer)
    let client = try HTTPClient(caFile: configuration.source.caFile, proxy: configuration.source.proxy)
    let session = try login.session(
      in: try client.send(login.exchange(requestToken: token, apiSecret: secret)))
    let stored = login.stored(session, obtained: .wallClock())
    try store.write(stored)
    let expiry = stored.expires.map { ", good until \($0.rfc3339)" } ?? ""
    Console.line(
      "\(session.user) is logged in; the token is in '\(store.path(of: KiteTokens.venue))'\(expiry)")
  }

  private static func word(_ variable: String, _ environment: [String: String]) throws(Fault) -> String {
    guard let value = environment[variable], !value.isEmpty else {
      throw Fault(
        .configuration,
        "the environment variable \(variable) is not set; it is on the application's page at developers.kite.trade"
      )
    }
    return value
  }
}
