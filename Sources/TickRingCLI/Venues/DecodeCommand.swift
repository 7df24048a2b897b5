internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import Venues

struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Decode a venue's frames for people.",
    subcommands: [Kite.self, AngelOne.self, OpenAlgo.self, Gateway.self])

  struct Kite: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "kite",
      abstract:
        "Hex frames of Zerodha Kite's ticker on standard input, one a line; one JSON object a tick out.",
      discussion: """
        Keys are those of the vendor's own Python client, prices exact decimals, times Unix seconds. A bad frame is \
        one line on standard error and the next is read; exit code 1 if any was bad.
        """)

    func run() throws { try decodeLines(KiteMessage.describe(hex:)) }
  }

  struct AngelOne: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "angelone",
      abstract:
        "Hex frames of Angel One's SmartStream v2 on standard input, one a line; one JSON object a frame out.",
      discussion: """
        Keys are those of the vendor's own Python client, prices exact decimals in rupees, times as on the wire. A \
        bad frame is one line on standard error and the next is read; exit code 1 if any was bad.
        """)

    func run() throws { try decodeLines(AngelOneMessage.describe(hex:)) }
  }

  struct OpenAlgo: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "openalgo",
      abstract:
        "Messages of an OpenAlgo server on standard input, one a line; one JSON object a tick out.",
      discussion: """
        A message is JSON text, or the hex digits of it. Keys and times are as on the wire, other numbers exact \
        decimals rounded to 1e-9. A bad message, and an error of the server's, is one line on standard error and the \
        next is read; exit code 1 if there was any.
        """)

    func run() throws { try decodeLines(OpenAlgoMessage.describe(line:)) }
  }

  struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gateway",
      abstract: "A gateway's output on standard input, one line each; one JSON object a tick out.",
      discussion: """
        Tries a gateway before a feed runs on it: `my_gateway | tickring decode gateway`. A line is JSON text, or the \
        hex digits of it. Keys and times are as on the wire, other numbers exact decimals rounded to 1e-9. A bad line, \
        and an error of the gateway's, is one line on standard error and the next is read; exit code 1 if there was any.
        """)

    func run() throws { try decodeLines(GatewayOutput.describe(line:)) }
  }
}

/// Puts every line of standard input through `describe`, which a venue brings along.
private func decodeLines(_ describe: (String) -> FrameDescription) throws {
  var isGood = true
  var number = 0
  while let line = readLine(), !Console.isClosed {
    number += 1
    let answer = describe(line)
    for text in answer.lines { Console.line(text) }
    for sentence in answer.errors {
      isGood = false
      Console.error("line \(number): \(sentence)")
    }
  }
  guard isGood else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
}
