internal import CandleBuilding
internal import CandleStore
public import Configuration
internal import Foundation
public import Logging
public import MarketData
internal import SharedRing
internal import TickArchive
internal import TickQuality

/// The feed handler: one process, one venue, from the socket to shared memory, candles and archive.
///
/// Three threads do the work: the receive thread, the recorder, and the control server's. They share no locks on
/// the path of a tick; what connects them is the recorder's lane and two mailboxes.
public struct FeedHandler: Sendable {
  private let configuration: FeedConfiguration
  private let environment: [String: String]
  private let logger: Logger
  /// As it was loaded, and from where.
  private let loaded: ReloadableConfiguration
  /// Told how far the loading of history has come, in place of lines in the log.
  public var onHistoryProgress: (@Sendable (HistoryProgress) -> Void)?

  /// Name of the lane from which the recorder reads.
  public static let recorderLane = SegmentNames.recorderLane

  /// Makes a feed handler; nothing is opened until it runs.
  ///
  /// - Parameters:
  ///   - configurationFile: where the configuration was loaded from, to be read again on request; nil for nowhere.
  ///   - environment: where credentials are looked up.
  public init(
    configuration: FeedConfiguration, configurationFile: String? = nil, environment: [String: String],
    logger: Logger
  ) {
    // Read again by the same path, so that relative ones in it come out the same.
    loaded = ReloadableConfiguration(configuration, file: configurationFile)
    // Strategies read these paths from shared memory, wherever they were started.
    var configuration = configuration
    configuration.controlSocket = Self.absolute(configuration.controlSocketPath)
    configuration.dataDirectory = Self.absolute(configuration.dataDirectory)
    self.configuration = configuration
    self.environment = environment
    self.logger = logger
  }

  /// Runs until `shouldStop` says so; returns when everything received is stored and nothing of the process is
  /// left in shared memory but, after a HALT, the feed segment with its reason.
  ///
  /// A HALT because of the venue is waited for, or ends the run, as `retry.on_halt` says.
  ///
  /// - Parameter takeReload: true once for each time that the configuration is to be read again.
  /// - Throws: ``Fault`` when it cannot start, and when it ends in a HALT: credentials refused, venue given up, storage
  ///   failed. What had been received is stored, or waits in the recorder's lane for the next start.
  public func run(
    until shouldStop: @escaping @Sendable () -> Bool, takeReload: @escaping @Sendable () -> Bool = { false }
  ) async throws(Fault) {
    let schedule = try FeedGuard.schedule(configuration)
    let venue = try Venue(configuration, environment: environment)
    try checkCredentials(of: venue)
    let market = try MarketHours(calendarFile: configuration.calendarFile)
    let rules = try RuleCatalogue.make(configuration.quality.rules, phases: market.phases)
    try makeDataDirectory()
    let options = try SegmentOptions(configuration.sharedMemory)
    let segment = try FeedSegment(
      feed: configuration.feed, instrumentsMax: configuration.sharedMemory.instrumentsMax,
      controlSocket: configuration.controlSocketPath, dataDirectory: configuration.dataDirectory,
      options: options)
    if let takeover = segment.takeover { logger.warning("\(takeover)") }
    let alerts = AlertHook(configuration.alert, feed: configuration.feed, logger: logger)
    let latch = HaltLatch(feed: configuration.feed, segment: segment, alerts: alerts, logger: logger)
    var guarding = FeedGuard(schedule: schedule, latch: latch, alerts: alerts, configuration: loaded)
    let desk = StartDesk(feed: configuration.feed, segment: segment, latch: latch)
    let server = ControlServer(
      path: configuration.controlSocketPath, desk: .starting(desk), options: options)
    var mayRemoveRecorderLane = false
    var hasHalted = false
    defer {
      if mayRemoveRecorderLane {
        SharedMapping.unlink(SegmentNames.lane(Self.recorderLane, of: configuration.feed))
      }
      // After a HALT the segment stays with its reason, for `tickring status`, until the next start takes it over.
      if !hasHalted { segment.unlink() }
    }

    do throws(Fault) {
      // Before the venue is asked for anything, which may take minutes: a full /dev/shm is told at once.
      let recorderLane = try LaneWriter(
        feed: configuration.feed, lane: Self.recorderLane, capacity: configuration.sharedMemory.recorderSlots,
        options: options.forOwnerOnly, owner: configuration.dataDirectory)
      mayRemoveRecorderLane = !recorderLane.isTakenOver
      try await server.start()
      let store = try CandleStore(path: configuration.dataDirectory + "/candles.sqlite", mode: .readWrite)
      try store.prefer(configuration.candles.prefer == .built ? .built : .venue)
      if segment.takeover != nil {
        let known = Dictionary(uniqueKeysWithValues: try store.instruments().map { ($0.id, $0.symbol) })
        segment.keepRows { known[$0] == $1 }
      }
      let (directory, instruments) = try listInstruments(venue, store)
      try segment.define(instruments)
      market.closingAuction = directory.closingAuctionSymbols
      market.define(instruments)
      // Before history is loaded, which may take minutes; a simulated market has its own date, known once it runs.
      if configuration.source.clock == .system { try market.check(at: .wallClock()) }
      logger.info("\(venue.name) lists \(directory.count) instruments, \(instruments.count) are configured")
      let load = { () throws(Fault) in
        try venue.checkCredentials()
        return try loadHistory(instruments, venue, store, shouldStop)
      }
      guarding.historyLoadedUntil =
        waitsForToken(of: venue)
        ? try await TokenWait(venue: venue, latch: latch, desk: desk, shouldStop: shouldStop).run(load)
        : try load()
      let frames =
        configuration.archive.captureFrames
        ? FrameRing(
          capacity: configuration.archive.captureMegabytes << 20, frameBytesMax: CaptureWriter.frameBytesMax)
        : nil
      let archive = try openArchive(instruments, frames)
      let clock = try startClock()
      try market.check(at: clock.now())
      let session = try FeedSession(
        FeedSetup(
          configuration: configuration, venue: venue, segment: segment, store: store, directory: directory,
          instruments: instruments, guarding: guarding, rules: rules, market: market, clock: clock,
          logger: logger),
        recorderLane: recorderLane, archive: archive, frames: frames, server: server)
      mayRemoveRecorderLane = true
      do throws(Fault) {
        try await session.run(until: shouldStop, takeReload: takeReload)
      } catch {
        mayRemoveRecorderLane = session.isEverythingStored
        throw error
      }
      // Closing folds the write-ahead log into the file, which is then whole for any tool that copies it.
      do throws(Fault) { try store.close() } catch { logger.warning("\(error.message)") }
      segment.set(.state, FeedState.ended.rawValue)
      logger.info("stopped: \(segment.value(.ticks)) ticks, \(segment.value(.candles)) candles stored")
    } catch {
      await server.stop()
      hasHalted = true
      if latch.ofFeed == nil {
        latch.latch(
          Halt(scope: Self.scope(of: error), subject: "", fault: error, rule: .restart, since: .wallClock()))
      } else {
        logger.notice("stopped while halted: \(error.message)")
      }
      alerts.drain()
      throw error
    }
    alerts.drain()
  }

