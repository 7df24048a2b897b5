internal import MarketData

/// Why a feed, or a part of it, stands still until something changes: latched, so that nothing goes on by chance.
struct Halt: Sendable, Equatable {
  /// What stands still.
  enum Scope: String, Sendable {
    /// History of single instruments, whose gaps could not be repaired; their live ticks go on.
    case instrument
    /// What one connection of several is to carry; the others go on.
    case connection
    /// The live feed of the venue; storage, status and everything stored go on.
    case venue
    /// The archive; the process ends, and what was published waits in the recorder's lane.
    case storage
    /// The whole process.
    case all

    /// True when no ticks come because of it.
    var stopsFeed: Bool { self != .instrument && self != .connection }
  }

  /// What ends it.
  enum Rule: Sendable, Equatable {
    /// New credentials, seen by themselves, or `tickring resume`.
    case newToken(advice: String)
    /// `tickring resume`, or the next opening of the market.
    case request
    /// Another start.
    case restart
  }

  var scope: Scope
  /// The venue, or the instruments; empty for the whole process.
  var subject: String
  /// What happened.
  var fault: Fault
  var rule: Rule
  /// By the machine's clock.
  var since: Timestamp

  /// What a person, or time, must do.
  func advice(feed: String) -> String {
    switch rule {
    case .newToken(let advice):
      // Some refusals end with the advice.
      (fault.message.hasSuffix(advice) ? "" : "\(advice); ") + "the feed goes on by itself then"
    case .request where scope == .venue:
      "the feed goes on after `tickring resume --feed \(feed)`, or when the market opens next"
    case .request where scope == .connection:
      "it is tried again after `tickring resume --feed \(feed)`, or when the market opens next; the others go on"
    case .request: "`tickring resume --feed \(feed)` tries again"
    case .restart: "mend the cause and start `tickring ingest` again"
    }
  }
}
