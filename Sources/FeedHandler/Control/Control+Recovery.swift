internal import Configuration
internal import FeedControl
internal import MarketData
internal import SharedRing
internal import Synchronization

/// What control needs to end HALTs and to read the configuration again.
struct ControlRecovery: Sendable {
  var latch: HaltLatch
  var board: SubscriptionBoard
  var alerts: AlertHook
  /// Nil when gaps are not repaired.
  var repair: Mailbox<RepairLoop.Command>?
  var configuration: ReloadableConfiguration
}

/// The configuration in force and the file that it came from.
final class ReloadableConfiguration: Sendable {
  private let file: String?
  let present: Mutex<FeedConfiguration>

  init(_ configuration: FeedConfiguration, file: String?) {
    self.file = file
    present = Mutex(configuration)
  }

  /// Reads the file again; what is in force stays in force.
  ///
  /// - Throws: ``Fault`` with the first that is wrong with the file.
  func read() throws(Fault) -> FeedConfiguration {
    guard let file else {
      throw Fault(.usage, "this feed was not started from a configuration file, so there is none to reload")
    }
    do {
      return try FeedConfiguration.load(path: file)
    } catch {
      throw error.fault
    }
  }
}

// Ending HALTs, and the configuration read again.
extension Control {
  /// Ends what HALTs there are.
  ///
  /// - Throws: ``Fault`` of kind `usage` when there is none.
  func resume() throws(Fault) -> ResumeAnswer {
    guard let recovery else { throw replayFault("is resumed by `tickring replay resume`") }
    let halts = recovery.latch.all
    guard !halts.isEmpty else { throw Halt.nothingToResume(feed: settings.feed) }
    if halts.contains(where: { [.venue, .connection].contains($0.scope) }) { backend.commands.post(.resume) }
    if !recovery.latch.release(.instrument, as: .running, because: "by request").isEmpty {
      recovery.repair?.post(.retryGivenUp)
    }
    return ResumeAnswer(resumed: halts.map { $0.line(feed: settings.feed) })
  }

  /// Reads the configuration file again, and puts in force what can change while the feed runs: all of it or, where
  /// anything else has changed, nothing.
  ///
  /// - Throws: ``Fault`` of kind `configuration` that names what cannot change, of kind `usage` for an unknown symbol or
  ///   too many.
  func reload() throws(Fault) -> ReloadAnswer {
    guard let recovery else { throw replayFault("has no configuration file") }
    let new = try recovery.configuration.read()
    let differences = recovery.configuration.present.withLock { $0.differences(to: new) }
    let fixed = differences.filter { !Self.canChange($0.key) }
    if let first = fixed.first {
      let others = fixed.dropFirst().map(\.key)
      throw Fault(
        .configuration,
        "\(first.key) is \(Self.text(first.old)) and cannot become \(Self.text(first.new)) while the feed runs"
          + (others.isEmpty ? "" : ", nor can \(others.joined(separator: ", ")) change")
          + "; nothing was changed: restart `tickring ingest`, or put the old value back")
    }
    let (added, removed) = try state.withLock { state throws(Fault) in try apply(new, &state) }
    recovery.board.configure(muteSeconds: new.subscriptions.muteSeconds)
    recovery.alerts.configure(new.alert)
    recovery.configuration.present.withLock { $0 = new }
    return ReloadAnswer(changed: differences.map(\.key), added: added, removed: removed)
  }

  private func apply(_ new: FeedConfiguration, _ state: inout State) throws(Fault) -> (
    added: [String], removed: [String]
  ) {
    let wanted = try resolve(backend.symbols(of: new.instruments).map(\.text), &state)
    let before = state.subscriptions.instruments(of: .configuration)
    let after = Set(wanted.map(\.id))
    try checkRoom(for: wanted, by: .configuration, state)
    let oldModes = state.modes
    state.modes = new.subscriptions
    do throws(Fault) {
      try observe(wanted, by: .configuration, &state)
    } catch {
      state.modes = oldModes
      throw error
    }
    if state.subscriptions.unobserve(before.subtracting(after), by: .configuration) { updateSource(&state) }
    func symbols(_ ids: Set<InstrumentID>) -> [String] {
      ids.compactMap { state.instruments[$0]?.symbol.text }.sorted()
    }
    return (symbols(after.subtracting(before)), symbols(before.subtracting(after)))
  }

  /// True for keys that take effect while the feed runs.
  private static func canChange(_ key: String) -> Bool {
    key == "instruments" || key.hasPrefix("subscriptions.") || key.hasPrefix("alert.")
  }

  private static func text(_ value: String) -> String { value.isEmpty ? "empty" : value }
}
