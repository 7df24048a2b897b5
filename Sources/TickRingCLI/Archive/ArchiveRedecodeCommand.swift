internal import ArgumentParser
internal import Configuration
internal import MarketData
internal import TickArchive
internal import TickQuality
internal import TradingCalendar
internal import Venues

struct ArchiveRedecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redecode",
    abstract: "Decode the captured frames of a feed again, with today's decoder, into a new archive.",
    discussion: """
      Needs archive.capture_frames to have been on. Outages are taken over from the archive beside the captures. \
      Then both archives are compared for the time of the captures, instrument by instrument and minute by minute, \
      sequences and quality flags apart; exit code 1 when they differ.
      """)

  @OptionGroup var target: ArchiveTarget
  @Option(
    help:
      "Whose frames they are: kite, angelone, openalgo or gateway (default: the configuration's, or kite).")
  var venue: String?
  @Option(help: "Directory for the new archive; it must hold no segments of the feed.") var into: String
  @Option(help: "Differences to print.") var differencesMax = 20

  func validate() throws {
    guard differencesMax >= 0 else { throw ValidationError("--differences-max must not be negative") }
    if let venue, FrameDecoder.Venue(rawValue: venue) == nil {
      let known = FrameDecoder.Venue.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--venue '\(venue)' is not one of \(known)")
    }
  }

  func run() throws {
    let place = try target.place()
    let path = place.path
    let capture = try CaptureReader(directory: path, feed: place.feed)
    guard let firstFile = capture.files.first, let name = try ArchiveReader.feed(ofSegment: firstFile) else {
      throw Fault(
        .missingInput, "'\(path)' holds no captures: were they switched on by archive.capture_frames?")
    }
    if let present = try? ArchiveReader(directory: into, feed: name), try !present.info().isEmpty {
      throw Fault(
        .cannotCreate, "'\(into)' holds segments of the feed \(name) already; name another directory")
    }
    let original = try ArchiveReader(directory: path, feed: name)
    let venue = (venue ?? place.venue?.rawValue).flatMap(FrameDecoder.Venue.init(rawValue:)) ?? .kite
    let redecoded = try decode(capture, of: venue, name, try Self.gaps(of: original))
    guard let (from, to) = redecoded else {
      throw Fault(.missingInput, "the captures in '\(path)' hold no frame")
    }
    let copy = try ArchiveReader(directory: into, feed: name)
    let before = try MinuteSums(original, from: from, to: to)
    let after = try MinuteSums(copy, from: from, to: to)
    let names = SymbolNames(capture.instruments + original.instruments)
    let differences = before.differences(from: after)
    for difference in differences.prefix(differencesMax) {
      Console.line(
        "\(names[difference.key.instrument]) \(Timestamp(seconds: difference.key.minute * 60).rfc3339): "
          + "\(difference.before) ticks were archived, \(difference.after) are decoded"
          + (difference.before == difference.after ? ", with other values" : ""))
    }
    Console.line(
      "\(Format.count(after.ticks)) ticks are decoded into '\(into)', \(Format.count(before.ticks)) were archived in "
        + "the same time; \(Format.count(differences.count)) minutes of an instrument differ")
    guard differences.isEmpty else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }

  private static func gaps(of archive: ArchiveReader) throws(Fault) -> [Tick] {
    var gaps: [Tick] = []
    try archive.forEachBlock(instruments: [.all], damage: .skip) { ticks throws(Fault) in
      for index in ticks.indices where ticks[index].kind == .gap { gaps.append(ticks[index]) }
    }
    return gaps
  }

  /// Returns from when, and to when exclusively, there were frames; nil without any.
  private func decode(
    _ capture: CaptureReader, of venue: FrameDecoder.Venue, _ name: String, _ gaps: [Tick]
  ) throws(Fault) -> (from: Timestamp, to: Timestamp)? {
    var writer = try ArchiveWriter(directory: into, feed: name)
    try writer.define(capture.instruments)
    var decoder = FrameDecoder(venue, instruments: capture.instruments)
    let instruments = capture.instruments.map(\.id)
    let phases = MarketPhases(TradingCalendar.shipped)
    for instrument in capture.instruments {
      guard let segment = MarketSegment(exchange: instrument.symbol.exchange) else { continue }
      phases.define(instrument.id, group: MarketGroup(segment))
    }
    var inspector = TickQualityInspector(
      rules: try RuleCatalogue.make(RuleSetting.standard, phases: phases), phases: phases)
    var statistics = SourceStatistics()
    var gaps = gaps[...]
    var batch: [Tick] = []
    var sequence: UInt64 = 0
    var time = Timestamp(nanoseconds: .min)
    var first: Timestamp?
    var last = Timestamp(nanoseconds: .min)
    let damaged = try capture.forEachFrame(damage: .skip) { frame throws(Fault) in
      if first == nil { first = frame.receiveTime }
      last = max(last, frame.receiveTime)
      batch.removeAll(keepingCapacity: true)
      while let gap = gaps.first, gap.receiveTime <= frame.receiveTime {
        batch.append(gap)
        if !gap.flags.contains(.gapOpen) { inspector.noteSubscribed(instruments, at: gap.receiveTime) }
        gaps.removeFirst()
      }
      decoder.decode(
        frame.bytes, isText: frame.isText, receiveTime: frame.receiveTime, into: &batch,
        statistics: &statistics)
      inspector.inspect(&batch)
      for tick in batch {
        var tick = tick
        sequence += 1
        tick.sequence = sequence
        time = max(time, tick.receiveTime)
        tick.receiveTime = time
        _ = try writer.append(tick)
      }
    }
    for tick in gaps {
      var tick = tick
      sequence += 1
      tick.sequence = sequence
      tick.receiveTime = max(time, tick.receiveTime)
      _ = try writer.append(tick)
    }
    try writer.close()
    for block in damaged { Console.error(block.description) }
    if statistics.badFrames > 0 {
      Console.error(
        "\(statistics.badFrames) frames could not be decoded as those of \(venue.rawValue); the last: "
          + statistics.lastBadFrame)
    }
    // Also those frames of which no tick came belong to the time that is compared.
    return first.map { ($0, max(time, last) + 1) }
  }
}

