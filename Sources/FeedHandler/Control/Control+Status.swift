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
    var status = ControlStatus(
      segment, feed: settings.feed, lanes: lanes,
      halts: recovery?.latch.all.map { $0.line(feed: settings.feed) })
    status.lastBadFrame = badFrame.isEmpty ? nil : badFrame
    status.notices = notices.isEmpty ? nil : notices
    status.subscriptions = recovery.map { recovery in
      Dictionary(recovery.board.all.map { ($0.standing.rawValue, 1) }, uniquingKeysWith: +)
    }
    return status
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

  func replayFault(_ what: String) -> Fault {
    Fault(.usage, "feed '\(settings.feed)' is a replay, which \(what)")
  }
}

extension ControlStatus {
  /// What a feed's segment tells.
  init(_ segment: FeedSegment, feed: String, lanes: [Lane], halts: [HaltLine]?) {
    self.init(
      feed: feed, pid: getpid(),
      state: FeedState(rawValue: segment.value(.state)).map { "\($0)" } ?? "unknown", lastBadFrame: nil,
      counters: Dictionary(
        uniqueKeysWithValues: FeedCounter.allCases.map { ($0.name, segment.value($0)) }),
      lanes: lanes, halts: halts)
  }
}

extension Halt {
  /// The HALT as the control socket tells it.
  func line(feed: String) -> HaltLine {
    HaltLine(
      scope: scope.rawValue, subject: subject, reason: fault.message, resume: advice(feed: feed),
      sinceNanoseconds: since.nanoseconds, exitCode: fault.kind.rawValue)
  }

  /// Why nothing can be resumed.
  static func nothingToResume(feed: String) -> Fault {
    Fault(.usage, "feed '\(feed)' has no HALT to resume; `tickring status` shows what it does")
  }
}
