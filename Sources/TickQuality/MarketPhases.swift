public import MarketData
internal import Synchronization

/// Which phase of its market's day an instrument is in: the calendar, asked once a day for each group of instruments.
///
/// May be used from several threads. Asking takes a lock that is hardly ever contended, so a rule remembers the answer
/// together with how long it holds.
public final class MarketPhases: Sendable {
  /// A stretch of time in which the phase does not change.
  public struct Window: Sendable, BitwiseCopyable {
    /// Its first instant.
    public var start: Timestamp
    /// The first instant after it.
    public var end: Timestamp
    /// What a trade in it has to be flagged with: nothing in continuous trading, ``TickFlags/auction`` in the auctions
    /// and after the close, ``TickFlags/outsideSession`` while the market is closed.
    public var flags: TickFlags

    /// Holds nothing.
    public static let none = Window(start: .unknown, end: .unknown, flags: [])

    /// True from ``start`` up to, not including, ``end``.
    @inline(__always)
    public func contains(_ instant: Timestamp) -> Bool { start <= instant && instant < end }
  }

  private struct State {
    var groups: [InstrumentID: MarketGroup] = [:]
    /// The windows of the days asked for last, by group.
    var days: [MarketGroup: [Int: [Window]]] = [:]
    var unknownDays: UInt64 = 0
  }

  /// When markets trade.
  public let schedule: any SessionSchedule
  private let state = Mutex(State())
  private static let daysMax = 8

  /// Makes it for a schedule; no instrument's group is known yet.
  public init(_ schedule: any SessionSchedule = AlwaysOpen()) {
    self.schedule = schedule
  }

  /// Tells whose hours an instrument keeps. Instruments that nobody told of are always in continuous trading.
  public func define(_ instrument: InstrumentID, group: MarketGroup) {
    state.withLock { $0.groups[instrument] = group }
  }

  /// Whose hours an instrument keeps; nil when nobody told.
  public func group(of instrument: InstrumentID) -> MarketGroup? {
    state.withLock { $0.groups[instrument] }
  }

  /// Every group that some instrument belongs to.
  public var groups: Set<MarketGroup> { state.withLock { Set($0.groups.values) } }

  /// Times that a day was asked for which the schedule does not know; its trades count as outside of all sessions.
  public var unknownDays: UInt64 { state.withLock { $0.unknownDays } }

  /// The stretch of unchanging phase that holds an instant.
  public func window(of instrument: InstrumentID, at instant: Timestamp) -> Window {
    let day = CivilTime(instant).dayNumber
    return state.withLock { state in
      guard let group = state.groups[instrument] else { return Self.wholeDay(day, flags: []) }
      if state.days[group]?[day] == nil {
        if state.days[group, default: [:]].count >= Self.daysMax { state.days[group] = [:] }
        state.days[group, default: [:]][day] = windows(day, group, &state)
      }
      return state.days[group]?[day]?.first { $0.contains(instant) } ?? .none
    }
  }

  private func windows(_ day: Int, _ group: MarketGroup, _ state: inout State) -> [Window] {
    let whole = Self.wholeDay(day, flags: .outsideSession)
    guard let known = try? schedule.tradingDay(day, of: group) else {
      state.unknownDays &+= 1
      return [whole]
    }
    var windows: [Window] = []
    var end = whole.start
    for span in known.sessions.flatMap(\.phases).sorted(by: { $0.start < $1.start }) {
      if span.start > end { windows.append(Window(start: end, end: span.start, flags: .outsideSession)) }
      windows.append(
        Window(start: span.start, end: span.end, flags: span.phase == .continuous ? [] : .auction))
      end = span.end
    }
    if end < whole.end { windows.append(Window(start: end, end: whole.end, flags: .outsideSession)) }
    return windows
  }

  private static func wholeDay(_ day: Int, flags: TickFlags) -> Window {
    Window(
      start: CivilTime(dayNumber: day).timestamp(), end: CivilTime(dayNumber: day + 1).timestamp(),
      flags: flags)
  }
}
