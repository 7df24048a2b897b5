import MarketData

/// One client's ticker connection as the venue sees it: what it wants, what waits for it, how far closing got.
///
/// Touched only under the venue's lock.
final class Connection {
  /// How far a connection is on its way to its end.
  enum Phase {
    case open
    /// The client closed with this code, which is to be answered.
    case closedByClient(code: UInt16)
    /// A close frame was handed out; the client's is awaited.
    case closeSent
    /// The transport is to end in the middle of a frame.
    case cutMidFrame
    /// Both sides have closed, or the transport is gone.
    case over
  }

  let id: Int
  let signal: Signal
  var phase = Phase.open
  var outbox: Outbox
  /// The frame that is being written; it counts as sent when the next one is asked for.
  var inFlight: DataFrame?
  /// The writer has nothing to do and waits for ``signal``.
  var isWaiting = false
  var lastWrite: Timestamp
  /// The modes of each subscribed instrument, by index.
  private(set) var modes: [TickerModes]
  /// The subscribed instruments in the order of subscription.
  private(set) var subscribed: [Int] = []
  /// How often each subscribed instrument was asked for: the venue's limit counts repetitions.
  private var requests: [Int: Int] = [:]
  private(set) var requestCount = 0
  private var cursor = 0
  /// Ticks until the connection is cut; nil when it is not to be.
  var ticksLeft: Int?
  /// The last message was good and the venue's fault wants a bad one next.
  var isGarbageDue = false
  /// The connection stays open and nothing is said on it any more, whatever the client does.
  var isDeaf = false
  /// A frame that is to be sent once more.
  var repeated: DataFrame?
  /// A frame that its successor is to overtake, and whether that has happened.
  var heldBack: (frame: DataFrame, isDue: Bool)?
  /// Subscribed instruments of which no tick is sent.
  var muted: Set<Int> = []

  init(
    id: Int, signal: Signal, instrumentCount: Int, configuration: SimulatedVenue.Configuration,
    ticksBeforeCut: Int?, now: Timestamp
  ) {
    self.id = id
    self.signal = signal
    outbox = Outbox(packetsPerFrameMax: configuration.packetsPerMessageMax)
    modes = Array(repeating: TickerModes(), count: instrumentCount)
    lastWrite = now
    ticksLeft = ticksBeforeCut
  }

  /// Notes a request for the instrument; true when it was not subscribed before.
  func subscribe(_ index: Int) -> Bool {
    requests[index, default: 0] += 1
    requestCount += 1
    guard modes[index].isEmpty else { return false }
    modes[index] = TickerModes(.quote)
    subscribed.append(index)
    return true
  }

  /// Forgets the instruments.
  func unsubscribe(_ indices: Set<Int>) {
    for index in indices {
      requestCount -= requests.removeValue(forKey: index) ?? 0
      modes[index] = TickerModes()
    }
    subscribed.removeAll { indices.contains($0) }
    muted.subtract(indices)
    cursor = 0
  }

  /// Changes the mode of a subscribed instrument; true when it was another one.
  func setMode(_ mode: TickerMode, of index: Int) -> Bool {
    guard !modes[index].isEmpty, modes[index] != TickerModes(mode) else { return false }
    modes[index] = TickerModes(mode)
    return true
  }

  /// Adds a mode to those in which an instrument is subscribed; true when it is the instrument's first.
  func add(_ mode: TickerMode, of index: Int) -> Bool {
    let isFirst = modes[index].isEmpty
    modes[index].insert(mode)
    requestCount += 1
    if isFirst { subscribed.append(index) }
    return isFirst
  }

  /// Takes a mode away; true when it was the instrument's last.
  func remove(_ mode: TickerMode, of index: Int) -> Bool {
    guard modes[index].contains(mode) else { return false }
    modes[index].remove(mode)
    requestCount -= 1
    guard modes[index].isEmpty else { return false }
    subscribed.removeAll { $0 == index }
    muted.remove(index)
    cursor = 0
    return true
  }

  /// The next instrument in turn, and its mode; nil when none is subscribed.
  func nextInTurn() -> (index: Int, mode: TickerMode)? {
    guard !subscribed.isEmpty else { return nil }
    if cursor >= subscribed.count { cursor = 0 }
    let index = subscribed[cursor]
    cursor += 1
    return modes[index].highest.map { (index, $0) }
  }

  /// Takes one tick from what may still be sent before the cut; false when nothing may.
  func admitsTick() -> Bool {
    guard let left = ticksLeft else { return true }
    guard left > 0 else { return false }
    ticksLeft = left - 1
    return true
  }
}
