internal import MarketData

/// How far each subscription has come: requested, sent, ticking, or mute. A value without a clock; times are monotonic
/// nanoseconds.
///
/// That an instrument ticks is seen by its count of ticks, which the path of a tick keeps anyway: nothing is added
/// there.
struct SubscriptionBook {
  /// How far a subscription has come.
  enum Standing: String, Sendable, CaseIterable {
    /// Somebody wants it; the venue was not asked yet, or has to be asked again.
    case requested
    /// The venue was asked.
    case sent
    /// A tick came after the latest time that the venue was asked.
    case ticking
    /// Asked for so long ago, within its market's session, that something is wrong: accepted but mute.
    case mute
  }

  private struct Entry {
    var subscription: Subscription
    var standing = Standing.requested
    /// Since when it waits for its first tick while its market is open.
    var waitingSince: Int64 = 0
    /// Its count of ticks when the venue was asked.
    var ticksBefore: UInt64 = 0
  }

  private var entries: [InstrumentID: Entry] = [:]

  /// What somebody wants now; what was wanted before keeps its standing.
  mutating func want(_ subscriptions: [Subscription]) {
    var wanted: [InstrumentID: Entry] = [:]
    wanted.reserveCapacity(subscriptions.count)
    for subscription in subscriptions {
      let id = subscription.instrument.id
      var entry = entries[id] ?? Entry(subscription: subscription)
      if entry.subscription.mode != subscription.mode { entry.standing = .requested }
      entry.subscription = subscription
      wanted[id] = entry
    }
    entries = wanted
  }

  /// The venue was asked for everything that is wanted, but for `lost`.
  mutating func noteSent(
    except lost: Set<InstrumentID> = [], at now: Int64, ticks: (InstrumentID) -> UInt64
  ) {
    for (id, entry) in entries where entry.standing == .requested && !lost.contains(id) {
      entries[id]?.standing = .sent
      entries[id]?.waitingSince = now
      entries[id]?.ticksBefore = ticks(id)
    }
  }

  /// The connection is gone: the venue has to be asked for everything again.
  mutating func noteLost() {
    for id in entries.keys { entries[id]?.standing = .requested }
  }

  /// The connection that carried these is gone.
  mutating func noteLost(_ instruments: [InstrumentID]) {
    for id in instruments { entries[id]?.standing = .requested }
  }

  /// Looks who has ticked and who is mute by now.
  ///
  /// - Parameters:
  ///   - isOpen: whether an instrument's market is open; while it is not, waiting does not count.
  /// - Returns: Those that are mute since this look, and those that were and tick now.
  mutating func look(
    at now: Int64, muteNanoseconds: Int64?, isOpen: (Instrument) -> Bool, ticks: (InstrumentID) -> UInt64
  ) -> (mute: [Instrument], recovered: [Instrument]) {
    var mute: [Instrument] = []
    var recovered: [Instrument] = []
    for (id, entry) in entries where entry.standing == .sent || entry.standing == .mute {
      let instrument = entry.subscription.instrument
      if ticks(id) > entry.ticksBefore {
        entries[id]?.standing = .ticking
        if entry.standing == .mute { recovered.append(instrument) }
      } else if !isOpen(instrument) {
        entries[id]?.waitingSince = now
      } else if entry.standing == .sent, let muteNanoseconds, now - entry.waitingSince > muteNanoseconds {
        entries[id]?.standing = .mute
        mute.append(instrument)
      }
    }
    return (mute.sorted { $0.id < $1.id }, recovered.sorted { $0.id < $1.id })
  }

  /// How many are how far.
  var counts: [Standing: Int] { entries.values.reduce(into: [:]) { $0[$1.standing, default: 0] += 1 } }

  /// Each subscription and how far it is, in order of the symbols.
  var all: [(subscription: Subscription, standing: Standing)] {
    entries.values.map { ($0.subscription, $0.standing) }.sorted {
      $0.0.instrument.symbol < $1.0.instrument.symbol
    }
  }
}
