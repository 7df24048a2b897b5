import MarketData

/// How a gateway is started and how long it is waited for.
public struct GatewayOptions: Sendable {
  /// The program, looked up in PATH unless it holds a slash, and its arguments; no shell is involved.
  public var command: [String]
  /// All that the program gets to see of the environment.
  public var environment: [String: String]
  /// Longest time until the program has said hello.
  public var helloTimeoutMilliseconds = 15_000
  /// Longest silence while an answer to a request is awaited.
  public var answerTimeoutMilliseconds = 60_000
  /// After so long without a line, the program is asked whether it is there.
  public var pingMilliseconds = 2_000
  /// Takes what the program logs, and each line of its standard error, with a level: debug, info, warning or error.
  public var log: @Sendable (_ level: String, _ text: String) -> Void = { _, _ in }

  /// Makes options with the usual limits.
  public init(command: [String], environment: [String: String]) {
    self.command = command
    self.environment = environment
  }
}

/// A gateway that was started and has said hello: what a source of ticks and a source of candles share.
final class GatewayConnection {
  let process: GatewayProcess
  private(set) var hello = GatewayMessage.Hello(protocolVersion: 0, name: "", capabilities: [])

  /// Longest wait between two looks at whether anybody still wants the answer.
  static let stopLookMilliseconds = 100

  /// Starts the program and waits for its hello.
  ///
  /// - Parameters:
  ///   - capability: What the program must be able to; nil when that is found out later.
  ///   - shouldStop: True once nobody waits any longer, which is then thrown as `unavailable`.
  /// - Throws: ``Fault`` of kind `configuration` when there is no such program or it cannot do what is needed,
  ///   `unavailable` when it says no hello in time, `protocolViolation` when it says something else, and as
  ///   ``GatewayProcess`` when it ends.
  init(
    _ options: GatewayOptions, role: GatewayRequest.Role, capability: String?,
    until shouldStop: () -> Bool
  ) throws(Fault) {
    process = try GatewayProcess(command: options.command, environment: options.environment) { line in
      options.log("info", line)
    }
    do throws(Fault) {
      try process.send(GatewayRequest.hello(role))
      hello = try waitForHello(options, until: shouldStop)
      guard hello.protocolVersion == GatewayRequest.protocolVersion else {
        throw process.fault(
          .configuration,
          "speaks version \(hello.protocolVersion) of the protocol, but \(GatewayRequest.protocolVersion) is spoken here"
        )
      }
      if let capability, !hello.capabilities.contains(capability) {
        throw process.fault(
          .configuration,
          "does not list \"\(capability)\" among the capabilities of its hello, which is needed here")
      }
    } catch {
      process.stop()
      throw error
    }
  }

  private func waitForHello(_ options: GatewayOptions, until shouldStop: () -> Bool) throws(Fault)
    -> GatewayMessage.Hello
  {
    let deadline = Deadline(afterMilliseconds: options.helloTimeoutMilliseconds)
    var hello: GatewayMessage.Hello?
    while hello == nil {
      if shouldStop() { throw process.fault(.unavailable, "is not waited for any longer") }
      guard !deadline.isPast else {
        throw process.fault(
          .unavailable, "has not said hello in \(options.helloTimeoutMilliseconds) ms")
      }
      let slice = min(deadline.remainingMilliseconds, Self.stopLookMilliseconds)
      _ = try process.receive(timeoutMilliseconds: slice) {
        (bytes, range, _) throws(Fault) in
        hello = try readFirst(bytes, range, options)
        // What comes behind it is for the first receive.
        return hello == nil
      }
    }
    return hello ?? self.hello
  }

  /// The hello, or nil for a line that may come before it.
  private func readFirst(_ bytes: [UInt8], _ range: Range<Int>, _ options: GatewayOptions) throws(Fault)
    -> GatewayMessage.Hello?
  {
    let message: GatewayMessage
    do {
      var scanner = JSONScanner(bytes, in: range)
      message = try GatewayMessage(try GatewayLine(&scanner), scanner)
    } catch {
      throw process.fault(
        .protocolViolation,
        "begins with '\(excerpt(of: bytes[range]))', where its hello should be: \(error.message)"
      )
    }
    switch message {
    case .hello(let hello): return hello
    case .log(let level, let text): options.log(level, text)
    case .alive: break
    case .error(_, let kind, let text): throw Self.fault(kind: kind, text, of: process)
    default:
      throw process.fault(
        .protocolViolation,
        "begins with '\(excerpt(of: bytes[range]))', where its hello should be")
    }
    return nil
  }

  /// The fault that a gateway's `error` tells of.
  static func fault(kind: String, _ text: String, of process: GatewayProcess) -> Fault {
    let known: Fault.Kind =
      switch kind {
      case "refused": .refused
      case "configuration": .configuration
      case "usage": .usage
      default: .unavailable
      }
    return Fault(known, "the gateway '\(process.title)' says: \(text)")
  }
}
