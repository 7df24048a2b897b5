import Configuration
import MarketData
import Testing
import TickQuality

/// The annotated example and the written form: complete, right, and read back to what was written.
@Suite struct ExampleTests {
  @Test func theSchemaHasTheseKeys() {
    #expect(
      FeedConfiguration.allKeys == [
        "feed", "data_directory", "control_socket", "mode", "calendar_file", "log_level", "source.venue",
        "source.websocket_url",
        "source.api_url", "source.instruments_url", "source.ca_file", "source.proxy",
        "source.connections_max", "source.clock", "source.gateway_command", "credentials.directory",
        "instruments",
        "subscriptions.mode", "subscriptions.ltp", "subscriptions.quote", "subscriptions.full",
        "subscriptions.mute_seconds", "history.source", "history.gateway_command", "history.sessions",
        "history.requests_per_second", "history.requests_per_minute", "history.requests_per_hour",
        "history.requests_at_once", "master.url", "master.headers", "master.shape", "master.rows",
        "master.columns", "master.time_format", "master.time_zone_minutes", "master.price_scale",
        "master.intervals", "master.days_max", "shared_memory.mode", "shared_memory.group",
        "shared_memory.lane_slots",
        "shared_memory.recorder_slots", "shared_memory.lanes_max", "shared_memory.instruments_max",
        "shared_memory.huge_pages", "shared_memory.lock_memory",
        "receive.wait", "receive.cpu", "recorder.cpu", "recorder.block_ticks", "recorder.seal_seconds",
        "recorder.sync_seconds", "recorder.full_wait_milliseconds", "archive.segment_megabytes",
        "archive.segment_minutes", "archive.keep_days", "archive.keep_gigabytes", "archive.when_full",
        "archive.capture_frames", "archive.capture_megabytes", "candles.grace_milliseconds",
        "candles.reconcile", "candles.reconcile_after_seconds", "candles.prefer",
        "quality.rules", "quality.candle_rules", "quality.quarantine_rows_max",
        "retry.first_delay_milliseconds",
        "retry.delay_milliseconds_max", "retry.attempts_max", "retry.silence_seconds_max",
        "retry.on_halt", "repair.enabled", "repair.after_seconds", "repair.attempts_max", "repair.days_max",
        "alert.command", "alert.events", "alert.seconds_max", "alert.per_minute_max",
        "store.minute_days", "store.longer_days", "strategy.lane", "strategy.events",
        "strategy.buffer_events",
        "strategy.when_full", "backtest.from", "backtest.to", "backtest.speed",
      ])
  }

  @Test func theExampleIsTheDefaults() throws {
    let parsed = try FeedConfiguration.parse(FeedConfiguration.annotatedExample, file: "example")
    #expect(parsed == FeedConfiguration())
    #expect(parsed.instruments == .symbols([try Symbol("NSE:RELIANCE")]))
  }

  @Test func theExampleHoldsEveryKeyBelowAComment() {
    let lines = FeedConfiguration.annotatedExample.split(separator: "\n", omittingEmptySubsequences: false)
    var section = ""
    var found: [String] = []
    for (index, line) in lines.enumerated() {
      let text = line.drop { $0 == " " }
      guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("#") else { continue }
      let isInSection = line.hasPrefix(" ")
      let name = String(text[..<colon])
      if !isInSection { section = name }
      found.append(isInSection ? "\(section).\(name)" : name)
      #expect(lines[index - 1].drop { $0 == " " }.hasPrefix("# "), "\(name) has no comment")
    }
    #expect(Set(found).isSuperset(of: FeedConfiguration.allKeys))
    #expect(lines.allSatisfy { $0.count <= 100 })
  }

  @Test func theExampleWithACommentOnEachLineOfASectionIsStillTheDefaults() throws {
    let text = FeedConfiguration.annotatedExample.split(separator: "\n")
      .map { $0.hasPrefix("  ") ? "  #\($0)" : String($0) }.joined(separator: "\n")
    #expect(try FeedConfiguration.parse(text, file: "example") == FeedConfiguration())
  }

  @Test func aConfigurationWithoutAnyDefaultIsReadBackAsItWasWritten() throws {
    var written = FeedConfiguration()
    written.feed = "0-1"
    written.dataDirectory = "/srv/tick data/\"§\u{A0}\u{2028}\\#: x"
    written.controlSocket = "null"
    written.logLevel = .trace
    written.source.websocketURL = "ws://127.0.0.1:9000/feed"
    written.source.apiURL = "http://[::1]:9000"
    written.source.instrumentsURL = "http://127.0.0.1"
    written.source.caFile = "yes"
    written.source.clock = .simulator
    written.source.venue = .gateway
    written.source.gatewayCommand = ["/usr/bin/env", "-S", "", "null", "a b", "é\"\n"]
    written.credentials.directory = "~x/tokens"
    written.instruments = .symbols(
      try ["NSE:NIFTY 50", "NSE:M&M", "MCX:GOLD: x", "NSE:#1", "NSE:{", "a:b:"].map { try Symbol($0) })
    written.history.source = .gateway
    written.history.gatewayCommand = ["/opt/history"]
    written.history.sessions = 0
    written.master.url = "https://h/{symbol}?a=${B}&c=#"
    written.master.headers = ["A: b"]
    written.master.shape = .csv
    written.master.rows = "data.candles"
    written.master.columns = ["0", "1", "2", "3", "4", "5"]
    written.master.timeFormat = "%Y-%m-%d %H:%M"
    written.master.timeZoneMinutes = -60
    written.master.priceScale = 100
    written.master.intervals = ["1m=minute"]
    written.master.daysMax = 1
    written.history.requestsPerSecond = 0
    written.history.requestsPerMinute = 500
    written.history.requestsPerHour = 5000
    written.history.requestsAtOnce = 12
    written.sharedMemory.mode = 0o644
    written.sharedMemory.laneSlots = 1024
    written.sharedMemory.recorderSlots = 16_777_216
    written.sharedMemory.lanesMax = 256
    written.sharedMemory.instrumentsMax = 6
    written.sharedMemory.group = "traders"
    written.sharedMemory.hugePages = true
    written.sharedMemory.lockMemory = true
    written.receive.wait = .spin
    written.receive.cpu = 1
    written.recorder.cpu = 0
    written.recorder.blockTicks = 1
    written.recorder.sealSeconds = 3600
    written.recorder.fullWaitMilliseconds = 0
    written.recorder.syncSeconds = 2
    written.archive.segmentMegabytes = 1
    written.archive.segmentMinutes = 60
    written.archive.keepDays = 2
    written.archive.keepGigabytes = 1
    written.archive.whenFull = [.deleteOldest, .stopArchive]
    written.archive.captureFrames = true
    written.archive.captureMegabytes = 1
    written.candles.graceMilliseconds = 0
    written.candles.reconcile = false
    written.candles.reconcileAfterSeconds = 10
    written.candles.prefer = .built
    written.quality.listedCandleRules = [RuleSetting("outliers", .reject, values: ["ranges": 9])]
    written.calendarFile = "/etc/tickring/calendar.csv"
    written.quality.listedRules = [
      RuleSetting("stale", .reject, values: ["seconds": 30]), RuleSetting("not-positive", .correct),
    ]
    written.quality.quarantineRowsMax = 0
    written.subscriptions.mode = .quote
    written.subscriptions.ltp = [try Symbol("NSE:INFY")]
    written.subscriptions.quote = [try Symbol("NSE:TCS")]
    written.subscriptions.full = [try Symbol("NSE:NIFTY 50")]
    written.subscriptions.muteSeconds = 0
    written.retry.onHalt = .exit
    written.repair.isEnabled = false
    written.repair.afterSeconds = 5
    written.repair.attemptsMax = 1
    written.repair.daysMax = 1
    written.alert.command = ["/usr/local/bin/notify", "--to", "a b: c", ""]
    written.alert.events = [.halt]
    written.alert.secondsMax = 1
    written.alert.perMinuteMax = 1
    written.retry.firstDelayMilliseconds = 1
    written.retry.delayMillisecondsMax = 1
    written.retry.attemptsMax = 1
    written.retry.silenceSecondsMax = 1
    written.mode = .backtest
    written.store.minuteDays = 365
    written.store.longerDays = 36_500
    written.strategy.lane = "crossing"
    written.strategy.events = [.halts]
    written.strategy.bufferEvents = 1
    written.strategy.whenFull = .latestOnly
    written.backtest.from = Timestamp(seconds: 1_795_405_500)
    written.backtest.to = Timestamp(seconds: 1_795_428_000)
    written.backtest.speed = 20
    let text = written.yamlText
    for line in FeedConfiguration().yamlText.split(separator: "\n")
    where line.contains(": ") && !line.contains("venue") {
      #expect(!text.split(separator: "\n").contains(line), "the line '\(line)' is a default")
    }
    #expect(try FeedConfiguration.parse(text, file: "written") == written)
  }

  @Test func thousandsOfSymbolsAndTheWordAllAreReadBack() throws {
    var written = FeedConfiguration()
    written.instruments = .symbols(try (0..<9000).map { try Symbol("NSE:SYMBOL\($0)") })
    #expect(try FeedConfiguration.parse(written.yamlText, file: "written") == written)
    written.instruments = .all
    #expect(try FeedConfiguration.parse(written.yamlText, file: "written") == written)
  }

  /// The YAML library drops a byte-order mark (U+FEFF) that begins a value, which no path does on purpose.
  @Test func anyTextInAPathIsReadBack() throws {
    let ranges: [ClosedRange<UInt32>] = [0x20...0x7E, 0xA0...0x2FFF, 0xE000...0xFEFE, 0x10000...0x10FFFF]
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      let scalars = (0..<Int.random(in: 1...8, using: &random)).map { _ in
        Unicode.Scalar(UInt32.random(in: ranges[Int.random(in: 0..<4, using: &random)], using: &random))
          ?? " "
      }
      var written = FeedConfiguration()
      written.dataDirectory = String(String.UnicodeScalarView(scalars))
      let read = try? FeedConfiguration.parse(written.yamlText, file: "written")
      #expect(read == written, "\(scalars)")
    }
  }
}
