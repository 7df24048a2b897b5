import CandleStore
import Configuration
import Foundation
import Logging
import MarketData
import SharedRing
import Synchronization
import Testing
import TickQuality
import TradingCalendar

@testable import FeedHandler

/// The receive thread's loop with a source that follows a script.
@Suite struct ReceiveLoopTests {
  /// A source whose n-th connection and n-th receipt are closures.
  private final class Script: TickSource {
    let name = "scripted"
    let statistics = SourceStatistics()
    var onConnect: (Int) throws(Fault) -> Void = { (_) throws(Fault) in }
    var onReceive: (Int, inout [Tick]) throws(Fault) -> SourceActivity = { (_, _) throws(Fault) in .idle }
    private(set) var connects = 0
    private var receipts = 0

    /// Waits in a connection until it is told to stop, and calls this meanwhile.
    var onWait: (() -> Void)?
    private(set) var asked: [[Subscription]] = []
    private var isBusy = false

    func connect(until shouldStop: () -> Bool) throws(Fault) {
      connects += 1
      isBusy = true
      defer { isBusy = false }
      try onConnect(connects)
      while let onWait {
        onWait()
        if shouldStop() { throw Fault(.unavailable, "given up") }
      }
    }
    func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity {
      receipts += 1
      return try onReceive(receipts, &ticks)
    }
    func subscribe(to instruments: [Instrument]) {}
    func subscribe(to subscriptions: [Subscription]) {
      #expect(!isBusy, "a source that connects must be left alone")
      asked.append(subscriptions)
    }
    func close() {}
  }

  private static func tick(_ volume: Int64) -> Tick {
    Tick(
      instrument: InstrumentID(rawValue: 3), sequence: 0, receiveTime: Timestamp(seconds: 1_795_000_000),
      exchangeTime: .unknown, lastPrice: Price(units: 1), dayVolume: volume, lastTradeSeconds: 0,
      lastQuantity: 1, openInterest: 0)
  }

  /// Runs a script to its end, where it must post `stop`; returns what reached the recorder's lane, and the HALT in which
  /// the loop was stopped.
  private static func run(
    _ source: Script, credentialsMark: @escaping @Sendable () -> Int? = { 0 },
    retry: RetryPolicy = RetryPolicy(firstDelayMilliseconds: 1, delayMillisecondsMax: 2, attemptsMax: 5),
    prepare: (ReceiveLoop) -> Void
  ) throws -> (records: [Tick], halt: Fault?) {
    let feed = "loop-\(UUID().uuidString.prefix(8).lowercased())"
    let segment = try FeedSegment(feed: feed, instrumentsMax: 16, controlSocket: "", dataDirectory: "")
    defer {
      segment.unlink()
      for object in SegmentDirectory.objects(of: feed) { SharedMapping.unlink(object) }
    }
    let recorder = try LaneWriter(feed: feed, lane: "recorder", capacity: 1 << 12)
    var reader = try LaneReader(feed: feed, lane: "recorder")
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let alerts = AlertHook(FeedConfiguration.Alert(), feed: feed, logger: logger)
    let loop = ReceiveLoop(
      source: source, subscriptions: [],
      inspector: TickQualityInspector(rules: [], instrumentsMax: 16),
      publisher: Publisher(
        segment: segment, recorder: recorder, lastSequence: 0, recorderWaitMillisecondsMax: 10),
      segment: segment, clock: .system, retry: retry,
      recovery: ReceiveLoop.Recovery(
        latch: HaltLatch(feed: feed, segment: segment, alerts: alerts, logger: logger), alerts: alerts,
        board: SubscriptionBoard(
          schedule: AlwaysOpen(), muteSeconds: 0, segment: segment, alerts: alerts, logger: logger),
        session: SessionWatch(AlwaysOpen(), segments: []), credentialsMark: credentialsMark,
        loginAdvice: "log in"),
      options: ReceiveLoop.Options(
        waitMilliseconds: 1, silenceMillisecondsMax: 60_000, gapStart: .unknown, gapsLeftOpen: [],
        processor: nil, exitsOnHalt: false),
      logger: logger)
    prepare(loop)
    let halt = loop.run()
    var records: [Tick] = []
    _ = reader.drain(max: 4096) { run in for index in run.indices { records.append(run[index]) } }
    return (records, halt)
  }

