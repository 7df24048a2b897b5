internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MarketData

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check a configuration file, or print an annotated example.",
    subcommands: [Check.self, Example.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Check a configuration file; every fault found is one line on standard error.")

    @Argument(help: "The file.") var file: String

    func run() throws {
      do {
        _ = try FeedConfiguration.load(path: file)
        Console.line("\(file): correct")
      } catch {
        for fault in error.all { Console.error(fault.message) }
        throw ExitCode(error.fault.kind.rawValue)
      }
    }
  }

  struct Example: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "example", abstract: "Print an example configuration with every key explained.")

    func run() { Console.write(FeedConfiguration.annotatedExample) }
  }
}
