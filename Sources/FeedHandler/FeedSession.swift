internal import CandleStore
internal import Configuration
internal import FeedControl
internal import Foundation
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization
internal import TickArchive

/// The running part of a feed handler: three threads, started together and stopped in the order of the data.
final class FeedSession: Sendable {
  private let receive: ReceiveLoop
  private let recorder: Recorder
  private let control: Control
  private let server: ControlServer
  private let receiveThread: WorkThread
  private let recorderThread: WorkThread
  private let repair: RepairLoop?
  private let repairThread: WorkThread?
  private let supervisor: FeedSupervisor
  private let reconciler: Reconciler?
  private let reconcilerThread: WorkThread?
  private let keeper: StoreKeeper?
  private let keeperThread: WorkThread?
  private let logger: Logger

  private static let pollMilliseconds = 20
  private static let repairWaitMilliseconds = 3000

  /// - Parameters:
  ///   - writer: the recorder's lane, with what an earlier run may have left in it.
  ///   - frames: where the venue's frames also go, as they came; nil for nowhere.
  ///   - server: the control socket, which this session answers from its start to its end.
  /// - Throws: ``Fault`` when lane, archive or store cannot be read or written.
  init(
    _ setup: FeedSetup, recorderLane writer: consuming LaneWriter, archive: consuming ArchiveKeeper,
    frames: FrameRing?, server: ControlServer
  ) throws(Fault) {
    let (configuration, segment, logger) = (setup.configuration, setup.segment, setup.logger)
    segment.setClock(setup.clock)
    var reader = try LaneReader(feed: configuration.feed, lane: FeedHandler.recorderLane)
    let writerRefusals = writer.refusals
    let lastArchived = archive.lastSealedSequence ?? 0
    let lastSequence = max(lastArchived, writer.recovered?.sequence ?? 0)
    if writer.isTakenOver, reader.lag > 0 {
      logger.warning("\(reader.lag) records that an earlier run had published wait in the recorder's lane")
    }
    let rebuilt = try CandleRebuild(
      configuration, rules: setup.rules, store: setup.store, lastArchived: lastArchived, logger: logger)
    let gapStart = Self.gapStart(archived: rebuilt.lastRecord, inLane: writer.recovered)
    let gapsLeftOpen = Self.gapsLeftOpen(
      stored: try setup.store.storedGaps().map(\.gap), waiting: &reader)

    let mark = StreamMark()
    let board = setup.makeBoard()
    let session = setup.makeSessionWatch()
    receive = setup.makeReceiveLoop(
      publisher: Publisher(
        segment: segment, recorder: writer, lastSequence: lastSequence,
        recorderWaitMillisecondsMax: configuration.recorder.fullWaitMilliseconds, mark: mark),
      frames: frames, board: board, session: session, gapStart: gapStart, gapsLeftOpen: gapsLeftOpen)
    repair = setup.makeRepairLoop(stream: receive.commands)
    recorder = setup.makeRecorder(
      lane: reader, archive: archive, rebuilt: rebuilt,
      sessions: SessionNotes(
        ledger: SessionLedger(directory: configuration.dataDirectory + "/archive", feed: configuration.feed),
        mark: mark, firstSequence: lastSequence + 1, logger: logger),
      repair: repair?.commands)
    reconciler = try setup.makeReconciler()
    reconciler?.commands.post(setup.instruments)
    keeper = setup.makeStoreKeeper()
    let backend = setup.makeBackend(
      receive: receive, recorder: recorder, repair: repair, reconciler: reconciler, board: board)
    control = try setup.makeControl(backend, repair: repair, board: board)
    self.server = server
    supervisor = FeedSupervisor(
      board: board, session: session, market: setup.market, segment: segment, clock: setup.clock,
      logger: logger)
    receiveThread = WorkThread(name: "tick-receive") { [receive] in receive.run() }
    recorderThread = WorkThread(name: "tick-record") { [recorder] in recorder.run() }
    repairThread = repair.map { repair in WorkThread(name: "tick-repair") { repair.run() } }
    reconcilerThread = reconciler.map { reconciler in
      WorkThread(name: "tick-reconcile") { reconciler.run() }
    }
    keeperThread = keeper.map { keeper in WorkThread(name: "tick-keep") { keeper.run() } }
    self.logger = logger
    for refusal in segment.refusals + writerRefusals { logger.warning("\(refusal)") }
    for adoption in control.adoptLanes(knowing: backend.known) {
      logger.log(level: adoption.isFault ? .warning : .info, "\(adoption.message)")
    }
  }

