internal import CLinux
internal import FeedControl
internal import Foundation
internal import MarketData
internal import ProcessControl
internal import SharedRing

/// `tickring replay --feed` as a process of its own, this one its consumer, each bound to a processor of its own where
/// there are two.
enum LaneReplay {
  private static let lane = "bench"
  private static let laneSlots = 1 << 14
  private static let runMax = 8192
  private static let startSeconds = 30.0
  private static let runs = 3

  static func measure(_ day: ArchivedDay, _ report: inout ArchiveReport) throws {
    var checksum: UInt64 = 0
    let nanoseconds = try Measurement.median(runs: runs) {
      let result = try replay(day)
      checksum = result.checksum
      return result.nanoseconds
    }
    report.add(
      ArchiveFigure(
        program: ArchiveReport.ours, measure: .lane, value: day.rate(nanoseconds), checksum: checksum))
  }

  private static func replay(_ day: ArchivedDay) throws -> (nanoseconds: Double, checksum: UInt64) {
    let count = day.ticks.count
    let feed = "bench-\(getpid())"
    let hasTwo = ProcessInfo.processInfo.activeProcessorCount > 1
    let replay = try ChildProcess(
      name: "the replay", executable: BenchmarkVenue.product("tickring"),
      arguments: [
        "replay", "--data", day.directory, "--feed", feed, "--wait-for", lane, "--slots", "\(laneSlots)",
        "--json",
      ] + (hasTwo ? ["--cpu", "0"] : []))
    let view = try waitUntilRunning(feed, replay)
    if hasTwo { _ = tickring_pin_to_cpu(1) }
    let control = try ControlClient(path: view.controlSocket)
    let symbols = try MarketDay.instruments().map(\.symbol.text)
    _ = try control.attach(LaneRequest(lane: lane, symbols: symbols))
    var reader = try LaneReader(feed: feed, lane: lane)
    var checksum: UInt64 = 0
    var taken = 0
    var start: Int64 = 0
    while taken < count {
      let run = reader.drain(max: runMax) { ticks in
        for index in ticks.indices { checksum &+= ticks[index].sequence }
      }
      if run == 0 {
        LaneReader.pause()
        guard replay.isRunning || reader.lag > 0 else {
          throw Fault(.software, "the replay ended after \(taken) of \(count) records: \(replay.errorText)")
        }
      } else if taken == 0 {
        start = Timestamp.monotonicNanoseconds()
      }
      taken += run
    }
    let nanoseconds = Double(Timestamp.monotonicNanoseconds() - start)
    _ = replay.waitForExit(timeoutSeconds: startSeconds)
    return (nanoseconds, checksum)
  }

  private static func waitUntilRunning(_ feed: String, _ replay: ChildProcess) throws -> FeedView {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(startSeconds * 1e9)
    while Timestamp.monotonicNanoseconds() < deadline, replay.isRunning {
      if let view = try? FeedView(feed: feed), view.state == .running { return view }
      usleep(5_000)
    }
    throw Fault(.unavailable, "the replay did not get going: \(replay.errorText)")
  }
}
