import Foundation
import MarketData
import Testing
import TickArchive

/// Segments read by others, and segments made by others: earlier versions of this program, and real markets.
@Suite struct SampleTests {
  private static let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Resources").path

  /// Plausible ticks followed by records that hold anything at all.
  private static func mixedTicks() -> [Tick] {
    TickStreams.plausible(count: 600, instruments: 5, seed: 42)
      + TickStreams.arbitrary(count: 100, instruments: 9, seed: 4).enumerated().map { index, tick in
        var tick = tick
        tick.sequence = 1_000 + UInt64(index)
        tick.receiveTime = TickStreams.open + 60_000_000_000 + Int64(index)
        return tick
      }
  }

  /// The same with day summaries, plausible ones and others.
  private static func summarizedTicks() -> [Tick] {
    TickStreams.summarized(count: 600, instruments: 5, seed: 42)
      + TickStreams.arbitrary(count: 100, instruments: 9, seed: 4).enumerated().map { index, tick in
        var tick = tick
        tick.sequence = 10_000 + UInt64(index)
        tick.receiveTime = TickStreams.open + 60_000_000_000 + Int64(index)
        if index % 3 == 0 { tick.kind = .daySummary }
        return tick
      }
  }

  private static func goldenTicks(_ version: Int) -> [Tick] { version < 3 ? mixedTicks() : summarizedTicks() }

  private static let definitions = [
    SampleInstruments.reliance, SampleInstruments.nifty, SampleInstruments.euro,
  ]

  @Test(arguments: [1, 2, 3], TickKernels.allCases)
  func theGoldenSegmentOfEachVersionStaysReadable(version: Int, kernels: TickKernels) throws {
    let file = Self.resources + "/golden-v\(version).tka"
    var reader = try ArchiveReader(file: file)
    reader.kernels = kernels
    var hash = TickStreamHash()
    try reader.forEachTick { tick throws(Fault) in hash.update(tick) }
    #expect(hash.text == ["46d5b6ac316c8964", "46d5b6ac316c8964", "0cd401f4b4aec035"][version - 1])
    #expect(hash.count == Self.goldenTicks(version).count)
    #expect(reader.instruments == Self.definitions)
    let report = try reader.verify()
    #expect(report.isSound && report.tornEnds.isEmpty)
    #expect(try reader.info().map(\.isComplete) == [true])
    #expect(try reader.info().map(\.version) == [version])
  }

  @Test(arguments: [1, 2, 3])
  func anIndependentReaderReadsTheGoldenSegmentOfEachVersion(version: Int) throws {
    guard let python = try Self.pythonWithLZ4() else {
      print("skipped: no Python with the package lz4, and PyPI cannot be reached")
      return
    }
    let output = try Self.run(
      python, [Self.resources + "/read_segment.py", Self.resources + "/golden-v\(version).tka"])
    #expect(output.status == 0)
    let lines = output.text.split(separator: "\n").map(String.init)
    #expect(lines.filter { $0.hasPrefix("tick,") } == Self.goldenTicks(version).map(Self.line))
  }

  @Test(arguments: [2, 3])
  func anIndependentReaderAgreesTickForTick(version: Int) throws {
    guard let python = try Self.pythonWithLZ4() else {
      print("skipped: no Python with the package lz4, and PyPI cannot be reached")
      return
    }
    let directory = try TemporaryDirectory()
    let ticks = Self.goldenTicks(version)
    var writer = try ArchiveWriter(
      directory: directory.path, feed: "test", options: ArchiveOptions(blockTicks: 256))
    try writer.define(Self.definitions)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    let output = try Self.run(python, [Self.resources + "/read_segment.py", directory.segments[0]])
    #expect(output.status == 0)
    let expected =
      Self.definitions.map {
        "instrument,\($0.id.rawValue),\($0.symbol),\($0.venueToken),\($0.priceTick.units),\($0.lotSize)"
      } + ticks.map(Self.line)
    #expect(output.text.split(separator: "\n").map(String.init) == expected)
  }

  @Test func realTradesAreStoredInFewBytesAndComeBackUnchanged() throws {
    let file =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
      + "/../../../shared/data/binance_trades_20240808.csv.gz"
    guard FileManager.default.fileExists(atPath: file) else {
      print("skipped: \(file) is not there")
      return
    }
    let text = try Self.run("/usr/bin/env", ["gzip", "-dc", file]).text
    let ticks = Self.trades(fromCSV: text)
    #expect(ticks.count == 55_270)
    let directory = try TemporaryDirectory()
    try archive(ticks, in: directory.path)
    #expect(try readAll(in: directory.path) == ticks)
    let bytes = try ArchiveReader(directory: directory.path, feed: "test").info().reduce(0) { $0 + $1.bytes }
    print("real trades: \(Double(bytes) / Double(ticks.count)) bytes a tick")
    #expect(Double(bytes) / Double(ticks.count) < 5)
  }

  private static func line(_ tick: Tick) -> String {
    let fields: [any BinaryInteger] = [
      tick.instrument.rawValue, tick.sequence, tick.receiveTime.nanoseconds, tick.exchangeTime.nanoseconds,
      tick.lastPrice.units, tick.dayVolume, tick.lastTradeSeconds, tick.lastQuantity, tick.openInterest,
      tick.flags.rawValue, tick.kind.rawValue,
    ]
    return "tick," + fields.map { "\($0)" }.joined(separator: ",")
  }

  /// Trades as ticks: quantities in units of 1e-5, the day's volume summed up.
  private static func trades(fromCSV text: String) -> [Tick] {
    var instruments: [Substring: UInt32] = [:]
    var volumes: [UInt32: Int64] = [:]
    return text.split(whereSeparator: \.isNewline).dropFirst().enumerated().compactMap { index, line in
      let fields = line.split(separator: ",")
      guard fields.count == 7, let receive = Int64(fields[0]), let exchange = Int64(fields[1]),
        let price = Price(decimal: fields[3]),
        let quantity = Price.scaled(decimal: fields[4].utf8, fractionDigits: 5)
      else { return nil }
      let number = instruments[fields[2], default: UInt32(instruments.count)]
      instruments[fields[2]] = number
      volumes[number, default: 0] += quantity
      return Tick(
        instrument: InstrumentID(rawValue: number), sequence: UInt64(index + 1),
        receiveTime: Timestamp(nanoseconds: receive), exchangeTime: Timestamp(nanoseconds: exchange),
        lastPrice: price, dayVolume: volumes[number, default: 0], lastTradeSeconds: 0,
        lastQuantity: UInt32(clamping: quantity), openInterest: 0,
        flags: fields[6] == "1" ? .auction : [])
    }
  }

  /// A Python that can import lz4: the system's, or one in an environment that is made once and kept under the
  /// temporary directory. Nil when there is neither.
  private static func pythonWithLZ4() throws -> String? {
    let environment = NSTemporaryDirectory() + "tick-archive-python"
    let candidates = ["/usr/bin/python3", environment + "/bin/python3"]
    func usable() throws -> String? {
      try candidates.first {
        try FileManager.default.isExecutableFile(atPath: $0)
          && run($0, ["-c", "import lz4.block"]).status == 0
      }
    }
    if let python = try usable() { return python }
    _ = try run("/usr/bin/env", ["python3", "-m", "venv", environment])
    if FileManager.default.isExecutableFile(atPath: candidates[1]) {
      _ = try run(
        candidates[1], ["-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1", "lz4"])
    }
    return try usable()
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
