internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import FeedHandler
internal import Foundation
internal import Logging
internal import MarketData
internal import Synchronization
internal import Venues

/// A backfill of the whole past that a venue gives in one request, from a simulated venue without its rate limit into
/// SQLite, beside each of its stages alone: what the venue can send, what can be read, what can be stored.
struct BackfillBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill", abstract: "Candles a second from a venue's history into SQLite.")

  @OptionGroup var size: SizeOptions

  private static let days = 60
  private static let requestsAtOnce = 6
  /// Instruments of which the stages alone are measured.
  private static let sampleMax = 60

  func run() throws { try Self.measure(size) }

  static func measure(_ size: SizeOptions) throws {
    let instruments = size.pick(smoke: 6, full: 500)
    let venue = try BenchmarkVenue(instruments: instruments)
    defer { venue.stop() }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-backfill-\(UUID())"
    ).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }

    let sample = try Sample(venue, instruments: min(instruments, sampleMax), days: days)
    let received = try sample.receive(requestsAtOnce)
    let (read, candles) = try sample.read()
    let stored = try store(candles, path: directory + "/alone.sqlite")
    let whole = try backfill(venue, directory: directory)
    let count = UInt64(whole.candles)
    func report(_ name: String, _ perSecond: Double, _ comparison: String? = nil) throws {
      try Measurement(
        name: name, value: perSecond, unit: "candles/s", comparison: comparison, checksum: count
      ).report(size)
    }
    let perSecond = Double(whole.candles) / whole.seconds
    let stages = [("the simulated venue", received), ("reading", read), ("storing", stored)]
    let slowest = stages.min { $0.1 < $1.1 } ?? stages[0]
    try report(
      "backfill of \(instruments) instruments x \(days) days of minutes, venue and SQLite on the same machine",
      perSecond,
      String(format: "bounded by \(slowest.0): %.2f x its rate alone", perSecond / slowest.1))
    try report(
      "the simulated venue's answers received and thrown away, \(requestsAtOnce) requests at once", received)
    try report("answers read into candles, alone on one core", read)
    try report("candles and what they cover stored, alone", stored)
  }

  /// The product's way: list of instruments, requests, reading, storing.
  private static func backfill(
    _ venue: BenchmarkVenue, directory: String
  ) throws -> (candles: Int, seconds: Double) {
    var configuration = FeedConfiguration()
    configuration.dataDirectory = directory
    configuration.source.apiURL = "http://127.0.0.1:\(venue.port)"
    configuration.source.clock = .simulator
    configuration.instruments = .all
    configuration.history.requestsPerSecond = 0
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    let backfill = HistoryBackfill(
      configuration: configuration,
      environment: [
        "TICKRING_KITE_API_KEY": BenchmarkVenue.credential,
        "TICKRING_KITE_ACCESS_TOKEN": BenchmarkVenue.credential,
        "HOME": directory,
      ], logger: logger)
    let range = range()
    let start = Timestamp.monotonicNanoseconds()
    let report = try backfill.run(
      HistoryBackfill.Order(from: range.lowerBound, to: range.upperBound), until: { false },
      progress: { _ in })
    let seconds = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
    if let failure = report.failures.first { throw failure }
    return (report.progress.candles, seconds)
  }

  /// Sixty days up to midnight.
  private static func range() -> Range<Timestamp> {
    let day = CivilTime(.wallClock()).dayNumber
    return CivilTime(dayNumber: day - days).timestamp()..<CivilTime(dayNumber: day).timestamp()
  }

  private static func store(_ candles: [[Candle]], path: String) throws -> Double {
    let store = try CandleStore(path: path, mode: .readWrite)
    _ = try store.instrumentIDs(
      for: try candles.indices.map { (try Symbol("NSE:I\($0)"), "1", Price(units: 1), 1) })
    let range = range()
    let start = Timestamp.monotonicNanoseconds()
    for first in stride(from: 0, to: candles.count, by: 8) {
      try store.storeHistory(
        candles[first..<min(first + 8, candles.count)].map {
          HistoryPart(instrument: $0[0].instrument, interval: .minute, range: range, candles: $0)
        })
    }
    let seconds = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
    try store.close()
    return Double(candles.reduce(0) { $0 + $1.count }) / seconds
  }

  /// Some instruments' answers.
  private final class Sample {
    private let service: KiteCandles
    private let parts: [CandleRequest]
    private var answers: [HTTPResponse] = []

    init(_ venue: BenchmarkVenue, instruments: Int, days: Int) throws {
      let url = "http://127.0.0.1:\(venue.port)"
      service = KiteCandles(baseURL: url) {
        KiteCredentials(apiKey: BenchmarkVenue.credential, accessToken: BenchmarkVenue.credential)
      }
      let range = BackfillBenchmark.range()
      let listed = try KiteInstruments.download(with: HTTPClient(), baseURL: url).prefix(instruments)
      parts = listed.enumerated().map { index, instrument in
        CandleRequest(
          instrument.instrument(id: InstrumentID(rawValue: UInt32(index))), from: range.lowerBound,
          to: range.upperBound)
      }
    }

    /// Receives the answers with several requests at once, and returns the candles a second that are in them.
    func receive(_ requestsAtOnce: Int) throws -> Double {
      let parts = parts
      let tape = Tape(service)
      var options = RESTHistory.Options()
      options.requestsAtOnce = requestsAtOnce
      let history = RESTHistory(tape, budget: RequestBudget([]), options: options)
      let start = Timestamp.monotonicNanoseconds()
      try history.fetch(parts, urgency: .routine, until: { false }, deliver: { _ in })
      let seconds = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
      answers = tape.answers.withLock { $0 }
      let candles = answers.reduce(0) { $0 + Self.rows($1.body) }
      return Double(candles) / seconds
    }

    /// Reads the answers, and returns the candles a second, and the candles by instrument.
    func read() throws -> (Double, [[Candle]]) {
      let start = Timestamp.monotonicNanoseconds()
      let candles = try zip(answers, parts).map { answer, part in try service.candles(in: answer, for: part) }
      let seconds = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
      return (Double(candles.reduce(0) { $0 + $1.count }) / seconds, candles)
    }

    /// A candle's row ends with the only brackets that follow a number.
    private static func rows(_ body: [UInt8]) -> Int {
      max(0, body.reduce(0) { $0 + ($1 == UInt8(ascii: "]") ? 1 : 0) } - 1)
    }
  }
}

/// Keeps a service's answers instead of reading them.
private final class Tape: CandleService {
  let service: KiteCandles
  let answers = Mutex<[HTTPResponse]>([])
  var name: String { service.name }

  init(_ service: KiteCandles) { self.service = service }

  func daysMax(of interval: Interval) throws(Fault) -> Int { try service.daysMax(of: interval) }

  func request(for part: CandleRequest) throws(Fault) -> HTTPRequest { try service.request(for: part) }

  func candles(in response: HTTPResponse, for part: CandleRequest) -> [Candle] {
    answers.withLock { $0.append(response) }
    return []
  }
}
