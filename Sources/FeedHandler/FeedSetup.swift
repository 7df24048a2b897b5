internal import CandleStore
internal import Configuration
internal import Logging
internal import MarketData
internal import SharedRing
internal import TickArchive
internal import TickQuality

/// What everything in a feed is made from, once it is open; and how each part is made from it.
struct FeedSetup {
  var configuration: FeedConfiguration
  var venue: Venue
  var segment: FeedSegment
  var store: CandleStore
  var directory: InstrumentDirectory
  /// The configured ones.
  var instruments: [Instrument]
  var guarding: FeedGuard
  var rules: [ChosenRule]
  var market: MarketHours
  var clock: FeedClock
  var logger: Logger

  /// Longest wait for bytes in blocking mode, which is also the longest that a command to the thread waits.
  private static let receiveWaitMilliseconds = 20

  func makeBoard() -> SubscriptionBoard {
    SubscriptionBoard(
      schedule: guarding.schedule, muteSeconds: configuration.subscriptions.muteSeconds, segment: segment,
      alerts: guarding.alerts, logger: logger)
  }

  func makeSessionWatch() -> SessionWatch {
    SessionWatch(guarding.schedule, segments: SessionWatch.segments(of: instruments))
  }

  /// - Parameters:
  ///   - frames: where the venue's frames also go, as they came.
  ///   - gapStart: where the gap before this run begins.
  ///   - gapsLeftOpen: gaps of single instruments that the run before left open.
  func makeReceiveLoop(
    publisher: consuming Publisher, frames: FrameRing?, board: SubscriptionBoard, session: SessionWatch,
    gapStart: Timestamp, gapsLeftOpen: [FeedGap]
  ) -> ReceiveLoop {
    let modes = configuration.subscriptions
    let retry = configuration.retry
    return ReceiveLoop(
      source: venue.makeSource(clock, frames),
      subscriptions: instruments.map { Subscription($0, mode: modes.modes[$0.symbol] ?? modes.mode) },
      inspector: TickQualityInspector(
        rules: rules, phases: market.phases, instrumentsMax: configuration.sharedMemory.instrumentsMax),
      publisher: publisher, segment: segment, clock: clock,
      retry: RetryPolicy(
        firstDelayMilliseconds: retry.firstDelayMilliseconds,
        delayMillisecondsMax: retry.delayMillisecondsMax, attemptsMax: retry.attemptsMax),
      recovery: ReceiveLoop.Recovery(
        latch: guarding.latch, alerts: guarding.alerts, board: board, session: session,
        credentialsMark: venue.credentialsMark, loginAdvice: venue.loginAdvice),
      options: ReceiveLoop.Options(
        waitMilliseconds: configuration.receive.wait == .spin ? 0 : Self.receiveWaitMilliseconds,
        silenceMillisecondsMax: retry.silenceSecondsMax * 1000, gapStart: gapStart,
        gapsLeftOpen: gapsLeftOpen,
        processor: configuration.receive.cpu, exitsOnHalt: retry.onHalt == .exit),
      logger: logger)
  }

  /// Nil when gaps are not to be repaired.
  ///
  /// - Parameter stream: where the news of a repair enters the stream.
  func makeRepairLoop(stream: Mailbox<FeedCommand>) -> RepairLoop? {
    guard configuration.repair.isEnabled else { return nil }
    return RepairLoop(
      source: venue.history, store: store,
      plan: RepairPlan(configuration, schedule: guarding.schedule, clock: clock), segment: segment,
      latch: guarding.latch, alerts: guarding.alerts, stream: stream, clock: clock,
      options: RepairLoop.Options(
        attemptsMax: configuration.repair.attemptsMax, loadedUntil: guarding.historyLoadedUntil),
      logger: logger)
  }

  /// - Parameter rebuilt: the state of the candles where the archive ends.
  func makeRecorder(
    lane: consuming LaneReader, archive: consuming ArchiveKeeper, rebuilt: consuming CandleRebuild,
    sessions: SessionNotes, repair: Mailbox<RepairLoop.Command>?
  ) -> Recorder {
    Recorder(
      lane: lane, archive: archive, store: store, aggregator: rebuilt.aggregator, quality: rebuilt.quality,
      market: market, sessions: sessions, repair: repair, segment: segment, clock: clock,
      options: Recorder.Options(
        sealMilliseconds: configuration.recorder.sealSeconds * 1000,
        syncMilliseconds: configuration.recorder.syncSeconds * 1000, processor: configuration.recorder.cpu,
        dataDirectory: configuration.dataDirectory),
      logger: logger)
  }

  /// Nil when finished candles are not to be compared with the venue's.
  ///
  /// - Throws: ``Fault`` of kind `configuration` for candle rules that make no sense.
  func makeReconciler() throws(Fault) -> Reconciler? {
    guard configuration.candles.reconcile else { return nil }
    return Reconciler(
      source: venue.history, store: store, market: market,
      rules: try CandleRuleCatalogue.make(configuration.quality.candleRules), segment: segment, clock: clock,
      options: Reconciler.Options(
        afterNanoseconds: Int64(configuration.candles.reconcileAfterSeconds) * Timestamp.nanosecondsPerSecond),
      logger: logger)
  }

  /// Nil when candles are kept for ever.
  func makeStoreKeeper() -> StoreKeeper? {
    StoreKeeper(
      store: store,
      retention: CandleRetention(
        minuteDays: configuration.store.minuteDays, longerDays: configuration.store.longerDays),
      segment: segment, clock: clock, logger: logger)
  }

  func makeBackend(
    receive: ReceiveLoop, recorder: Recorder, repair: RepairLoop?, reconciler: Reconciler?,
    board: SubscriptionBoard
  ) -> LiveBackend {
    LiveBackend(
      directory: directory, store: store, market: market, receive: receive, recorder: recorder,
      repair: repair?.commands, board: board, reconciler: reconciler)
  }

  /// - Throws: ``Fault`` of kind `configuration` for a mode or group that makes no sense.
  func makeControl(_ backend: LiveBackend, repair: RepairLoop?, board: SubscriptionBoard) throws(Fault)
    -> Control
  {
    let shared = configuration.sharedMemory
    return Control(
      settings: Control.Settings(
        feed: configuration.feed, laneSlots: shared.laneSlots, lanesMax: shared.lanesMax,
        options: try SegmentOptions(shared), instrumentsMax: venue.instrumentsMax),
      segment: segment, backend: backend, configured: instruments, modes: configuration.subscriptions,
      recovery: ControlRecovery(
        latch: guarding.latch, board: board, alerts: guarding.alerts, repair: repair?.commands,
        configuration: guarding.configuration))
  }
}
