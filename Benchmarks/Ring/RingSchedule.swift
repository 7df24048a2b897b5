internal import Foundation
internal import MarketData
internal import ProcessControl

/// Runs every program in turn, again and again, so that what changes on the machine meanwhile changes for all.
struct RingSchedule {
  private(set) var notes: [String] = []
  private var jobs: [(program: RingProgram, run: RingRun)] = []
  private var failures: [String: Int] = [:]
  private let isRealtime: Bool

  /// Records a second where a measure is paced.
  static let pace = 1e6
  private static let failuresMax = 2
  private static let daemon = "/usr/bin/iox-roudi"
  private static let smokeDivisor: UInt64 = 200

  /// - Parameter isSmoke: do little, at ordinary priority.
  init(programs: [RingProgram], isSmoke: Bool, processors: ProcessorPair) {
    isRealtime = !isSmoke
    let present = programs.filter(\.isThere)
    notes = programs.filter { !$0.isThere }.map { "\($0.name), not built; `make bench-ring` builds it" }
    for measure in RingMeasure.allCases {
      for program in present {
        guard let count = program.counts[measure] else { continue }
        let run = RingRun(
          measure: measure, count: isSmoke ? max(count / Self.smokeDivisor, 20) : count, perSecond: Self.pace,
          processors: processors, isRealtime: !isSmoke)
        jobs.append((program, run))
      }
    }
  }

  var description: String {
    "two processes, 64-byte records, lanes of \(RingPart.capacity) slots, paced at \(Int(Self.pace)) a second, "
      + (isRealtime ? "real-time priority where permitted" : "ordinary priority")
  }

  /// - Parameter onRepetition: called before each repetition with its number and the runs done.
  /// - Throws: ``Fault`` when one of our own runs fails; a peer that fails is left out and noted.
  mutating func run(
    secondsMax: Double, repetitionsMax: Int, onRepetition: (Int, Int) -> Void
  ) throws -> [RingSample] {
    let daemon = startDaemon()
    defer {
      daemon?.terminate()
      _ = daemon?.waitForExit(timeoutSeconds: 3)
    }
    var samples: [RingSample] = []
    let start = Timestamp.monotonicNanoseconds()
    for repetition in 1...repetitionsMax {
      guard repetition == 1 || Double(Timestamp.monotonicNanoseconds() - start) / 1e9 < secondsMax else {
        break
      }
      onRepetition(repetition, samples.count)
      for job in jobs {
        let name = "\(job.program.name) \(job.run.measure.rawValue)"
        if failures[name, default: 0] >= Self.failuresMax { continue }
        do {
          let sample = try job.program.run(job.run)
          guard sample.errors == 0 else {
            throw Fault(.system, "\(name) counted \(sample.errors) records that were lost, doubled or torn")
          }
          samples.append(sample)
        } catch {
          if job.program.isOwn { throw error }
          failures[name, default: 0] += 1
          if failures[name] == Self.failuresMax { notes.append("\(name), which failed: \(error)") }
        }
      }
    }
    return samples
  }

  /// iceoryx needs its daemon; one that runs already does as well.
  private func startDaemon() -> ChildProcess? {
    guard jobs.contains(where: { $0.program.name == "iceoryx" }) else { return nil }
    let daemon = try? ChildProcess(
      name: "iox-roudi", executable: Self.daemon, arguments: ["-m", "off", "-l", "off"])
    usleep(1_500_000)
    return daemon
  }
}