/// What the trades of an archive come to, by instrument and minute: enough to find where two archives differ without
/// holding either in memory.
struct MinuteSums {
  struct Key: Hashable {
    let instrument: InstrumentID
    let minute: Int64
  }

  struct Difference {
    let key: Key
    let before: Int
    let after: Int
  }

  private struct Sum: Equatable {
    var ticks = 0
    var hash = TickStreamHash()

    static func == (left: Sum, right: Sum) -> Bool {
      left.ticks == right.ticks && left.hash.value == right.hash.value
    }
  }

  private var sums: [Key: Sum] = [:]
  private(set) var ticks = 0

  init(_ archive: ArchiveReader, from: Timestamp, to: Timestamp) throws(Fault) {
    try archive.forEachTick(from: from, to: to, damage: .skip) { tick throws(Fault) in
      guard tick.kind == .trade else { return }
      var bare = tick
      bare.sequence = 0
      bare.flags = []
      let key = Key(instrument: tick.instrument, minute: tick.receiveTime.seconds / 60)
      sums[key, default: Sum()].ticks += 1
      sums[key]?.hash.update(bare)
      ticks += 1
    }
  }

  func differences(from after: MinuteSums) -> [Difference] {
    Set(sums.keys).union(after.sums.keys).filter { sums[$0] != after.sums[$0] }
      .sorted { ($0.minute, $0.instrument) < ($1.minute, $1.instrument) }
      .map { Difference(key: $0, before: sums[$0]?.ticks ?? 0, after: after.sums[$0]?.ticks ?? 0) }
  }
}
