import FlyingFox
import Foundation
import MarketData
import Synchronization
import Testing

@testable import Venues

/// The engine against a real HTTP server: several requests at once, retries, refusals, and stopping.
@Suite struct RESTHistoryTests {
  /// A venue whose part for instrument 7 is `GET /7`, answered with the number of candles that the body names.
  private struct Service: CandleService {
    let name = "Testing"
    let base: String
    let token: @Sendable () -> String

    func daysMax(of interval: Interval) -> Int { 1 }

    func request(for part: CandleRequest) -> Venues.HTTPRequest {
      Venues.HTTPRequest(.get, "\(base)/\(part.instrument.venueToken)", headers: [("Authorization", token())])
    }

    func candles(in response: Venues.HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle]
    {
      guard response.status == 200 else {
        let remedy = CandleRefusal.remedy(forStatus: response.status)
        throw CandleRefusal(
          Fault(remedy == .newCredentials ? .refused : .unavailable, "status \(response.status)"),
          remedy: remedy)
      }
      return [
        Candle(
          instrument: part.instrument.id, interval: part.interval, start: part.from, open: .zero, high: .zero,
          low: .zero, close: .zero, volume: Int64(response.body.count), origin: .venue)
      ]
    }
  }

  private static let day = CivilTime(year: 2026, month: 1, day: 5).timestamp()
  private static let dayNanoseconds = 86_400 * Timestamp.nanosecondsPerSecond

  private static func requests(_ count: Int, days: Int64 = 1) throws -> [CandleRequest] {
    try (0..<count).map { number in
      CandleRequest(
        Instrument(
          id: InstrumentID(rawValue: UInt32(number)), symbol: try Symbol("NSE:I\(number)"),
          venueToken: "\(number)",
          priceTick: .zero, lotSize: 1), from: day, to: day + days * dayNanoseconds)
    }
  }

  private static func quick(attempts: Int = 4) -> RESTHistory.Options {
    var options = RESTHistory.Options()
    options.retry.firstPauseMilliseconds = 2
    options.retry.attemptsMax = attempts
    return options
  }

  /// What a server saw.
  private final class Seen: Sendable {
    private struct State {
      var running = 0
      var atOnce = 0
      var times: [(path: String, token: String, time: Int64)] = []
    }
    private let state = Mutex(State())

    func begin(_ request: FlyingFox.HTTPRequest) -> Int {
      state.withLock {
        $0.running += 1
        $0.atOnce = max($0.atOnce, $0.running)
        $0.times.append(
          (
            request.path, request.headers[HTTPHeader("Authorization")] ?? "",
            RequestBudget.monotonicNanoseconds()
          ))
        return $0.times.count { $0.path == request.path }
      }
    }

    func end() { state.withLock { $0.running -= 1 } }
    var atOnce: Int { state.withLock { $0.atOnce } }
    var count: Int { state.withLock { $0.times.count } }
    var tokens: [String] { state.withLock { $0.times.map(\.token) } }
    var times: [Int64] { state.withLock { $0.times.map(\.time) } }
  }

  /// Runs `body` with a server that answers the n-th request for a path as `answer` says.
  private func serve<Value: Sendable>(
    _ answer:
      @escaping @Sendable (_ path: String, _ token: String, _ number: Int) async throws ->
      FlyingFox.HTTPResponse,
    _ body: @escaping @Sendable (String) throws -> Value
  ) async throws -> (Value, Seen) {
    let seen = Seen()
    let value = try await withServer {
      await $0.appendRoute("*") { request in
        let number = seen.begin(request)
        defer { seen.end() }
        return try await answer(request.path, request.headers[HTTPHeader("Authorization")] ?? "", number)
      }
    } _: { port in
      try await onThread { try body("http://127.0.0.1:\(port)") }
    }
    return (value, seen)
  }

  private static func status(_ code: Int, _ headers: HTTPHeaders = [:]) -> FlyingFox.HTTPResponse {
    FlyingFox.HTTPResponse(statusCode: HTTPStatusCode(code, phrase: "x"), headers: headers, body: Data())
  }

  private static func history(
    _ base: String, limits: [RateLimit] = [], options: RESTHistory.Options = quick(),
    token: @escaping @Sendable () -> String = { "a" }
  ) -> RESTHistory {
    RESTHistory(Service(base: base, token: token), budget: RequestBudget(limits), options: options)
  }

  /// Everything delivered, by instrument; failures by their sentences.
  private static func fetch(
    _ history: RESTHistory, _ requests: [CandleRequest], until shouldStop: () -> Bool = { false }
  ) throws -> (candles: [Int: [Candle]], failures: [String]) {
    var result: (candles: [Int: [Candle]], failures: [String]) = ([:], [])
    try history.fetch(requests, urgency: .routine, until: shouldStop) { delivery in
      switch delivery.outcome {
      case .success(let candles): result.candles[delivery.requestIndex, default: []] += candles
      case .failure(let fault): result.failures.append(fault.message)
      }
    }
    return result
  }

