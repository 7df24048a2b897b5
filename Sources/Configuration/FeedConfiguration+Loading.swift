import MarketData

private let slash = UInt8(ascii: "/")

extension FeedConfiguration {
  /// The largest configuration file, in bytes; some 50 000 symbols fit.
  public static let fileBytesMax = 1_048_576

  /// Reads and checks a configuration file. Relative paths in it become relative to its directory.
  ///
  /// - Throws: ``ConfigurationFaults`` with everything that is wrong with the file, or with the one reason why it
  ///   cannot be read.
  public static func load(path: String) throws(ConfigurationFaults) -> FeedConfiguration {
    let text = try ConfigurationFile(path: path, bytesMax: fileBytesMax).text()
    let directory = path.utf8.lastIndex(of: slash).map { String(path[...$0]) } ?? ""
    return try parse(text, file: path, directory: directory)
  }

  /// Checks the text of a configuration file; paths stay as they are written.
  ///
  /// - Parameter file: The name that messages begin with.
  /// - Throws: ``ConfigurationFaults`` with everything that is wrong with the text.
  public static func parse(_ text: String, file: String) throws(ConfigurationFaults) -> FeedConfiguration {
    try parse(text, file: file, directory: "")
  }

  private static func parse(
    _ text: String, file: String, directory: String
  ) throws(ConfigurationFaults) -> FeedConfiguration {
    var yaml = YAMLText(text, file: file)
    let root = try yaml.compose()
    var configuration = FeedConfiguration()
    var walker = ConfigurationWalker(file: file)
    walker.walkDocument(root, into: &configuration)
    configuration.resolvePaths(against: directory)
    configuration.checkConsistency(&walker)
    if let faults = walker.faults { throw faults }
    return configuration
  }

  private mutating func resolvePaths(against directory: String) {
    func resolved(_ path: String) -> String {
      if path.utf8.first == slash || directory.isEmpty { return path }
      return directory + (path.hasPrefix("./") ? path.dropFirst(2) : path[...])
    }
    dataDirectory = resolved(dataDirectory)
    controlSocket = controlSocket.map(resolved)
    source.caFile = source.caFile.map(resolved)
    calendarFile = calendarFile.map(resolved)
    credentials.directory = credentials.directory.map(resolved)
    // A bare name is looked up in PATH.
    func resolve(_ command: inout [String]) {
      if let program = command.first, program.contains("/") { command[0] = resolved(program) }
    }
    resolve(&source.gatewayCommand)
    resolve(&history.gatewayCommand)
  }

  /// What no value can get wrong alone.
  private func checkConsistency(_ walker: inout ConfigurationWalker) {
    if case .symbols(let symbols) = instruments, symbols.count > sharedMemory.instrumentsMax {
      walker.report(
        key: "instruments",
        "lists \(symbols.count) symbols, but shared_memory.instruments_max is \(sharedMemory.instrumentsMax); raise it"
      )
    }
    if sharedMemory.recorderSlots < 2 * recorder.blockTicks {
      walker.report(
        key: "shared_memory.recorder_slots",
        "is \(sharedMemory.recorderSlots), but must be at least twice recorder.block_ticks, which is "
          + "\(recorder.blockTicks): records leave the recorder's lane only block by block")
    }
    if retry.firstDelayMilliseconds > retry.delayMillisecondsMax {
      walker.report(
        key: "retry.first_delay_milliseconds",
        "is \(retry.firstDelayMilliseconds), but must not be above retry.delay_milliseconds_max, "
          + "which is \(retry.delayMillisecondsMax)")
    }
    checkSubscriptions(&walker)
    checkQuality(&walker)
    checkMode(&walker)
    checkGateway(&walker)
    let socketBytes = controlSocketPath.utf8.count
    if socketBytes > Self.controlSocketBytesMax {
      walker.report(
        key: "control_socket",
        "would be \(controlSocketPath) with \(socketBytes) bytes, but a socket's path has at most "
          + "\(Self.controlSocketBytesMax); give a shorter one")
    }
  }

  /// An instrument has one mode.
  private func checkSubscriptions(_ walker: inout ConfigurationWalker) {
    var seen: Set<Symbol> = []
    for (key, symbols) in [
      ("ltp", subscriptions.ltp), ("quote", subscriptions.quote), ("full", subscriptions.full),
    ] {
      for symbol in symbols where !seen.insert(symbol).inserted {
        walker.report(
          key: "subscriptions.\(key)", "names \(symbol), which another mode names too; leave it in one")
      }
    }
  }

  /// What earlier versions said of a rule cannot stand beside the rule itself.
  private func checkQuality(_ walker: inout ConfigurationWalker) {
    guard quality.listedRules != nil else { return }
    for (key, value, rule, parameter) in [
      ("quality.stale_seconds", quality.staleSeconds, "stale", "seconds"),
      ("quality.band_percent", quality.bandPercent, "off-band", "percent"),
    ] where value != nil {
      walker.report(
        key: key, "is given beside quality.rules; remove it, and write {rule: \(rule), \(parameter): …} there"
      )
    }
  }

  /// A gateway needs a program, a master data store an address, and nothing else does.
  private func checkGateway(_ walker: inout ConfigurationWalker) {
    checkCommand(
      source.gatewayCommand, section: "source", by: "source.venue", source.venue.rawValue,
      example: "[python3, my_broker.py]",
      &walker)
    checkCommand(
      history.gatewayCommand, section: "history", by: "history.source", history.source.rawValue,
      example: "[tickring, gateway, india-stocks-api]", &walker)
    if history.source == .master, master.url.isEmpty {
      walker.report(
        key: "history.source",
        "is master, which needs master.url, such as https://store.example/{exchange}/{symbol}?from={from_date}&to={to_date}"
      )
    }
    if !(6...7).contains(master.columns.count) {
      walker.report(
        key: "master.columns",
        "names \(master.columns.count) columns, but must name time, open, high, low, close, volume and perhaps open interest"
      )
    }
    if String(master.priceScale).dropFirst().contains(where: { $0 != "0" })
      || !"\(master.priceScale)".hasPrefix("1")
    {
      walker.report(
        key: "master.price_scale", "is \(master.priceScale), but must be 1, 10, 100 or another power of ten")
    }
  }

  private func checkCommand(
    _ command: [String], section: String, by key: String, _ choice: String, example: String,
    _ walker: inout ConfigurationWalker
  ) {
    let isEmpty = command.first?.isEmpty ?? true
    if choice == "gateway", isEmpty {
      walker.report(
        key: key,
        "is gateway, which needs \(section).gateway_command, a program and its arguments as in \(example)")
    }
    if choice != "gateway", !isEmpty {
      walker.report(
        key: "\(section).gateway_command",
        "is given, but \(key) is \(choice); set that to gateway, or remove the command")
    }
  }

  /// A file has one mode, and a back-test a range.
  private func checkMode(_ walker: inout ConfigurationWalker) {
    let bounds = [("backtest.from", backtest.from), ("backtest.to", backtest.to)]
    for (key, bound) in bounds where mode != .backtest && bound != nil {
      walker.report(
        key: key,
        "is given, but mode is \(mode.rawValue); a file has one mode: set it to backtest, or remove the range"
      )
    }
    for (key, bound) in bounds where mode == .backtest && bound == nil {
      walker.report(key: "mode", "is backtest, which needs \(key), a time as in 2026-11-23T09:15:00+05:30")
    }
    if let from = backtest.from, let to = backtest.to, from >= to {
      walker.report(
        key: "backtest.to", "is \(to.rfc3339), but must be later than backtest.from, \(from.rfc3339)")
    }
  }
}
