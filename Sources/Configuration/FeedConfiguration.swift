import MarketData

/// Everything that can be configured about one feed: the contents of its configuration file.
///
/// A configuration made by ``init()`` holds the defaults, which are also what a key left out of the file means.
/// ``load(path:)`` reads and checks a file, ``yamlText`` writes one. Secrets are no part of it: they come from
/// the environment.
public struct FeedConfiguration: Sendable, Hashable {
  /// Names the shared memory and the control socket: 1 to 32 of the characters a-z, 0-9 and `-`.
  public var feed = "nse"
  /// Directory of the candles' database and of the tick archive.
  public var dataDirectory = "./tickring-data"
  /// Path of the control socket; nil puts it into the data directory. See ``controlSocketPath``.
  public var controlSocket: String?
  /// Where a strategy that opens this file gets its data from.
  public var mode = Mode.live
  /// When the markets trade: a calendar file in place of the shipped one.
  public var calendarFile: String?
  /// How much is logged.
  public var logLevel = LogLevel.info
  /// Where ticks and past candles come from.
  public var source = Source()
  /// Where tokens are kept.
  public var credentials = Credentials()
  /// What the venue is asked for before any strategy has asked: NSE:RELIANCE.
  public var instruments = InstrumentSelection.symbols(["NSE:RELIANCE"].compactMap { try? Symbol($0) })
  /// How much of each instrument, and when silence is suspicious.
  public var subscriptions = Subscriptions()
  /// Past candles.
  public var history = History()
  /// A store of the user's for past candles.
  public var master = Master()
  /// The shared memory.
  public var sharedMemory = SharedMemory()
  /// The receive thread.
  public var receive = Receive()
  /// The recorder thread.
  public var recorder = Recorder()
  /// The tick archive.
  public var archive = Archive()
  /// Candle building.
  public var candles = Candles()
  /// The quality rules.
  public var quality = Quality()
  /// Lost connections.
  public var retry = Retry()
  /// What is fetched after an outage.
  public var repair = Repair()
  /// Whom a fault is told.
  public var alert = Alert()
  /// How long candles are kept.
  public var store = Store()
  /// A strategy's side of the feed.
  public var strategy = Strategy()
  /// The range of a back-test.
  public var backtest = Backtest()

  /// The longest path of a socket: `sockaddr_un` holds 108 bytes, some are left for temporary names.
  public static let controlSocketBytesMax = 100
  /// The longest path of a file: `PATH_MAX` without its final zero.
  public static let pathBytesMax = 4095
  /// Numbers of processors that a thread can be pinned to: `CPU_SETSIZE`.
  public static let processorBounds = 0...1023
  /// Lengths of ``feed``.
  public static let feedLengths = 1...32

  /// Makes a configuration of defaults.
  public init() {}

  /// Where the control socket is: ``controlSocket``, or `FEED.sock` in the data directory.
  public var controlSocketPath: String { controlSocket ?? "\(dataDirectory)/\(feed).sock" }
}

extension FeedConfiguration: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("feed", \.feed, .name(feedLengths), "Names the shared memory and the control socket"),
    ConfigurationKey(
      "data_directory", \.dataDirectory, .path(bytesMax: pathBytesMax),
      "Directory of candles.sqlite and archive/, relative paths here and below being relative to this file"),
    ConfigurationKey(
      "control_socket", \.controlSocket, .optional(.path(bytesMax: controlSocketBytesMax)),
      "Socket through which a running feed is asked and told; FEED.sock in the data directory unless given"),
    ConfigurationKey(
      "mode", \.mode, .word, "Where a strategy's DataHandler that opens this file gets its data from"),
    ConfigurationKey(
      "calendar_file", \.calendarFile, .optional(.path(bytesMax: pathBytesMax)),
      "When the markets trade; the calendar that comes with TickRing unless given"),
    ConfigurationKey("log_level", \.logLevel, .word, "How much is logged"),
    ConfigurationKey(section: "source", \.source, "Where ticks and past candles come from"),
    ConfigurationKey(section: "credentials", \.credentials, "The venue's token of the day"),
    ConfigurationKey(
      "instruments", \.instruments, .instruments, "What the venue is asked for before any strategy has asked"),
    ConfigurationKey(
      section: "subscriptions", \.subscriptions,
      "How much of each instrument, and when its silence is suspicious"),
    ConfigurationKey(section: "history", \.history, "Past candles"),
    ConfigurationKey(
      section: "master", \.master, "A store of yours for past candles, asked when history.source is master"),
    ConfigurationKey(section: "shared_memory", \.sharedMemory, "The way of ticks to strategies"),
    ConfigurationKey(section: "receive", \.receive, "The thread that reads from the venue"),
    ConfigurationKey(section: "recorder", \.recorder, "The thread that stores ticks and candles"),
    ConfigurationKey(section: "archive", \.archive, "The archive of ticks, data_directory/archive"),
    ConfigurationKey(section: "candles", \.candles, "The building of candles"),
    ConfigurationKey(
      section: "quality", \.quality,
      "When a tick is flagged, corrected or rejected; nothing is ever dropped in silence"),
    ConfigurationKey(section: "retry", \.retry, "What happens when the connection to the venue is lost"),
    ConfigurationKey(section: "repair", \.repair, "What is fetched from the venue after an outage"),
    ConfigurationKey(section: "alert", \.alert, "A command of yours that is told of faults"),
    ConfigurationKey(section: "store", \.store, "The candles' database, data_directory/candles.sqlite"),
    ConfigurationKey(section: "strategy", \.strategy, "What a strategy's DataHandler makes of this file"),
    ConfigurationKey(section: "backtest", \.backtest, "The range of a back-test; only with mode: backtest"),
  ]
}