  @Test func severalRequestsAreUnderWayAtOnceAndEachPartComesOnce() async throws {
    let (result, seen) = try await serve { _, _, _ in
      try await Task.sleep(for: .milliseconds(30))
      return FlyingFox.HTTPResponse(statusCode: .ok, body: Data("abc".utf8))
    } _: { base in
      try Self.fetch(Self.history(base), try Self.requests(12, days: 3))
    }
    #expect(seen.count == 36)
    #expect((3...6).contains(seen.atOnce), "\(seen.atOnce)")
    #expect(result.failures.isEmpty)
    for index in 0..<12 {
      let starts = result.candles[index]?.map(\.start).sorted()
      #expect(starts == (0..<3).map { Self.day + $0 * Self.dayNanoseconds })
      #expect(result.candles[index]?.allSatisfy { $0.instrument.index == index && $0.volume == 3 } == true)
    }
  }

  @Test func troubleIsTriedAgainAndWhatFailsForGoodFailsAlone() async throws {
    let (result, seen) = try await serve { path, _, number in
      switch path {
      case "/1" where number < 3: return Self.status(503)
      case "/2": return Self.status(500)
      case "/3": return Self.status(400)
      default: return Self.status(200)
      }
    } _: { base in
      try Self.fetch(Self.history(base), try Self.requests(5))
    }
    #expect(result.candles.keys.sorted() == [0, 1, 4])
    #expect(result.failures.sorted() == ["status 400", "status 500"])
    #expect(seen.count == 1 + 3 + 4 + 1 + 1)
  }

  @Test func tooManyRequestsHoldsAllUpForAsLongAsAsked() async throws {
    let (result, seen) = try await serve { path, _, number in
      path == "/0" && number == 1 ? Self.status(429, [HTTPHeader("Retry-After"): "1"]) : Self.status(200)
    } _: { base in
      var options = Self.quick()
      options.requestsAtOnce = 1
      return try Self.fetch(Self.history(base, options: options), try Self.requests(3))
    }
    #expect(result.candles.count == 3)
    #expect(seen.times.count == 4)
    #expect(seen.times[1] - seen.times[0] >= 1_000_000_000)
  }

  @Test func noSecondHoldsMoreThanTheLimitHoweverManyAsk() async throws {
    let (_, seen) = try await serve { _, _, _ in
      Self.status(200)
    } _: { base in
      let history = Self.history(base, limits: [RateLimit(requests: 4, per: .milliseconds(200))])
      let threads = (0..<3).map { _ in
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
          _ = try? Self.fetch(history, try Self.requests(5))
          done.signal()
        }
        return done
      }
      for done in threads { done.wait() }
    }
    #expect(seen.count == 15)
    for (first, fifth) in zip(seen.times, seen.times.dropFirst(4)) { #expect(fifth - first >= 190_000_000) }
  }

  @Test func refusedCredentialsStopTheVenueUntilThereAreOthers() async throws {
    let token = Mutex("old")
    let (_, seen) = try await serve { _, token, _ in
      Self.status(token == "new" ? 200 : 403)
    } _: { base in
      var options = Self.quick()
      options.requestsAtOnce = 1
      let history = Self.history(base, options: options) { token.withLock { $0 } }
      for _ in 0..<2 {
        let fault = #expect(throws: Fault.self) { _ = try Self.fetch(history, try Self.requests(5)) }
        #expect(fault?.kind == .refused)
      }
      token.withLock { $0 = "new" }
      let later = try Self.fetch(history, try Self.requests(5))
      #expect(later.candles.count == 5)
    }
    #expect(seen.tokens == ["old"] + Array(repeating: "new", count: 5), "a dead token is shown once only")
  }

  @Test func refusedCredentialsAreShownAgainAfterAWhile() async throws {
    let isMended = Atomic<Bool>(false)
    let (_, seen) = try await serve { _, _, _ in
      Self.status(isMended.load(ordering: .relaxed) ? 200 : 403)
    } _: { base in
      var options = Self.quick()
      options.requestsAtOnce = 1
      options.refusalMilliseconds = 300
      let history = Self.history(base, options: options)
      let requests = try Self.requests(3)
      for _ in 0..<2 {
        let fault = #expect(throws: Fault.self) { _ = try Self.fetch(history, requests) }
        #expect(fault?.kind == .refused)
        // Mended at the server, which the client cannot know.
        isMended.store(true, ordering: .relaxed)
      }
      usleep(400_000)
      let later = try Self.fetch(history, requests)
      #expect(later.candles.count == 3)
    }
    #expect(seen.count == 4, "once while they were refused, and again when the time was over")
  }

