internal import Foundation
internal import Histogram
internal import TickRing

/// A strategy as a user writes one: it attaches to a running feed, observes a few instruments, changes its mind
/// while it runs, and prints latest prices and closed candles.
///
/// usage: tickring-example-strategy FEED LANE SYMBOL... [--add SYMBOL...] [--json]
///
/// The symbols after `--add` are observed five seconds later, and the first one is left five seconds after that.
/// With `--json` each line is an object, which is how `tickring demo` follows it.
@main
struct ExampleStrategy {
  private let data: DataPoller
  private let report: Reporter
  private var watched: [String]
  private let added: [String]
  private var latency = Histogram<UInt64>(
    highestTrackableValue: latencyMaxNanoseconds, numberOfSignificantValueDigits: .three)
  private var ticks = 0

  private static let latencyMaxNanoseconds: UInt64 = 60_000_000_000
  private static let changeAfterNanoseconds: Int64 = 5_000_000_000
  private static let reportEveryNanoseconds: Int64 = 1_000_000_000

  static func main() {
    do throws(Fault) {
      let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
      var strategy = try ExampleStrategy(arguments)
      strategy.run()
    } catch {
      FileHandle.standardError.write(Data("tickring-example-strategy: \(error)\n".utf8))
      exit(error.kind.rawValue)
    }
  }

  init(_ arguments: Arguments) throws(Fault) {
    data = try DataPoller(feed: arguments.feed, lane: arguments.lane, observing: arguments.symbols)
    report = Reporter(isJSON: arguments.isJSON)
    watched = arguments.symbols
    added = arguments.added
  }

  /// Spins on the lane until the feed ends: a core is the price of the lowest latency.
  mutating func run() {
    report.note("observing \(watched.joined(separator: ", "))")
    let start = Timestamp.wallClock()
    var nextReport = start + Self.reportEveryNanoseconds
    var changes = [addInstruments, leaveOne]
    var nextChange = start + Self.changeAfterNanoseconds
    while data.isOpen {
      let count = data.poll { event in handle(event) }
      if count == 0 { DataPoller.pause() }
      let now = Timestamp.wallClock()
      if now > nextReport {
        reportPrices()
        nextReport = now + Self.reportEveryNanoseconds
      }
      if now > nextChange, !changes.isEmpty {
        changes.removeFirst()(&self)
        nextChange = now + Self.changeAfterNanoseconds
      }
    }
    report.summary(ticks: ticks, lost: data.backlog.lost, latency: latency)
  }

  private mutating func handle(_ event: MarketEvent) {
    switch event {
    case .tick(let tick):
      ticks += 1
      let received = data.clock.wallTime(at: tick.receiveTime)
      latency.record(UInt64(max(0, min(Timestamp.wallClock() - received, Int64(Self.latencyMaxNanoseconds)))))
    case .candle(let candle): report.candle(data.symbol(candle.instrument), candle)
    case .gap(let gap): report.note("feed gap: \(gap.cause.name)\(gap.end == nil ? ", still open" : "")")
    case .repaired(let gap): report.note("gap repaired: \(gap.cause.name)")
    case .feedLost(let reason): report.note("feed lost: \(reason)")
    case .feedReturned(let epoch): report.note("feed handler runs again, start \(epoch)")
    case .halt(let reason): report.note("feed halted: \(reason)")
    case .ended: report.note("feed ended")
    }
  }

  private let addInstruments: (inout ExampleStrategy) -> Void = { strategy in
    for symbol in strategy.added {
      do throws(Fault) {
        try strategy.data.observe(symbol)
        strategy.watched.append(symbol)
        strategy.report.note("observing \(symbol) as well")
      } catch {
        strategy.report.note("cannot observe \(symbol): \(error.message)")
      }
    }
  }

  private let leaveOne: (inout ExampleStrategy) -> Void = { strategy in
    guard strategy.watched.count > 1 else { return }
    let symbol = strategy.watched.removeFirst()
    do throws(Fault) {
      try strategy.data.unobserve(symbol)
      strategy.report.note("left \(symbol)")
    } catch {
      strategy.report.note("cannot leave \(symbol): \(error.message)")
    }
  }

  private func reportPrices() {
    for symbol in watched {
      guard let latest = data.latest(symbol) else { continue }
      report.price(symbol, latest)
    }
    report.progress(ticks: ticks, backlog: data.backlog.waiting, latency: latency)
  }
}