  /// A refusal at the start is waited out as any other one where a new token can come while the process runs.
  private func waitsForToken(of venue: Venue) -> Bool {
    configuration.retry.onHalt == .wait && venue.hasTokenOfTheDay && configuration.history.source == .venue
  }

  /// Missing or contradictory credentials are told before anything is opened; a token that has expired may be waited for.
  private func checkCredentials(of venue: Venue) throws(Fault) {
    do throws(Fault) { try venue.checkCredentials() } catch {
      guard error.kind == .refused, waitsForToken(of: venue) else { throw error }
    }
  }

  private static func scope(of fault: Fault) -> Halt.Scope {
    switch fault.kind {
    case .unavailable, .refused, .protocolViolation: .venue
    case .inputOutput, .cannotCreate: .storage
    default: .all
    }
  }

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  private func makeDataDirectory() throws(Fault) {
    let path = configuration.dataDirectory
    guard path.utf8.count <= FeedSegment.pathBytesMax else {
      throw Fault(
        .configuration,
        "data_directory '\(path)' has \(path.utf8.count) bytes; at most \(FeedSegment.pathBytesMax) are allowed"
      )
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Fault(.cannotCreate, "cannot create data_directory '\(path)': \(error.localizedDescription)")
    }
    guard access(path, W_OK) == 0 else {
      throw Fault(
        .cannotCreate,
        "data_directory '\(path)' is not writable: \(String(cString: strerror(errno))); "
          + "choose one in which this user may write")
    }
  }