  @Test func credentialsThatRenewThemselvesGoOnAtOnce() async throws {
    let asked = Atomic<Int>(0)
    let (result, _) = try await serve { _, token, _ in
      Self.status(token == "t0" ? 401 : 200)
    } _: { base in
      let history = Self.history(base) { asked.wrappingAdd(1, ordering: .relaxed).oldValue < 6 ? "t0" : "t1" }
      return try Self.fetch(history, try Self.requests(8))
    }
    #expect(result.candles.count == 8)
  }

  @Test func aVenueThatIsOutOfOrderIsGivenUp() async throws {
    let (fault, seen) = try await serve { _, _, _ in
      Self.status(503)
    } _: { base in
      #expect(throws: Fault.self) { _ = try Self.fetch(Self.history(base), try Self.requests(500)) }
    }
    #expect(fault?.kind == .unavailable)
    // Others are sent while the first wait for their next attempts; how many hangs on the pauses, which are random.
    #expect(seen.count < 500, "\(seen.count)")
    let nobody = #expect(throws: Fault.self) {
      _ = try Self.fetch(Self.history("http://127.0.0.1:1"), try Self.requests(500))
    }
    #expect(nobody?.kind == .unavailable)
  }

  @Test func aStopBreaksOffWhatIsUnderWay() async throws {
    let (seconds, _) = try await serve { _, _, _ in
      try await Task.sleep(for: .seconds(3))
      return Self.status(200)
    } _: { base in
      let started = RequestBudget.monotonicNanoseconds()
      let result = try Self.fetch(Self.history(base), try Self.requests(5)) {
        RequestBudget.monotonicNanoseconds() - started > 100_000_000
      }
      #expect(result.candles.isEmpty)
      return Double(RequestBudget.monotonicNanoseconds() - started) / 1e9
    }
    #expect(seconds < 1.5)
  }

  @Test func whatTheReceiverThrowsEndsTheRun() async throws {
    let (fault, _) = try await serve { _, _, _ in
      Self.status(200)
    } _: { base in
      #expect(throws: Fault.self) {
        try Self.history(base).fetch(try Self.requests(9), urgency: .routine, until: { false }) {
          (_) throws(Fault) in throw Fault(.inputOutput, "full")
        }
      }
    }
    #expect(fault == Fault(.inputOutput, "full"))
  }

  @Test func pausesGrowWithinTheirBounds() {
    var generator = SeededGenerator(seed: 5)
    var schedule = RetrySchedule()
    schedule.attemptsMax = 8
    for attempt in 1..<8 {
      let full = min(500 << (attempt - 1), 30_000)
      for _ in 0..<50 {
        let pause = schedule.pauseMilliseconds(afterAttempts: attempt, using: &generator) ?? 0
        #expect((full / 2...full).contains(pause))
      }
    }
    #expect(schedule.pauseMilliseconds(afterAttempts: 8, using: &generator) == nil)
  }

  @Test(
    .enabled(
      if: Tool.path("openssl") != nil && Tool.path("nghttpd") != nil,
      "needs the programs openssl and nghttpd (Debian's nghttp2-server)"))
  func manyRequestsShareOneConnectionWhereTheVenueSpeaksHTTP2() async throws {
    try await withTemporaryFolder { folder in
      let openssl = try #require(Tool.path("openssl"))
      try Tool.run(
        openssl,
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
          "key.pem",
          "-out", "certificate.pem", "-subj", "/CN=TickRing test", "-days", "2", "-addext",
          "subjectAltName=IP:127.0.0.1",
        ], directory: folder)
      for number in 0..<40 {
        try Data("abc".utf8).write(to: folder.appending(path: "\(number)"))
      }
      let server = Process()
      let port = try Self.freePort()
      let log = folder.appending(path: "log")
      _ = FileManager.default.createFile(atPath: log.path, contents: nil)
      server.executableURL = URL(filePath: try #require(Tool.path("nghttpd")))
      server.arguments = [
        "-v", "-a", "127.0.0.1", "-d", folder.path, "\(port)", "key.pem", "certificate.pem",
      ]
      server.currentDirectoryURL = folder
      server.standardOutput = try FileHandle(forWritingTo: log)
      try server.run()
      defer {
        // A process started from a thread that blocks SIGTERM, as some of the test runner's do, blocks it too.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
      }
      let count = try await onThread {
        let service = Service(base: "https://127.0.0.1:\(port)") { "a" }
        // The first attempts may come before the server listens.
        var options = Self.quick(attempts: 12)
        options.retry.firstPauseMilliseconds = 20
        let history = RESTHistory(
          service, budget: RequestBudget([]), caFile: folder.appending(path: "certificate.pem").path,
          options: options)
        _ = try Self.fetch(history, try Self.requests(1))
        return try Self.fetch(history, try Self.requests(40)).candles.count
      }
      #expect(count == 40)
      let text = try String(contentsOf: log, encoding: .utf8)
      #expect(text.matches(of: #/recv HEADERS frame/#).count == 41)
      #expect(text.matches(of: #/negotiated protocol: h2/#).count == 1, "\(text.prefix(2000))")
    }
  }

  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw Fault(.system, "no port is free") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
