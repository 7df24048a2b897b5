internal import Configuration
internal import Foundation
internal import MarketData
internal import TickArchive
internal import TickRing

/// A synthetic day in an archive of its own, with what is measured on it.
struct ArchivedDay {
  static let feed = "bench"
  /// Data directory; the archive is in `archive` below it.
  let directory: String
  /// The records, which peers are given too.
  let ticks: [Tick]
  /// The most active instrument, and ten minutes of a quiet hour.
  let instrument: InstrumentID
  let window: Range<Timestamp>

  private static let seed: UInt64 = 20_260_115
  private static let runs = 5
  private static let searchRuns = 41
  private static let seeks = 200
  private static let windowStart: Int64 = 105 * 60
  private static let windowSeconds: Int64 = 600

  private var archive: String { directory + "/archive" }
  private var reader: ArchiveReader {
    get throws { try ArchiveReader(directory: archive, feed: Self.feed) }
  }

  /// Makes the day and archives it, which is measured.
  init(_ count: Int, in directory: String, _ report: inout ArchiveReport) throws {
    var day = MarketDay(ticks: count, seed: Self.seed)
    self.directory = directory
    instrument = day.busiest
    ticks = (0..<count).map { _ in day.next() }
    let start = MarketDay.open + Self.windowStart * 1_000_000_000
    window = start..<start + Self.windowSeconds * 1_000_000_000
    try measureWriting(&report)
  }

  private func measureWriting(_ report: inout ArchiveReport) throws {
    let instruments = try MarketDay.instruments()
    var blocks: UInt64 = 0
    let sealing = try Measurement.median(runs: 3) {
      try? FileManager.default.removeItem(atPath: archive)
      var writer = try ArchiveWriter(directory: archive, feed: Self.feed)
      try writer.define(instruments)
      let start = Timestamp.monotonicNanoseconds()
      try ticks.withUnsafeBufferPointer { ticks in
        for tick in ticks { _ = try writer.append(tick) }
      }
      try writer.seal()
      let end = Timestamp.monotonicNanoseconds()
      blocks = writer.statistics.blocks
      try writer.close()
      return Double(end - start)
    }
    add(.seal, rate(sealing), blocks, &report)
    let copying = Measurement.median(runs: Self.runs) {
      let block = ArchiveOptions.blockTicksDefault
      var target = [Tick](ticks.prefix(block))
      let start = Timestamp.monotonicNanoseconds()
      ticks.withUnsafeBufferPointer { source in
        target.withUnsafeMutableBufferPointer { target in
          for first in stride(from: 0, to: source.count, by: block) {
            let run = UnsafeBufferPointer(rebasing: source[first..<min(source.count, first + block)])
            _ = target.update(fromContentsOf: run)
          }
        }
      }
      let end = Timestamp.monotonicNanoseconds()
      precondition(target[0].sequence > 0, "what was copied is looked at")
      return Double(end - start)
    }
    for measure in [ArchiveMeasure.seal, .scan] {
      report.add(ArchiveFigure(program: ArchiveReport.copying, measure: measure, value: rate(copying)))
    }
    let bytes = try reader.info().reduce(0) { $0 + $1.bytes }
    add(.size, Double(bytes) / Double(ticks.count), UInt64(bytes), &report)
  }

