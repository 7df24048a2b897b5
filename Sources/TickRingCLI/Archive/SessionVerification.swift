internal import ArgumentParser
internal import MarketData
internal import TickArchive

/// `tickring archive verify --session`: what was published live is what a replay gives.
struct SessionVerification {
  let place: ArchivePlace
  let cores: Int

  func run() throws {
    let reader = try place.reader()
    guard let directory = reader.directory, let feed = reader.feed else {
      throw Fault(
        .usage, "--session checks the archive of a feed: name its directory, not the segment '\(place.path)'"
      )
    }
    let ledger = SessionLedger(directory: directory, feed: feed)
    let sessions = try ledger.sessions()
    guard !sessions.isEmpty else {
      throw Fault(.missingInput, "no feed handler has left a session of feed '\(feed)' in \(ledger.path)")
    }
    var failures = 0
    for session in sessions {
      let name =
        "session from \(session.firstSequence) to \(session.lastSequence)"
        + (session.hasEnded ? "" : " (noted before it ended)")
      let hash = TickStreamHash.text(of: session.hash)
      switch try reader.check(session, cores: cores) {
      case .holds: Console.line("\(name): fingerprint \(hash) holds")
      case .removed:
        Console.line("\(name): its beginning is no longer in the archive, so it cannot be checked")
      case .differs(let records, let found):
        failures += 1
        Console.error(
          "\(name): \(Format.count(session.lastSequence - session.firstSequence + 1)) records of fingerprint \(hash) "
            + "were published, the archive gives \(Format.count(records)) of \(TickStreamHash.text(of: found))"
        )
      }
    }
    Console.line("\(sessions.count) sessions, \(failures) differ")
    guard failures == 0 else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }
}