  @Test func whatCameBeforeAConnectionEndedIsPublished() throws {
    let source = Script()
    source.onReceive = { (number, ticks) throws(Fault) in
      ticks += [Self.tick(7), Self.tick(8)]
      throw Fault(.unavailable, "the gateway says that it is over")
    }
    let (records, halt) = try Self.run(source) { loop in
      source.onConnect = { (number) throws(Fault) in if number == 2 { loop.commands.post(.stop) } }
    }
    #expect(halt == nil)
    #expect(records.filter { $0.kind == .trade }.map(\.dayVolume) == [7, 8])
    let kinds: [TickKind] = [.gap, .trade, .trade, .gap, .gap, .gap]
    #expect(records.map(\.kind) == kinds, "the ticks come before the outage's record")
  }

  @Test func commandsAreCarriedOutWhileAnAttemptLasts() throws {
    let source = Script()
    let wanted = [
      Subscription(
        Instrument(
          id: InstrumentID(rawValue: 3), symbol: try Symbol("NSE:INFY"), venueToken: "1",
          priceTick: Price(units: 1), lotSize: 1))
    ]
    let (records, halt) = try Self.run(source) { loop in
      var waits = 0
      source.onWait = {
        waits += 1
        switch waits {
        case 1: loop.commands.post(.publish(Self.tick(7)))
        case 2: loop.commands.post(.subscribe(wanted))
        // The venue answers at last.
        case 3: source.onWait = nil
        default: break
        }
      }
      source.onReceive = { (_, _) throws(Fault) in
        loop.commands.post(.stop)
        return .idle
      }
    }
    #expect(halt == nil)
    #expect(records.map(\.kind) == [.trade, .gap, .gap])
    #expect(source.asked == [[], wanted])
  }

  @Test func anAttemptIsGivenUpWhenTheFeedStops() throws {
    let source = Script()
    let (records, halt) = try Self.run(source) { loop in
      source.onWait = { loop.commands.post(.stop) }
    }
    #expect(halt == nil)
    #expect(source.connects == 1)
    #expect(records.map(\.kind) == [.gap], "the stop's own")
  }

  @Test func aTokenThatComesDuringAnAttemptEndsTheHaltAfterIt() throws {
    let mark = Mutex(1)
    let isOver = Atomic<Bool>(false)
    let source = Script()
    _ = try Self.run(source, credentialsMark: { mark.withLock { $0 } }) { loop in
      source.onConnect = { (number) throws(Fault) in
        guard number == 1 else { return loop.commands.post(.stop) }
        // The old one was read and is on its way when somebody logs in.
        mark.withLock { $0 = 2 }
        throw Fault(.refused, "the token has expired")
      }
      // Nobody waits for ever where this fails.
      Thread.detachNewThread {
        for _ in 0..<500 where !isOver.load(ordering: .relaxed) { usleep(10_000) }
        loop.commands.post(.stop)
      }
    }
    isOver.store(true, ordering: .relaxed)
    #expect(source.connects == 2, "the new token was not tried")
  }

  @Test func aVenueThatBreaksOffAfterEachFirstTickIsGivenUp() throws {
    let source = Script()
    source.onReceive = { (_, ticks) throws(Fault) in
      ticks.append(Self.tick(7))
      throw Fault(.unavailable, "broken off")
    }
    let attemptsMax = 3
    let retry = RetryPolicy(firstDelayMilliseconds: 250, delayMillisecondsMax: 250, attemptsMax: attemptsMax)
    let isOver = Atomic<Bool>(false)
    let (_, halt) = try Self.run(source, retry: retry) { loop in
      source.onConnect = { (number) throws(Fault) in
        if number == attemptsMax + 1 {
          // The last attempt that the budget has; behind it the loop stands still.
          Thread.detachNewThread {
            for _ in 0..<100 where !isOver.load(ordering: .relaxed) { usleep(10_000) }
            loop.commands.post(.stop)
          }
        }
        if number > attemptsMax + 1 { loop.commands.post(.stop) }
      }
    }
    isOver.store(true, ordering: .relaxed)
    #expect(source.connects == attemptsMax + 1, "one tick is no health")
    #expect(halt?.message.contains("3 attempts") == true, "\(halt?.message ?? "no HALT")")
  }
}
