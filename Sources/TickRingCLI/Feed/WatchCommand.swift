internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import SharedRing
internal import TickRing

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Print the ticks of a running feed from a lane of its own.")

  enum Start: String, ExpressibleByArgument {
    case stopped, latest
  }

  enum Wait: String, ExpressibleByArgument, CaseIterable {
    case spin, yield, futex

    var strategy: WaitStrategy {
      switch self {
      case .spin: .spin
      case .yield: .spinThenYield
      case .futex: .spinThenFutex
      }
    }
  }

  @Option(help: "Name of the feed, as in its configuration.") var feed: String
  @Option(help: "Name of the lane.") var lane = "watch"
  @Option(name: .customLong("from"), help: "Where to begin: stopped (where this lane stopped) or latest.")
  var start = Start.stopped
  @Option(help: "How to wait for ticks: spin (a whole processor), yield or futex (sleeps).")
  var wait = Wait.futex
  @Option(help: "Stop after so many ticks.") var count: Int?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Argument(help: "Symbols such as NSE:RELIANCE.") var symbols: [String]

  /// Longest wait for a tick before signals and the feed's state are looked at.
  private static let waitMilliseconds = 20

  func validate() throws {
    guard !symbols.isEmpty else { throw ValidationError("name at least one symbol, as in NSE:RELIANCE") }
    guard (count ?? 1) > 0 else { throw ValidationError("--count must be at least 1") }
  }

  func run() async throws {
    let stop = StopSignal()
    let data = try DataPoller(feed: feed, lane: lane, observing: symbols, fromLatest: start == .latest)
    defer { data.detach() }
    var left = count ?? Int.max
    var fault: Fault?
    while data.isOpen, left > 0, !stop.isRaised, !Console.isClosed, fault == nil {
      let read = data.poll(max: min(left, DataPoller.pollMax)) { event in
        do throws(Fault) {
          switch event {
          case .tick(let tick):
            left -= 1
            try print(tick, data.symbol(tick.instrument))
          case .halt(let reason) where data.isOpen:
            Console.error("feed '\(feed)' halted: \(reason); waiting for it to be resumed")
          case .halt(let reason): fault = Fault(.unavailable, "feed '\(feed)' halted: \(reason)")
          case .repaired(let gap):
            if !json {
              let scope = gap.instrument == .all ? "" : "\(data.symbol(gap.instrument)) "
              Console.line(
                "-- repaired: \(scope)down from \(gap.start.rfc3339) until \(gap.end?.rfc3339 ?? "now")")
            }
          case .gap(let gap): note(gap, gap.instrument == .all ? "feed" : data.symbol(gap.instrument))
          case .feedLost(let reason): Console.error("\(reason); waiting for it to come back")
          case .feedReturned(let epoch):
            Console.error("the feed goes on (start \(epoch) of this feed)")
          case .candle, .ended: break
          }
        } catch {
          fault = error
        }
      }
      if read == 0 { data.wait(wait.strategy, milliseconds: Self.waitMilliseconds) }
    }
    if let fault { throw fault }
  }

  private func print(_ tick: Tick, _ symbol: String) throws(Fault) {
    if json { return try Console.json(TickLine(tick, symbol: symbol)) }
    let time = CivilTime(tick.receiveTime)
    let flags = tick.flags.isEmpty ? "" : "  [\(tick.flags)]"
    let price = Format.leftPadded(tick.lastPrice.description, 12)
    let volume = Format.leftPadded(Format.count(tick.dayVolume), 14)
    Console.line(
      "\(time.timeText).\(Format.milliseconds(time))  \(Format.padded(symbol, 20)) \(price) \(volume)\(flags)"
    )
  }

  private func note(_ gap: FeedGap, _ scope: String) {
    guard !json else { return }
    let end = gap.end.map { "until \($0.rfc3339)" } ?? "and still is"
    Console.line(
      "-- \(scope) down since \(gap.start.isKnown ? gap.start.rfc3339 : "the beginning") \(end) (\(gap.cause.name))"
    )
  }
}

extension Format {
  /// The three digits of the milliseconds.
  static func milliseconds(_ time: CivilTime) -> String {
    let digits = String(time.nanosecond / 1_000_000)
    return String(repeating: "0", count: 3 - digits.count) + digits
  }
}

/// A tick as one JSON object: prices as decimal text, since a JSON number would pass through floating point in
/// most readers.
struct TickLine: Encodable {
  var sequence: UInt64
  var symbol: String
  var kind: Int
  var receiveTime: String
  var receiveTimeNanoseconds: Int64
  var exchangeTimeNanoseconds: Int64
  var lastTradeSeconds: UInt32
  var lastPrice: String
  var dayVolume: Int64
  var lastQuantity: UInt32
  var openInterest: UInt32
  var flags: [String]

  enum CodingKeys: String, CodingKey {
    case sequence, symbol, kind, flags
    case receiveTime = "receive_time"
    case receiveTimeNanoseconds = "receive_time_ns"
    case exchangeTimeNanoseconds = "exchange_time_ns"
    case lastTradeSeconds = "last_trade_seconds"
    case lastPrice = "last_price"
    case dayVolume = "day_volume"
    case lastQuantity = "last_quantity"
    case openInterest = "open_interest"
  }

  init(_ tick: Tick, symbol: String) {
    sequence = tick.sequence
    self.symbol = symbol
    kind = Int(tick.kind.rawValue)
    receiveTime = tick.receiveTime.rfc3339
    receiveTimeNanoseconds = tick.receiveTime.nanoseconds
    exchangeTimeNanoseconds = tick.exchangeTime.nanoseconds
    lastTradeSeconds = tick.lastTradeSeconds
    lastPrice = tick.lastPrice.description
    dayVolume = tick.dayVolume
    lastQuantity = tick.lastQuantity
    openInterest = tick.openInterest
    flags = TickFlags.names.filter { tick.flags.contains($0.flag) }.map(\.name)
  }
}
