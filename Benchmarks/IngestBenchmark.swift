internal import ArgumentParser
internal import CLinux
internal import Foundation
internal import MarketData
internal import SharedRing
internal import Venues

/// The whole feed handler against a venue that sends as fast as it is read, beside a bare websocket client that
/// throws every message away.
struct IngestBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest", abstract: "Ticks a second from the socket to shared memory, candles and archive.")

  @OptionGroup var size: SizeOptions

  private static let instruments = 2000
  private static let packetBytes = 186.0
  private static let startSeconds = 60.0

  func run() throws { try Self.measure(size) }

  static func measure(_ size: SizeOptions) throws {
    let seconds = size.pick(smoke: 1.0, full: 10.0)
    let bare = try bareNanosecondsPerTick(seconds: seconds)
    let venue = try BenchmarkVenue(instruments: instruments)
    defer { venue.stop() }
    let feed = try BenchmarkFeed(
      on: venue,
      settings: """
        shared_memory:
          recorder_slots: 1048576
        recorder:
          full_wait_milliseconds: 5000
        """)
    let view = try feed.view(withinSeconds: startSeconds) { $0.value(.ticks) > 100_000 }

    let start = (
      Timestamp.wallClock(), view.value(.ticks), view.value(.receiveProcessorTime), view.value(.recorded),
      view.value(.recorderProcessorTime)
    )
    usleep(UInt32(seconds * 1e6))
    let elapsed = Double(Timestamp.wallClock() - start.0) / 1e9
    let ticks = Double(view.value(.ticks) - start.1)
    let receive = Double(view.value(.receiveProcessorTime) - start.2)
    let recorded = Double(view.value(.recorded) - start.3)
    let recording = Double(view.value(.recorderProcessorTime) - start.4)
    try feed.stop()
    let checksum = view.value(.streamHash)
    try Measurement(
      name: "decoded and published, of one core's time on the receive thread", value: ticks / receive * 1e3,
      unit: "M ticks/s",
      comparison: String(format: "%.2f x the time of a bare websocket client", receive / ticks / bare),
      checksum: checksum
    ).report(size)
    try Measurement(
      name: "decoded and published, by the clock on the wall, venue and recorder on the same machine",
      value: ticks / elapsed / 1e6, unit: "M ticks/s", checksum: checksum
    ).report(size)
    try Measurement(
      name: "archived and built into candles, of one core's time on the recorder thread",
      value: recorded / recording * 1e3, unit: "M ticks/s", checksum: checksum
    ).report(size)
  }

  /// Processor time a tick of a client that reads whole messages and does nothing with them.
  private static func bareNanosecondsPerTick(seconds: Double) throws -> Double {
    let venue = try BenchmarkVenue(instruments: instruments)
    defer { venue.stop() }
    let url = "http://127.0.0.1:\(venue.port)"
    let tokens = try KiteInstruments.download(with: HTTPClient(), baseURL: url).map { "\($0.token)" }
    let credential = BenchmarkVenue.credential
    let connection = WebSocketConnection(
      WebSocketConnection.Options(
        url: "ws://127.0.0.1:\(venue.port)?api_key=\(credential)&access_token=\(credential)"))
    try connection.connect()
    let list = tokens.joined(separator: ",")
    try connection.sendText("{\"a\":\"subscribe\",\"v\":[\(list)]}")
    try connection.sendText("{\"a\":\"mode\",\"v\":[\"full\",[\(list)]]}")
    var bytes = 0
    func read(forSeconds limit: Double) throws(Fault) {
      let deadline = Timestamp.wallClock() + Int64(limit * 1e9)
      while Timestamp.wallClock() < deadline {
        _ = try connection.receive(timeoutMilliseconds: 100) { _, payload, _ in bytes += payload.byteCount }
      }
    }
    try read(forSeconds: 1)
    bytes = 0
    let start = tickring_thread_cpu_ns()
    try read(forSeconds: seconds)
    let spent = Double(tickring_thread_cpu_ns() - start)
    connection.close()
    return spent / (Double(bytes) / packetBytes)
  }
}
