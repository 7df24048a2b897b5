internal import Foundation
internal import MarketData
internal import ProcessControl

/// A program that measures one ring: ours, the machine's limits, or a peer.
struct RingProgram {
  static let ourName = "tickring"
  static let limitName = "limit"
  /// The limit of a round trip over cache lines in turn.
  static let linesName = "limit-lines"

  let name: String
  let executable: String
  let leading: [String]
  /// What it measures, and how many records of it fill a fraction of a second.
  let counts: [RingMeasure: UInt64]

  /// A run takes a fraction of a second; one that takes this long hangs.
  private static let runSecondsMax = 20.0

  /// Ours, the limits, and the peers whose programs are in the folder.
  static func all(peersIn folder: String?) -> [RingProgram] {
    let ownPath =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    let own = [(ourName, ourCounts), (limitName, limitCounts), (linesName, [.roundTrip: 200_000])].map {
      name, counts in
      RingProgram(name: name, executable: ownPath, leading: ["ring-part", name], counts: counts)
    }
    let others = peers.map { name, counts in
      RingProgram(name: name, executable: "\(folder ?? "")/\(name)", leading: [], counts: counts)
    }
    return own + others
  }

  /// True for what this program measures itself.
  var isOwn: Bool { !leading.isEmpty }

  /// True when the program can be run.
  var isThere: Bool { FileManager.default.isExecutableFile(atPath: executable) }

  /// Runs one measure.
  ///
  /// - Throws: ``Fault`` when the program fails, hangs, or says something else than one line of figures.
  func run(_ run: RingRun) throws -> RingSample {
    let lines = Lines()
    let child = try ChildProcess(
      name: name, executable: executable, arguments: leading + run.arguments, onLine: { lines.append($0) })
    let code = child.waitForExit(timeoutSeconds: Self.runSecondsMax)
    guard code == 0, let line = lines.last else {
      let end = code.map { "ended with \($0)" } ?? "took more than \(Int(Self.runSecondsMax)) s"
      throw Fault(.system, "\(name) \(end) in \(run.measure.rawValue): \(child.errorText)")
    }
    return try JSONDecoder().decode(RingSample.self, from: Data(line.utf8))
  }

  private static let ourCounts: [RingMeasure: UInt64] = [
    .roundTrip: 200_000, .batches: 4_000_000, .streamed: 4_000_000, .singles: 4_000_000,
    .producerAlone: 8_000_000, .paced: 200_000, .lanes1: 2_000_000, .lanes2: 1_000_000, .lanes4: 500_000,
    .lanes8: 500_000, .longBatches: 2_000_000, .inPlace1: 2_000_000, .inPlace8: 500_000,
    .lastValue: 10_000_000,
    .wake: 500, .wakeCheck: 8_000_000, .noWakeCheck: 8_000_000,
  ]
  private static let limitCounts: [RingMeasure: UInt64] = [
    .roundTrip: 200_000, .batches: 4_000_000, .producerAlone: 8_000_000, .paced: 200_000, .wake: 500,
  ]
  private static let peers: [(String, [RingMeasure: UInt64])] = [
    (
      "boost",
      [
        .roundTrip: 200_000, .batches: 4_000_000, .singles: 4_000_000, .producerAlone: 8_000_000,
        .paced: 200_000,
      ]
    ),
    ("iceoryx", [.roundTrip: 30_000, .singles: 50_000, .paced: 50_000]),
    ("unix-socket", [.roundTrip: 3_000, .batches: 200_000, .singles: 50_000, .paced: 20_000]),
  ]
}

/// Lines of a child, from the thread that reads them.
private final class Lines: @unchecked Sendable {
  // @unchecked: under a lock.
  private let lock = NSLock()
  private var texts: [String] = []

  func append(_ text: String) { lock.withLock { texts.append(text) } }
  var last: String? { lock.withLock { texts.last } }
}

/// What one run found.
struct RingSample: Decodable {
  let peer: String
  let measure: String
  /// Round trip of one line before and after, in nanoseconds.
  let probes: [Double]
  let checksum: UInt64
  let errors: UInt64
  /// Cost of a record, for a measure of cost.
  let nanoseconds: Double?
  let count: UInt64?
  let p50: Double?
  let p99: Double?
  let p999: Double?
  let max: Double?
  /// Latencies in nanoseconds and how often they were seen.
  let histogram: [[Double]]?

  /// Where the two processors were throughout the run; nil when they moved.
  var placement: RingPlacement? {
    let places = probes.map(RingPlacement.init(roundTrip:))
    guard probes.count == 2, places[0] == places[1] else { return nil }
    return places[0]
  }

  /// The figure by which it is compared.
  var key: Double { p50 ?? nanoseconds ?? .infinity }
}

/// Where a hypervisor has put the two processors, as a round trip of one cache line tells.
enum RingPlacement: String, CaseIterable {
  case oneCore = "smt"
  case near
  case between
  case far

  /// Bounds in nanoseconds, by a clock that may tick every 10: two threads of one core take 90, two cores of one cache
  /// 100 to 190, others 300 up.
  init(roundTrip: Double) {
    self = roundTrip < 95 ? .oneCore : roundTrip < 200 ? .near : roundTrip < 300 ? .between : .far
  }

  var title: String {
    switch self {
    case .oneCore: "one core (two threads of it)"
    case .near: "near (two cores of one cache)"
    case .between: "between near and far"
    case .far: "far (two caches)"
    }
  }
}
