internal import CandleStore
internal import Configuration
internal import MarketData
internal import Synchronization

/// What the control socket asks of the thread that publishes, be it a live feed's or a replay's.
enum FeedCommand: Sendable {
  case addLane(Lane)
  case removeLane(String)
  case observe(lane: String, Lane.Filter)
  case subscribe([Subscription])
  /// Puts a record into the stream.
  case publish(Tick)
  /// Ends a HALT of the venue.
  case resume
  case stop
}

/// What stands behind the control socket: the side of a feed that knows instruments and publishes their ticks.
protocol FeedBackend: Sendable {
  /// To the thread that publishes.
  var commands: Mailbox<FeedCommand> { get }
  /// What was wrong with the latest bad frame; empty when all were good.
  var lastBadFrame: String { get }
  /// What a person should see to before it becomes a fault, in sentences.
  var notices: [String] { get }

  /// The instruments of these symbols.
  ///
  /// - Throws: ``Fault`` of kind `usage` for one that the feed's source does not know, with the nearest that it does.
  func instruments(for symbols: [Symbol]) throws(Fault) -> [Instrument]

  /// Takes note of instruments that nobody had asked for before.
  func define(_ instruments: [Instrument])

  /// Takes note of all that anyone observes.
  func noteWanted(_ subscriptions: [Subscription])

  /// The symbols that a configuration names.
  func symbols(of selection: InstrumentSelection) -> [Symbol]
}

extension FeedBackend {
  /// A replay has no tomorrow.
  var notices: [String] { [] }

  /// A replay asks no venue.
  func noteWanted(_: [Subscription]) {}

  func symbols(of selection: InstrumentSelection) -> [Symbol] {
    if case .symbols(let listed) = selection { listed } else { [] }
  }
}

/// The back end of a live feed: the venue's list, the receive thread, the recorder.
struct LiveBackend: FeedBackend {
  let directory: InstrumentDirectory
  let store: CandleStore
  let market: MarketHours
  let receive: ReceiveLoop
  let recorder: Recorder
  let repair: Mailbox<RepairLoop.Command>?
  let board: SubscriptionBoard
  let reconciler: Reconciler?

  var commands: Mailbox<FeedCommand> { receive.commands }
  var lastBadFrame: String { receive.lastBadFrame.withLock { $0 } }
  var notices: [String] { market.notices(at: receive.clock.now()) }

  func instruments(for symbols: [Symbol]) throws(Fault) -> [Instrument] {
    try directory.instruments(for: symbols, in: store)
  }

  func symbols(of selection: InstrumentSelection) -> [Symbol] {
    switch selection {
    case .all: directory.allSymbols
    case .symbols(let listed): listed
    }
  }

  func noteWanted(_ subscriptions: [Subscription]) {
    board.want(subscriptions)
    repair?.post(.observed(subscriptions.map(\.instrument)))
  }

  func define(_ instruments: [Instrument]) {
    market.define(instruments)
    recorder.commands.post(.define(instruments))
    reconciler?.commands.post(instruments)
  }

  /// The instruments of a filter whose numbers the store knows and which the venue lists today.
  func known(_ filter: InstrumentSet) throws(Fault) -> [Instrument] {
    let symbols = try store.instruments().filter { filter.contains($0.id) }.map(\.symbol)
    return try directory.instruments(for: symbols.filter { directory.lists($0) }, in: store)
  }
}
