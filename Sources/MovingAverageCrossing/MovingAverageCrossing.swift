internal import Foundation
internal import TickRing

/// A moving-average crossing, the same in live trading, paper trading and back-tests: the configuration file decides.
///
/// usage: tickring-example-crossing CONFIG SYMBOL...
///
/// Prints one JSON object a line for each whole candle that it sees and for each signal. It places no orders; one that
/// does looks at `data.mode` first.
@main
struct MovingAverageCrossing {
  private static let fast = 5
  private static let slow = 20
  /// An average over this many spans no longer feels where it began.
  private static let candles = 10 * slow

  private let data: DataHandler
  private var wasAbove: [String: Bool] = [:]
  private var firstTick: [String: Timestamp] = [:]

  static func main() async {
    do throws(Fault) {
      let arguments = CommandLine.arguments.dropFirst()
      guard let file = arguments.first, arguments.count > 1 else {
        throw Fault(.usage, "usage: tickring-example-crossing CONFIG SYMBOL...")
      }
      let data = try await DataHandler(configuration: .file(file))
      for symbol in arguments.dropFirst() { try await data.observe(symbol) }
      var strategy = MovingAverageCrossing(data: data)
      try await strategy.run()
    } catch {
      FileHandle.standardError.write(Data("tickring-example-crossing: \(error)\n".utf8))
      exit(error.kind.rawValue)
    }
  }

  private mutating func run() async throws(Fault) {
    say(["type": "start", "mode": data.mode.rawValue])
    for await event in data.events(of: .ticks, .candles(.minute), .gaps, .halts) {
      switch event {
      case .tick(let tick):
        let symbol = data.symbol(tick.instrument)
        if firstTick[symbol] == nil { firstTick[symbol] = tick.receiveTime }
      case .candle(let candle) where candle.state == .final: try await handle(candle)
      case .gap(let gap): say(["type": "gap", "cause": gap.cause.name])
      case .feedLost(let reason), .halt(let reason): say(["type": "halt", "reason": reason])
      default: break
      }
    }
    say(["type": "end"])
  }

  private mutating func handle(_ candle: Candle) async throws(Fault) {
    let symbol = data.symbol(candle.instrument)
    // The candle in whose midst the first tick came lacks what was traded before.
    guard let first = firstTick[symbol], candle.start > first else { return }
    say([
      "type": "candle", "symbol": symbol, "start": candle.start.rfc3339, "open": candle.open.description,
      "high": candle.high.description, "low": candle.low.description, "close": candle.close.description,
      "volume": "\(candle.volume)", "ticks": "\(candle.tickCount)",
    ])
    let closes = try await data.candles(symbol, last: Self.candles).closes
    let distance = closes.ema(Self.fast) - closes.ema(Self.slow)
    guard let now = distance.last, !now.isNaN else { return }
    let isAbove = now > 0
    if let before = wasAbove.updateValue(isAbove, forKey: symbol), before != isAbove {
      say([
        "type": "signal", "symbol": symbol, "side": isAbove ? "buy" : "sell", "time": data.now.rfc3339,
        "price": data.latest(symbol)?.price.description ?? candle.close.description,
      ])
    }
  }

  private func say(_ fields: [String: String]) {
    guard let line = try? JSONSerialization.data(withJSONObject: fields, options: .sortedKeys) else { return }
    FileHandle.standardOutput.write(line + Data("\n".utf8))
  }
}
