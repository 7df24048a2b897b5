internal import CandleStore
internal import Configuration
internal import Logging
internal import MarketData

/// A venue's list of instruments: downloaded once a day, kept in the store, and taken from there when the venue does
/// not deliver.
struct InstrumentMaster {
  let venue: String
  let download: () throws(Fault) -> [InstrumentListing]
  let store: CandleStore
  let logger: Logger
  /// False when each start downloads anew, as from a simulated venue, whose list is another each time.
  let isReused: Bool

  /// Venues make their lists anew in the morning; one fetched before is yesterday's.
  static let renewalMinuteOfDay = 8 * 60 + 30

  /// A list and where it came from.
  struct Snapshot {
    var listings: [InstrumentListing]
    /// When the venue gave it.
    var fetched: Timestamp
    /// Why it is an older one than wanted; nil when it is of today.
    var staleness: Fault?
    /// True when it was downloaded just now.
    var isNew: Bool
  }

  /// Today's list: the one that is kept, or a new one.
  ///
  /// - Parameter isForced: download in any case.
  /// - Throws: what the download throws when nothing is kept, and what the store throws.
  func snapshot(now: Timestamp, isForced: Bool = false) throws(Fault) -> Snapshot {
    let kept = try store.latestListingTime(of: venue)
    if isReused, !isForced, let kept, Self.isFresh(kept, at: now),
      let stored = try store.listings(of: venue), !stored.listings.isEmpty
    {
      return Snapshot(listings: stored.listings, fetched: stored.fetched, isNew: false)
    }
    do throws(Fault) {
      let listings = try download()
      guard !listings.isEmpty else {
        throw Fault(.protocolViolation, "\(venue)'s list of instruments is empty")
      }
      let changes = try store.recordListings(
        listings, of: venue, day: CivilTime(now).dayNumber, fetched: now)
      let news = "\(changes.added) new, \(changes.changed) changed, \(changes.removed) gone since the last"
      logger.info("\(venue)'s list of instruments: \(listings.count), \(news)")
      return Snapshot(listings: listings, fetched: now, isNew: true)
    } catch {
      let venuesFaults: [Fault.Kind] = [.unavailable, .protocolViolation, .refused, .badData]
      guard venuesFaults.contains(error.kind), let stored = try store.listings(of: venue) else { throw error }
      let day = CivilTime(stored.fetched).dateText
      logger.warning(
        "\(venue)'s list of instruments of \(day) is used, since today's cannot be fetched: \(error.message)")
      return Snapshot(listings: stored.listings, fetched: stored.fetched, staleness: error, isNew: false)
    }
  }

  /// True when a list fetched at one instant is still that of another.
  static func isFresh(_ fetched: Timestamp, at now: Timestamp) -> Bool {
    func listDay(_ time: Timestamp) -> Int {
      let civil = CivilTime(time)
      return civil.hour * 60 + civil.minute < renewalMinuteOfDay ? civil.dayNumber - 1 : civil.dayNumber
    }
    return fetched <= now && listDay(fetched) == listDay(now)
  }
}

extension InstrumentMaster {
  init(_ venue: Venue, _ configuration: FeedConfiguration, store: CandleStore, logger: Logger) {
    self.init(
      venue: venue.name, download: venue.listings, store: store, logger: logger,
      isReused: configuration.source.clock == .system)
  }
}
