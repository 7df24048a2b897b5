internal import FeedControl
internal import Glibc
internal import MarketData
internal import SharedRing
internal import Synchronization

// What the control socket tells.
extension Control {
  /// What the feed is doing.
  func status() -> ControlStatus {
    let lanes = state.withLock { state in
      state.lanes.values.sorted { $0.name < $1.name }.map { lane in
        ControlStatus.Lane(
          name: lane.name, observed: state.subscriptions.instruments(of: .lane(lane.name)).count,
          hasConsumer: lane.hasConsumer, isTruncated: lane.isTruncated)
      }
    }
    let badFrame = backend.lastBadFrame
    let notices = backend.notices
    return ControlStatus(
      feed: settings.feed, pid: getpid(),
      state: FeedState(rawValue: segment.value(.state)).map { "\($0)" } ?? "unknown",
      lastBadFrame: badFrame.isEmpty ? nil : badFrame,
      counters: Dictionary(
        uniqueKeysWithValues: FeedCounter.allCases.map { ($0.name, segment.value($0)) }),
      lanes: lanes, notices: notices.isEmpty ? nil : notices, halts: recovery?.latch.all.map(haltLine),
      subscriptions: recovery.map { recovery in
        Dictionary(recovery.board.all.map { ($0.standing.rawValue, 1) }, uniquingKeysWith: +)
      })
  }

  /// How far each subscription has come.
  func subscriptions() throws(Fault) -> SubscriptionsAnswer {
    guard let recovery else { throw replayFault("asks no venue for instruments") }
    return SubscriptionsAnswer(
      subscriptions: recovery.board.all.map { entry in
        SubscriptionsAnswer.Line(
          symbol: entry.subscription.instrument.symbol.text, mode: entry.subscription.mode.rawValue,
          standing: entry.standing.rawValue)
      })
  }

  func haltLine(_ halt: Halt) -> HaltLine {
    HaltLine(
      scope: halt.scope.rawValue, subject: halt.subject, reason: halt.fault.message,
      resume: halt.advice(feed: settings.feed), sinceNanoseconds: halt.since.nanoseconds,
      exitCode: halt.fault.kind.rawValue)
  }

  func replayFault(_ what: String) -> Fault {
    Fault(.usage, "feed '\(settings.feed)' is a replay, which \(what)")
  }
}