  /// The venue's list, and those of it that are configured. A symbol that a list of this morning lacks may be new.
  private func listInstruments(
    _ venue: Venue, _ store: CandleStore
  ) throws(Fault) -> (InstrumentDirectory, [Instrument]) {
    let master = InstrumentMaster(venue, configuration, store: store, logger: logger)
    let snapshot = try master.snapshot(now: .wallClock())
    let directory = InstrumentDirectory(snapshot.listings, venue: venue.name)
    do {
      return (directory, try configuredInstruments(directory, store, venue))
    } catch {
      guard error.kind == .usage, !snapshot.isNew, snapshot.staleness == nil else { throw error }
      let listings = try master.snapshot(now: .wallClock(), isForced: true).listings
      let directory = InstrumentDirectory(listings, venue: venue.name)
      return (directory, try configuredInstruments(directory, store, venue))
    }
  }

  private func configuredInstruments(
    _ directory: InstrumentDirectory, _ store: CandleStore, _ venue: Venue
  ) throws(Fault) -> [Instrument] {
    let symbols: [Symbol]
    switch configuration.instruments {
    case .all: symbols = directory.allSymbols
    case .symbols(let listed): symbols = listed
    }
    guard symbols.count <= venue.instrumentsMax else {
      throw Fault(
        .configuration,
        "\(symbols.count) instruments are configured, but \(venue.name) carries \(venue.instrumentsMax) "
          + "at most; name fewer under instruments")
    }
    return try directory.instruments(for: symbols, in: store)
  }

  private func loadHistory(
    _ instruments: [Instrument], _ venue: Venue, _ store: CandleStore,
    _ shouldStop: @escaping @Sendable () -> Bool
  ) throws(Fault) -> Timestamp? {
    var now = Timestamp.wallClock()
    if configuration.source.clock == .simulator {
      now = try SimulatedClock(apiURL: configuration.source.apiURL).marketStart()
    }
    let prepopulation = Prepopulation(
      source: venue.history, store: store, schedule: try HistorySchedule.of(configuration), logger: logger,
      shouldStop: shouldStop, progress: onHistoryProgress)
    return try prepopulation.run(instruments, sessions: configuration.history.sessions, now: now)
  }

  private func openArchive(_ instruments: [Instrument], _ frames: FrameRing?) throws(Fault) -> ArchiveKeeper {
    let directory = configuration.dataDirectory + "/archive"
    let settings = configuration.archive
    var options = ArchiveOptions(
      blockTicks: configuration.recorder.blockTicks, segmentBytesMax: settings.segmentMegabytes << 20,
      segmentSecondsMax: settings.segmentMinutes.map { $0 * 60 })
    options.keepsJournal = true
    options.daysMax = settings.keepDays
    options.totalBytesMax = settings.keepGigabytes.map { $0 << 30 }
    options.deletesOldestWhenFull = settings.whenFull.contains(.deleteOldest)
    let archive = try ArchiveWriter(directory: directory, feed: configuration.feed, options: options)
    if let recovery = archive.recovery { logger.warning("\(recovery.description)") }
    try checkNumbers(of: instruments, against: archive.definitions)
    var capture: CaptureWriter?
    if frames != nil {
      let writer = try CaptureWriter(directory: directory, feed: configuration.feed, options: options)
      if let recovery = writer.recovery { logger.warning("\(recovery.description)") }
      capture = consume writer
    }
    var keeper = ArchiveKeeper(
      archive: archive, capture: capture, frames: frames, steps: settings.whenFull, logger: logger)
    try keeper.define(instruments)
    return keeper
  }

  /// The candle store gives instruments their numbers. An archive from beside another store has others, and the two
  /// would be mixed up for good.
  private func checkNumbers(of instruments: [Instrument], against archived: [Instrument]) throws(Fault) {
    let bySymbol = Dictionary(archived.map { ($0.symbol, $0.id) }, uniquingKeysWith: { _, last in last })
    let byNumber = Dictionary(archived.map { ($0.id, $0.symbol) }, uniquingKeysWith: { _, last in last })
    for instrument in instruments {
      let number = bySymbol[instrument.symbol] ?? instrument.id
      let symbol = byNumber[instrument.id] ?? instrument.symbol
      guard number == instrument.id, symbol == instrument.symbol else {
        throw Fault(
          .badData,
          "candles.sqlite in '\(configuration.dataDirectory)' gives \(instrument.symbol) the number "
            + "\(instrument.id.rawValue), which the archive beside it gives to \(symbol)"
            + (number == instrument.id ? "" : ", as \(instrument.symbol) is \(number.rawValue) there")
            + "; the two are not of one feed: put back the candles.sqlite that belongs to the archive, or move the "
            + "archive away as well")
      }
    }
  }

  private func startClock() throws(Fault) -> FeedClock {
    switch configuration.source.clock {
    case .system: .system
    case .simulator: try SimulatedClock(apiURL: configuration.source.apiURL).start()
    }
  }
}
