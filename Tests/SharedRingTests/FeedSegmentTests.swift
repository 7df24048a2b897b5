import Glibc
import MarketData
import SharedRing
import Testing

@Suite struct FeedSegmentTests {
  private func segment(_ feed: String, instrumentsMax: Int = 8) throws(Fault) -> FeedSegment {
    try FeedSegment(
      feed: feed, instrumentsMax: instrumentsMax, controlSocket: "/run/x.sock", dataDirectory: "/data")
  }

  @Test func aViewSeesWhatTheSegmentSays() throws {
    let feed = LaneName().feed
    let segment = try segment(feed)
    defer { segment.unlink() }
    let clock = FeedClock(
      feedOrigin: Timestamp(seconds: 1000), wallOrigin: Timestamp(seconds: 5000), speed: 20)
    segment.setClock(clock)
    let symbol = try Symbol("NSE:RELIANCE")
    try segment.define([
      Instrument(
        id: InstrumentID(rawValue: 5), symbol: symbol, venueToken: "1", priceTick: Price(units: 50_000_000),
        lotSize: 1)
    ])
    segment.storeLastValue(.sample(instrument: 5, sequence: 9, price: 77))
    segment.set(.state, FeedState.running.rawValue)
    let view = try FeedView(feed: feed)
    #expect(view.clock == clock)
    #expect(view.controlSocket == "/run/x.sock")
    #expect(view.dataDirectory == "/data")
    #expect(view.producerPID == getpid())
    #expect(view.state == .running)
    #expect(view.instruments().map(\.symbol) == [symbol])
    #expect(view.instruments().first?.id == InstrumentID(rawValue: 5))
    #expect(view.latest(InstrumentID(rawValue: 5))?.lastPrice == Price(units: 77))
    #expect(view.latest(InstrumentID(rawValue: 4)) == nil)
    #expect(view.latest(.all) == nil)
  }

  @Test func aSecondProducerIsRefusedWithThePid() throws {
    let feed = LaneName().feed
    let segment = try segment(feed)
    defer { segment.unlink() }
    let refusal = fault { _ = try self.segment(feed) }
    #expect(refusal?.kind == .held)
    #expect(refusal?.message.contains("process \(getpid())") == true)
  }

  @Test func whatADeadProducerLeftIsTakenOverAndSaid() throws {
    let feed = LaneName().feed
    do { _ = try segment(feed) }
    let second = try segment(feed)
    #expect(second.takeover?.contains("took over") == true)
    #expect(try FeedView(feed: feed).epoch == 2)
    second.unlink()
    do { _ = try segment(feed) }
    let old = try FeedView(feed: feed)
    #expect(!old.isProducerAlive)
    let third = try segment(feed, instrumentsMax: 16)
    defer { third.unlink() }
    #expect(try FeedView(feed: feed).isProducerAlive)
    #expect(!old.isProducerAlive, "who mapped the dead producer's segment must not take the new one for it")
  }

  @Test func aHaltIsLatchedWithItsReason() throws {
    let feed = LaneName().feed
    let segment = try segment(feed)
    defer { segment.unlink() }
    segment.halt(reason: "disk full")
    segment.halt(reason: "something later")
    let view = try FeedView(feed: feed)
    #expect(view.state == .halted)
    #expect(view.haltReason == "disk full")
  }

  @Test func everyCounterHasANameAndAMeaningOfItsOwn() {
    #expect(FeedCounter.allCases.allSatisfy { !$0.meaning.isEmpty && !$0.name.hasPrefix("counter-") })
    #expect(Set(FeedCounter.allCases.map(\.name)).count == FeedCounter.allCases.count)
  }

  /// Another process updates one row as fast as it can while this one reads it: no copy may mix two versions.
  @Test func lastValuesAreNeverTorn() async throws {
    let feed = LaneName().feed
    async let writer: Void? = { () async in
      try? await Self.writeUntilKilled(feed)
    }()
    let deadline = Timestamp.wallClock() + 10_000_000_000
    var view: FeedView?
    while view == nil, Timestamp.wallClock() < deadline {
      view = try? FeedView(feed: feed)
      usleep(1_000)
    }
    let feedView = try #require(view)
    var reads = 0
    var changes = 0
    var last: UInt64 = 0
    // On a busy machine the writer may wait long for its turn.
    let end = Timestamp.wallClock() + 60_000_000_000
    while reads < 200_000 || changes <= 10, Timestamp.wallClock() < end {
      guard let tick = feedView.latest(InstrumentID(rawValue: 1)) else { continue }
      reads += 1
      if tick.sequence != last { changes += 1 }
      last = tick.sequence
      let isWhole =
        tick.lastPrice.units == Int64(tick.sequence)
        && tick.receiveTime.nanoseconds == Int64(tick.sequence) + 1000
      #expect(isWhole, "torn: \(tick)")
      if !isWhole { break }
    }
    #expect(changes > 10)
    shm_unlink(SegmentNames.feed(feed))
    _ = await writer
  }

  private static func writeUntilKilled(_ feed: String) async throws {
    await #expect(processExitsWith: .success) { [feed = feed as String] in
      let segment = try FeedSegment(
        feed: feed, instrumentsMax: 8, controlSocket: "", dataDirectory: "")
      for sequence in UInt64(1)...3_000_000 {
        segment.storeLastValue(
          Tick(
            instrument: InstrumentID(rawValue: 1), sequence: sequence,
            receiveTime: Timestamp(nanoseconds: Int64(sequence) + 1000), exchangeTime: .unknown,
            lastPrice: Price(units: Int64(sequence)), dayVolume: 0, lastTradeSeconds: 0, lastQuantity: 0,
            openInterest: 0))
      }
    }
  }
}