  /// True when the recorder took everything that was published.
  var isEverythingStored: Bool { recorderThread.hasEnded && recorderThread.fault == nil }

  /// Runs until told to stop, or until a thread must HALT; the control socket is closed then.
  ///
  /// - Parameter takeReload: true once for each time that the configuration is to be read again.
  func run(until shouldStop: @escaping @Sendable () -> Bool, takeReload: @Sendable () -> Bool)
    async throws(Fault)
  {
    recorderThread.start()
    receiveThread.start()
    server.hand(to: .running(control))
    repairThread?.start()
    reconcilerThread?.start()
    keeperThread?.start()
    while !shouldStop(), !receiveThread.hasEnded, !recorderThread.hasEnded {
      try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
      supervisor.look()
      if takeReload() { reload() }
    }
    reconciler?.stop()
    keeper?.stop()
    receive.commands.post(.stop)
    await receiveThread.waitForEnd()
    recorder.commands.post(.stop)
    await recorderThread.waitForEnd()
    repair?.commands.post(.stop)
    // A venue that answers slowly must not keep the feed from stopping; what is not repaired waits in the store.
    await repairThread?.waitForEnd(millisecondsMax: Self.repairWaitMilliseconds)
    await reconcilerThread?.waitForEnd(millisecondsMax: Self.repairWaitMilliseconds)
    await keeperThread?.waitForEnd()
    await server.stop()
    control.removeLanes()
    // Storage first: a receive thread that found the recorder's lane full only saw the consequence.
    if let fault = recorderThread.fault ?? receiveThread.fault { throw fault }
  }

  private func reload() {
    do throws(Fault) {
      let answer = try control.reload()
      logger.notice(
        "configuration reloaded: \(answer.changed.isEmpty ? "nothing changed" : answer.changed.joined(separator: ", "))"
      )
    } catch {
      logger.error("the configuration is not reloaded: \(error.message)")
    }
  }

  /// Where the gap before this run begins: at the last record of the run before, or, when that told of an outage
  /// that was still open, at that outage's beginning.
  private static func gapStart(archived: Tick?, inLane: Tick?) -> Timestamp {
    guard let last = [archived, inLane].compactMap(\.self).max(by: { $0.sequence < $1.sequence }) else {
      return .unknown
    }
    let isOpenGap = last.kind == .gap && last.instrument == .all && last.flags.contains(.gapOpen)
    return isOpenGap ? last.exchangeTime : last.receiveTime
  }

  /// The gaps of single instruments that the run before left open: by the store, which has what is archived, and by
  /// what still waits in the recorder's lane.
  private static func gapsLeftOpen(stored: [FeedGap], waiting reader: inout LaneReader) -> [FeedGap] {
    struct Key: Hashable {
      var instrument: InstrumentID
      var start: Timestamp
    }
    var gaps = Dictionary(
      stored.map { (Key(instrument: $0.instrument, start: $0.start), $0) }, uniquingKeysWith: { $1 })
    reader.peek { run in
      for index in run.indices where run[index].kind == .gap {
        let gap = FeedGap(run[index])
        gaps[Key(instrument: gap.instrument, start: gap.start)] = gap
      }
    }
    return gaps.values.filter { $0.end == nil && $0.instrument != .all }
      .sorted { ($0.start, $0.instrument.rawValue) < ($1.start, $1.instrument.rawValue) }
  }
}
