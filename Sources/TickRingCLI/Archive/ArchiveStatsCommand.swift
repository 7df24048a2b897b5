internal import ArgumentParser
internal import MarketData
internal import TickArchive

struct ArchiveStatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Ticks, bytes a tick, rates, outages and missing records, by segment and by instrument.")

  @OptionGroup var target: ArchiveTarget
  @OptionGroup var range: RangeOptions
  @Flag(help: "Print one JSON object a line: segments, instruments, gaps, missing, total.") var json = false

  private struct SegmentLine: Encodable {
    var segment: String
    var ticks: Int
    var bytes: Int
    var bytesPerTick: Double
    var seconds: Double
    var ticksPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case segment, ticks, bytes, seconds
      case bytesPerTick = "bytes_per_tick"
      case ticksPerSecond = "ticks_per_second"
    }

    init(_ info: SegmentInfo) {
      segment = info.file
      ticks = info.ticks
      bytes = info.bytes
      bytesPerTick = ticks > 0 ? Double(bytes) / Double(ticks) : 0
      seconds = Double((info.lastTime ?? .unknown) - (info.firstTime ?? .unknown)) / 1e9
      ticksPerSecond = seconds > 0 ? Double(ticks) / seconds : 0
    }
  }

  private struct InstrumentLine: Encodable {
    var instrument: String
    var ticks: UInt64
    var ticksPerSecond: Double
    var longestSilenceSeconds: Double
    var flagged: UInt64

    enum CodingKeys: String, CodingKey {
      case instrument, ticks, flagged
      case ticksPerSecond = "ticks_per_second"
      case longestSilenceSeconds = "longest_silence_seconds"
    }

    init(_ name: String, _ tally: ArchiveTally.InstrumentTally) {
      instrument = name
      ticks = tally.ticks
      flagged = tally.flagged
      longestSilenceSeconds = Double(tally.longestSilence) / 1e9
      let seconds = Double(tally.last - tally.first) / 1e9
      ticksPerSecond = seconds > 0 ? Double(tally.ticks) / seconds : 0
    }
  }

  private struct GapLine: Encodable {
    var gap: String?
    var until: String?
    var cause: String
  }

  private struct MissingLine: Encodable {
    var missing: UInt64
    var to: UInt64
  }

  private struct TotalLine: Encodable {
    var records: UInt64
    var instruments: Int
    var gaps: Int
    var missing: UInt64
    var busiestSecond: String
    var busiestRecords: UInt64

    enum CodingKeys: String, CodingKey {
      case records, instruments, gaps, missing
      case busiestSecond = "busiest_second"
      case busiestRecords = "busiest_records"
    }
  }

  func run() throws {
    let (from, to) = try range.parse()
    let place = try target.place()
    let reader = try place.reader()
    let infos = try reader.info()
    var progress = ProgressBar("counting ticks", total: infos.reduce(0) { $0 + $1.ticks })
    var tally = ArchiveTally()
    let damaged = try reader.forEachBlock(from: from, to: to, damage: .skip) { ticks throws(Fault) in
      tally.take(ticks)
      progress.show(Int(tally.records))
    }
    progress.end()
    for block in damaged { Console.error(block.description) }
    let names = SymbolNames(reader.instruments)
    let instruments = tally.instruments.sorted { ($1.value.ticks, $0.key) < ($0.value.ticks, $1.key) }
      .map { InstrumentLine(names[$0.key], $0.value) }
    let gaps = tally.gaps.map { gap in
      GapLine(
        gap: gap.start.isKnown ? gap.start.rfc3339 : nil, until: gap.end?.rfc3339, cause: gap.cause.name)
    }
    let holes = tally.holes.map { MissingLine(missing: $0.lowerBound, to: $0.upperBound) }
    let total = TotalLine(
      records: tally.records, instruments: instruments.count, gaps: gaps.count,
      missing: tally.holes.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) },
      busiestSecond: tally.busiestSecond.rfc3339, busiestRecords: tally.busiestCount)
    let segments = infos.map(SegmentLine.init)
    if json {
      for line in segments { try Console.json(line) }
      for line in instruments { try Console.json(line) }
      for line in gaps { try Console.json(line) }
      for line in holes { try Console.json(line) }
      try Console.json(total)
    } else {
      show(segments, instruments, gaps, holes, total)
    }
    names.tell(Set(tally.instruments.keys.filter { !names.hasName($0) }), notIn: place.path)
    guard damaged.isEmpty else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }

  private func show(
    _ segments: [SegmentLine], _ instruments: [InstrumentLine], _ gaps: [GapLine], _ holes: [MissingLine],
    _ total: TotalLine
  ) {
    for line in segments {
      Console.line(
        "\(line.segment)  \(Format.count(line.ticks)) records, \(Format.decimal(line.bytesPerTick, 2)) bytes each, "
          + "\(Format.decimal(line.ticksPerSecond, 1)) a second")
    }
    Console.line("       ticks   a second  longest silence   flagged  instrument")
    for line in instruments {
      if Console.isClosed { return }
      Console.line(
        Format.leftPadded(Format.count(line.ticks), 12)
          + Format.leftPadded(Format.decimal(line.ticksPerSecond, 2), 11)
          + Format.leftPadded(Format.decimal(line.longestSilenceSeconds, 1) + " s", 17)
          + Format.leftPadded(Format.count(line.flagged), 10) + "  " + line.instrument)
    }
    for line in gaps {
      Console.line(
        "gap: \(line.gap ?? "before the first record") until \(line.until ?? "an unknown time"), cause \(line.cause)"
      )
    }
    for line in holes { Console.line("missing: sequences \(line.missing) to \(line.to)") }
    Console.line(
      "\(Format.count(total.records)) records of \(total.instruments) instruments, \(total.gaps) gap records, "
        + "\(Format.count(total.missing)) sequences missing; busiest second \(total.busiestSecond) with "
        + "\(Format.count(total.busiestRecords)) records")
  }
}
