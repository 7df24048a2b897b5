internal import CSharedRing
internal import Glibc
internal import MarketData

extension LaneReader {
  /// Looks at the slot before a waiting consumer yields or sleeps: some 20 microseconds.
  private static let spinsMax = 2000
  /// Looks between two readings of the clock.
  private static let spinsPerClock = 64

  /// Waits until a record is there; false when the time is over. What was drained is released first.
  ///
  /// - Parameter nanosecondsMax: longest wait; 0 looks once.
  @discardableResult
  public mutating func wait(_ strategy: WaitStrategy, nanosecondsMax: Int64) -> Bool {
    if drained != releasedNow { releaseDrained() }
    if hasRecord { return true }
    guard nanosecondsMax > 0 else { return false }
    let deadline = Timestamp.monotonicNanoseconds().addingReportingOverflow(nanosecondsMax)
    let end = deadline.overflow ? Int64.max : deadline.partialValue
    var spins = 0
    while true {
      for _ in 0..<Self.spinsPerClock {
        if hasRecord { return true }
        tickring_pause()
      }
      spins += Self.spinsPerClock
      let left = end - Timestamp.monotonicNanoseconds()
      if left <= 0 { return hasRecord }
      guard spins >= Self.spinsMax else { continue }
      switch strategy {
      case .spin: break
      case .spinThenYield: sched_yield()
      case .spinThenFutex:
        sleeps &+= 1
        mapping.set(.sleeps, sleeps)
        tickring_lane_sleep(base, next, left)
        if hasRecord { return true }
      }
    }
  }
}

extension LaneReader {
  /// Waits until the lane carries what was asked for: the feed handler answers with a filter version, and puts the
  /// filter in force between two batches. False when the time is over.
  public func waitForFilter(version: UInt64, nanosecondsMax: Int64) -> Bool {
    let end = Timestamp.monotonicNanoseconds() + nanosecondsMax
    // Compared as a distance: a version counts on from what an earlier feed handler left.
    while Int64(bitPattern: mapping.value(.filterVersion) &- version) < 0 {
      guard Timestamp.monotonicNanoseconds() < end else { return false }
      usleep(Self.filterPollMicroseconds)
    }
    return true
  }

  private static var filterPollMicroseconds: UInt32 { 200 }
}
