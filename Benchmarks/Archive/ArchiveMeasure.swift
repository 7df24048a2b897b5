/// What the archive is measured by.
enum ArchiveMeasure: String, CaseIterable {
  case size, realSize, seal, scan, twoCores, oneInstrument, oneInstrumentColumns, seek, recovery, lane,
    backtest

  var title: String {
    switch self {
    case .size: "size of the synthetic day"
    case .realSize: "size of real trades"
    case .seal: "write"
    case .scan: "scan, one core"
    case .twoCores: "scan, two cores"
    case .oneInstrument: "one instrument, ten minutes"
    case .oneInstrumentColumns: "the same, time and price alone"
    case .seek: "seek to a time, the first record in hand"
    case .recovery: "recovery scan, every checksum"
    case .lane: "replay through a lane into another process"
    case .backtest: "back-test events through DataPoller"
    }
  }

  var unit: String {
    switch self {
    case .size, .realSize: "bytes a tick"
    case .seal, .scan, .twoCores, .recovery, .lane, .backtest: "M ticks/s"
    case .oneInstrument, .oneInstrumentColumns: "ms"
    case .seek: "us"
    }
  }

  /// True where more is better.
  var isRate: Bool { unit == "M ticks/s" }

  /// What it must reach on the machine that it was set for; nil where nothing is set.
  var floor: Double? {
    switch self {
    case .size: 6.8
    case .realSize: 6.5
    case .seal: 20
    case .scan: 100
    case .twoCores: 180
    case .oneInstrument: 3
    case .oneInstrumentColumns: nil
    case .seek: 300
    case .recovery: 500
    case .lane: 40
    case .backtest: 30
    }
  }

  func isMet(_ value: Double) -> Bool? { floor.map { isRate ? value >= $0 : value <= $0 } }
}

/// One program's figure in one measure.
struct ArchiveFigure {
  var program: String
  var measure: ArchiveMeasure
  var value: Double
  /// The same work gives the same one; nil where a program cannot tell.
  var checksum: UInt64?
}
