internal import ArgumentParser
internal import Configuration
internal import FeedControl
internal import Foundation
internal import MarketData
internal import TradingCalendar
internal import Venues

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Check a configuration file, print an annotated example, or reload a running feed's.",
    subcommands: [Check.self, Example.self, Reload.self])

  struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reload", abstract: "Let a running feed read its configuration file again.",
      discussion: """
        What can change while it runs: instruments, subscriptions and alert. When anything else differs, nothing is \
        changed, and the keys are named.
        """)

    @OptionGroup var options: FeedOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let answer = try options.controlClient().reloadConfiguration()
      if json { return try Console.json(answer) }
      guard !answer.changed.isEmpty else { return Console.line("nothing differs") }
      Console.line("changed: \(answer.changed.joined(separator: ", "))")
      if !answer.added.isEmpty { Console.line("added: \(answer.added.joined(separator: ", "))") }
      if !answer.removed.isEmpty { Console.line("removed: \(answer.removed.joined(separator: ", "))") }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Check a configuration file; every fault found is one line on standard error.")

    @Argument(help: "The file.") var file: String

    func run() throws {
      let configuration: FeedConfiguration
      do {
        configuration = try FeedConfiguration.load(path: file)
      } catch {
        for fault in error.all { Console.error(fault.message) }
        throw ExitCode(error.fault.kind.rawValue)
      }
      let faults = Self.faultsOfFiles(in: configuration)
      for fault in faults { Console.error(fault.message) }
      if let first = faults.first { throw ExitCode(first.kind.rawValue) }
      Console.line("\(file): correct")
    }

    /// What is wrong with the files that it names, as the feed handler would read them.
    private static func faultsOfFiles(in configuration: FeedConfiguration) -> [Fault] {
      var faults: [Fault] = []
      do throws(Fault) {
        if let calendar = configuration.calendarFile { _ = try TradingCalendar.load(path: calendar) }
      } catch {
        faults.append(error)
      }
      do throws(Fault) {
        if let caFile = configuration.source.caFile { try HTTPClient.check(caFile: caFile) }
      } catch {
        faults.append(error)
      }
      return faults
    }
  }

  struct Example: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "example", abstract: "Print an example configuration with every key explained.")

    func run() { Console.write(FeedConfiguration.annotatedExample) }
  }
}