  /// Scans, seeks and one instrument's ten minutes.
  func measureReading(_ report: inout ArchiveReport) throws {
    let reader = try reader
    for (measure, cores) in [(ArchiveMeasure.scan, 1), (.twoCores, 2)] {
      let scanning = try timed(runs: Self.runs) {
        var last: UInt64 = 0
        try reader.forEachBlock(TickSelection(), cores: cores) { ticks throws(Fault) in
          last = ticks[ticks.count - 1].sequence
        }
        return last
      }
      add(measure, rate(scanning.nanoseconds), scanning.checksum, &report)
    }
    var random = RandomNumbers(seed: 3)
    var found: UInt64 = 0
    let length = ticks[ticks.count - 1].receiveTime - MarketDay.open
    let seeking = try Measurement.median(runs: Self.seeks) {
      let target = MarketDay.open + Int64(random.uniform() * Double(length))
      let start = Timestamp.monotonicNanoseconds()
      found &+= try reader.firstTick(TickSelection(from: target))?.sequence ?? 0
      return Double(Timestamp.monotonicNanoseconds() - start)
    }
    add(.seek, seeking / 1e3, found, &report)
    var selection = TickSelection(from: window.lowerBound, to: window.upperBound, instruments: [instrument])
    for measure in [ArchiveMeasure.oneInstrument, .oneInstrumentColumns] {
      if measure == .oneInstrumentColumns { selection.fields = .lastPrice }
      let range = try timed(runs: Self.searchRuns) {
        var checksum: UInt64 = 0
        try reader.forEachBlock(selection, cores: 1) { ticks throws(Fault) in
          for index in ticks.indices {
            checksum &+= UInt64(bitPattern: ticks[index].lastPrice.units / 50_000_000)
          }
        }
        return checksum
      }
      add(measure, range.nanoseconds / 1e6, range.checksum, &report)
    }
  }

  /// Opens an archive whose writer died before it wrote the footer: every block is found and checked.
  func measureRecovery(_ report: inout ArchiveReport) throws {
    let torn = directory + "/torn"
    var recovered: UInt64 = 0
    let recovering = try Measurement.median(runs: Self.runs) {
      try? FileManager.default.removeItem(atPath: torn)
      try FileManager.default.copyItem(atPath: archive, toPath: torn)
      guard let segment = try reader.info().last?.file.split(separator: "/").last else { return 0 }
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: torn + "/" + segment))
      try file.truncate(atOffset: file.seekToEnd() - 1)
      try file.close()
      let start = Timestamp.monotonicNanoseconds()
      let writer = try ArchiveWriter(directory: torn, feed: Self.feed)
      let end = Timestamp.monotonicNanoseconds()
      recovered = writer.lastSealedSequence ?? 0
      return Double(end - start)
    }
    add(.recovery, rate(recovering), recovered, &report)
    try? FileManager.default.removeItem(atPath: torn)
  }

  /// Every tick as an event of a back-test.
  func measureBacktest(_ report: inout ArchiveReport) throws {
    var configuration = FeedConfiguration()
    configuration.dataDirectory = directory
    configuration.feed = Self.feed
    configuration.mode = .backtest
    configuration.backtest.from = ticks.first?.receiveTime
    configuration.backtest.to = ticks.last.map { $0.receiveTime + 1 }
    let symbols = try MarketDay.instruments().map(\.symbol.text)
    let events = try timed(runs: 3) {
      let data = try DataPoller(configuration: .values(configuration))
      data.wanted = [.ticks]
      try data.observe(symbols)
      var prices: UInt64 = 0
      while data.isOpen {
        data.poll { event in
          if case .tick(let tick) = event { prices &+= UInt64(bitPattern: tick.lastPrice.units) }
        }
      }
      return prices
    }
    add(.backtest, rate(events.nanoseconds), events.checksum, &report)
  }

  private func add(
    _ measure: ArchiveMeasure, _ value: Double, _ checksum: UInt64, _ report: inout ArchiveReport
  ) {
    report.add(
      ArchiveFigure(program: ArchiveReport.ours, measure: measure, value: value, checksum: checksum))
  }

  /// Millions of ticks a second.
  func rate(_ nanoseconds: Double) -> Double { Double(ticks.count) / nanoseconds * 1e3 }

  private func timed(runs: Int, _ body: () throws -> UInt64) rethrows -> (
    nanoseconds: Double, checksum: UInt64
  ) {
    var checksum: UInt64 = 0
    let nanoseconds = try Measurement.median(runs: runs) {
      let start = Timestamp.monotonicNanoseconds()
      checksum = try body()
      return Double(Timestamp.monotonicNanoseconds() - start)
    }
    return (nanoseconds, checksum)
  }
}
