/// A live source of ticks: one connection to one venue, driven by the receive thread.
///
/// A source only connects, subscribes and parses; pacing, retries, quality and publication are not its business.
/// All calls come from one thread.
public protocol TickSource: AnyObject {
  /// A word for logs: `kite`.
  var name: String { get }

  /// Connects and restores the current subscriptions. Of a source with parts one at least is open then; the others are
  /// told as lost.
  ///
  /// - Parameter shouldStop: Asked many times a second while the venue is waited for; true gives the attempt up, which
  ///   is thrown as `unavailable`. It must not call the source.
  /// - Throws: ``Fault`` of kind `refused` when the venue rejects the credentials (never retried blindly),
  ///   `unavailable` when it cannot be reached, `protocolViolation` when it answers nonsense.
  func connect(until shouldStop: () -> Bool) throws(Fault)

  /// Replaces the set of instruments that the venue is asked for; sends only the difference.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when the connection broke.
  func subscribe(to instruments: [Instrument]) throws(Fault)

  /// Replaces the set of subscriptions, each with its mode. A source without modes asks for all there is.
  ///
  /// - Throws: as ``subscribe(to:)-([Instrument])``.
  func subscribe(to subscriptions: [Subscription]) throws(Fault)

  /// Waits at most `timeoutMilliseconds` for bytes, and appends the ticks that they hold to `ticks`.
  ///
  /// `sequence` is zero in what is appended, `receiveTime` is stamped by the source's clock right after the read.
  /// Bad bytes are counted and skipped; they never become a tick.
  /// - Throws: ``Fault`` when the connection ended or the venue broke the protocol beyond repair.
  func receive(timeoutMilliseconds: Int, into ticks: inout [Tick]) throws(Fault) -> SourceActivity

  /// What became of parts since this was last asked, while others live. A part that is lost stays so until
  /// ``restore(part:)``, or until ``connect()``.
  func takePartChanges() -> [PartChange]

  /// What is to be carried by parts that are not open.
  var lostInstruments: [InstrumentID] { get }

  /// Begins to open a lost part again, and does not wait: how it ends comes with ``takePartChanges()``. The others are
  /// left as they are.
  func restore(part: Int)

  /// Ends the connection in good order; harmless when there is none.
  func close()

  /// What the source has seen since it was made.
  var statistics: SourceStatistics { get }
}

extension TickSource {
  /// A source of one connection is lost as a whole.
  public func takePartChanges() -> [PartChange] { [] }
  /// A source of one connection is lost as a whole.
  public var lostInstruments: [InstrumentID] { [] }
  /// A source of one connection has no parts.
  public func restore(part _: Int) {}

  /// Connects, however long the venue lets it wait.
  ///
  /// - Throws: as ``connect(until:)``.
  public func connect() throws(Fault) { try connect { false } }

  /// Asks for all there is of each instrument.
  public func subscribe(to subscriptions: [Subscription]) throws(Fault) {
    try subscribe(to: subscriptions.map(\.instrument))
  }
}

/// Takes a venue's messages as they came, on the thread that received them; must be quick and must not wait.
public protocol FrameSink: AnyObject, Sendable {
  /// Takes one message, which is valid during the call only.
  func take(_ frame: RawSpan, isText: Bool, receiveTime: Timestamp)
}

/// What one call of ``TickSource/receive(timeoutMilliseconds:into:)`` brought.
public enum SourceActivity: Sendable {
  /// Nothing arrived in time.
  case idle
  /// Something arrived, be it only a heartbeat: the venue is alive.
  case alive
}

/// Counts of a source since it was made.
public struct SourceStatistics: Sendable, Equatable {
  /// Bytes of payload received.
  public var bytes: UInt64 = 0
  /// Messages received, heartbeats included.
  public var messages: UInt64 = 0
  /// Heartbeats received.
  public var heartbeats: UInt64 = 0
  /// Ticks decoded.
  public var ticks: UInt64 = 0
  /// Frames or packets that could not be decoded, and were skipped.
  public var badFrames: UInt64 = 0
  /// Ticks for tokens that nobody asked for, and were skipped.
  public var unknownInstruments: UInt64 = 0
  /// Holes in the venue's own numbering, where it has one: something was sent that never arrived.
  public var sequenceHoles: UInt64 = 0
  /// Messages missing in those holes, by the numbers.
  public var missedMessages: UInt64 = 0
  /// Messages in which the venue complained, such as of a subscription beyond its limit.
  public var complaints: UInt64 = 0
  /// The latest of them, for people; empty when there was none.
  public var lastComplaint = ""
  /// What was wrong with the latest bad frame; empty when there was none.
  public var lastBadFrame = ""

  /// All zero.
  public init() {}

  /// Adds what a source has counted since `before`; its latest words replace ours where there are new ones.
  public mutating func add(_ now: SourceStatistics, since before: SourceStatistics) {
    bytes += now.bytes - before.bytes
    messages += now.messages - before.messages
    heartbeats += now.heartbeats - before.heartbeats
    ticks += now.ticks - before.ticks
    unknownInstruments += now.unknownInstruments - before.unknownInstruments
    sequenceHoles += now.sequenceHoles - before.sequenceHoles
    missedMessages += now.missedMessages - before.missedMessages
    if now.badFrames != before.badFrames {
      badFrames += now.badFrames - before.badFrames
      lastBadFrame = now.lastBadFrame
    }
    if now.complaints != before.complaints {
      complaints += now.complaints - before.complaints
      lastComplaint = now.lastComplaint
    }
  }
}
