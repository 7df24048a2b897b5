internal import Logging
internal import MarketData
internal import TickArchive

/// Leaves the fingerprint of the running session beside the archive, now and then and at its end, so that a replay can
/// be held against what was published: `tickring archive verify --session`.
///
/// A fingerprint is written once everything that it covers is safely in the archive. After a crash the last one stands
/// for the session up to there.
struct SessionNotes {
  private let ledger: SessionLedger
  private let mark: StreamMark
  private let firstSequence: UInt64
  private let logger: Logger
  /// A mark that waits until the archive holds its records.
  private var pending: (sequence: UInt64, hash: UInt64)?
  private var lastTime = Timestamp.monotonicNanoseconds()
  private var hasFailed = false

  /// Time from one note to the next.
  private static let intervalNanoseconds: Int64 = 30 * Timestamp.nanosecondsPerSecond

  /// - Parameter firstSequence: that of the first record which this session will publish.
  init(ledger: SessionLedger, mark: StreamMark, firstSequence: UInt64, logger: Logger) {
    self.ledger = ledger
    self.mark = mark
    self.firstSequence = firstSequence
    self.logger = logger
  }

  /// True when a note is due and the archive holds what it covers; the archive must then be synchronized before
  /// ``write(hasEnded:)``.
  mutating func isDue(sealed: UInt64) -> Bool {
    if pending == nil, Timestamp.monotonicNanoseconds() - lastTime > Self.intervalNanoseconds { takeMark() }
    return pending.map { $0.sequence <= sealed } ?? false
  }

  /// Writes the note that is due or, at the end of the session, that of everything published.
  ///
  /// A note that cannot be written is no reason to stop the feed: it is logged, and tried again the next time.
  mutating func write(hasEnded: Bool) {
    if hasEnded { takeMark() }
    guard let noted = pending else { return }
    pending = nil
    do {
      try ledger.append(
        SessionRecord(
          firstSequence: firstSequence, lastSequence: noted.sequence, hash: noted.hash,
          wallTime: .wallClock(),
          hasEnded: hasEnded))
      hasFailed = false
    } catch {
      if !hasFailed { logger.warning("\(error.message)") }
      hasFailed = true
    }
  }

  private mutating func takeMark() {
    lastTime = Timestamp.monotonicNanoseconds()
    guard let found = mark.read(), found.sequence >= firstSequence else { return }
    pending = found
  }
}
