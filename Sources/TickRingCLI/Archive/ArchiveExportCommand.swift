internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import TickArchive

struct ArchiveExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write archived records to a CSV, Parquet or Arrow IPC file.",
    discussion: """
      Parquet and Arrow are written by pyarrow, out of a Python environment that is made at the first use, which \
      needs PyPI; --python names another one. The file takes its name when it is complete.

      \(RecordKinds.help)
      """)

  enum OutputFormat: String, ExpressibleByArgument {
    case csv, parquet, arrow
  }

  @OptionGroup var target: ArchiveTarget
  @OptionGroup var range: RangeOptions
  @OptionGroup var selection: SymbolOptions
  @Option(help: "csv, parquet or arrow.") var format = OutputFormat.csv
  @Option(help: "The file to write.") var output: String
  @Option(help: "A Python that can import numpy and pyarrow.") var python: String?

  func run() throws {
    let (from, to) = try range.parse()
    let place = try target.place()
    let reader = try place.reader()
    let wanted = try selection.instruments(of: reader, at: place.path)
    let names = SymbolNames(reader.instruments)
    var progress = ProgressBar("exporting records", total: try reader.info().reduce(0) { $0 + $1.ticks })
    let unfinished = output + ".part"
    let sink: any ExportSink =
      format == .csv
      ? try CSVSink(unfinished)
      : try ColumnSink(unfinished, format: format.rawValue, python: python, names: names)
    var records = 0
    var undefined: Set<InstrumentID> = []
    do {
      try reader.forEachBlock(from: from, to: to, instruments: wanted) { ticks throws(Fault) in
        try sink.write(ticks, names)
        for index in ticks.indices where !names.hasName(ticks[index].instrument) {
          undefined.insert(ticks[index].instrument)
        }
        records += ticks.count
        progress.show(records)
      }
      try sink.finish()
      progress.end()
      guard rename(unfinished, output) == 0 else {
        throw Fault(.cannotCreate, "cannot create '\(output)': \(String(cString: strerror(errno)))")
      }
    } catch {
      sink.abandon()
      unlink(unfinished)
      throw error
    }
    Console.line("\(Format.count(records)) records are in '\(output)'")
    names.tell(undefined, notIn: place.path)
  }
}

/// Takes exported records in their order.
protocol ExportSink: AnyObject {
  func write(_ ticks: Span<Tick>, _ names: SymbolNames) throws(Fault)
  /// Returns when everything is in the file.
  func finish() throws(Fault)
  /// Ends what must not go on without this process.
  func abandon()
}

private final class CSVSink: ExportSink {
  private let file: FileHandle
  private let path: String

  init(_ path: String) throws(Fault) {
    self.path = path
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw Fault(.cannotCreate, "cannot create '\(path)': \(String(cString: strerror(errno)))") }
    self.file = file
    try put(TickText.csvHeader + "\n")
  }

  func write(_ ticks: Span<Tick>, _ names: SymbolNames) throws(Fault) {
    var text = ""
    for index in ticks.indices { text += TickText.csv(ticks[index], names[ticks[index].instrument]) }
    try put(text)
  }

  func finish() throws(Fault) {
    do { try file.close() } catch {
      throw Fault(.inputOutput, "cannot write '\(path)': \(error.localizedDescription)")
    }
  }

  func abandon() { try? file.close() }

  private func put(_ text: String) throws(Fault) {
    do { try file.write(contentsOf: Data(text.utf8)) } catch {
      throw Fault(.inputOutput, "cannot write '\(path)': \(error.localizedDescription)")
    }
  }
}

/// Hands records as they lie in memory to pyarrow, which writes them by columns.
private final class ColumnSink: ExportSink {
  private let process = Process()
  private let pipe = Pipe()
  private let path: String

  init(_ path: String, format: String, python: String?, names: SymbolNames) throws(Fault) {
    self.path = path
    process.executableURL = URL(fileURLWithPath: try PythonEnvironment.withColumns(chosen: python))
    let script = String(decoding: PackageResources.write_columns_py, as: UTF8.self)
    process.arguments = ["-c", script, format, path]
    process.standardInput = pipe
    process.standardOutput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw Fault(.system, "cannot start Python: \(error.localizedDescription)")
    }
    let symbols = Dictionary(uniqueKeysWithValues: names.defined.map { ("\($0.key.rawValue)", $0.value) })
    guard let header = try? JSONEncoder().encode(["symbols": symbols]) else {
      throw Fault(.software, "cannot write the symbols as JSON")
    }
    try put(header + Data("\n".utf8))
  }

  func write(_ ticks: Span<Tick>, _ names: SymbolNames) throws(Fault) {
    try put(ticks.withUnsafeBufferPointer { Data(buffer: $0) })
  }

  func finish() throws(Fault) {
    try? pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw failure }
  }

  func abandon() {
    try? pipe.fileHandleForWriting.close()
    if process.isRunning { process.terminate() }
  }

  private func put(_ data: Data) throws(Fault) {
    do { try pipe.fileHandleForWriting.write(contentsOf: data) } catch { throw failure }
  }

  private var failure: Fault {
    Fault(.inputOutput, "pyarrow could not write '\(path)'; what it said is above")
  }
}

/// Finds or makes a Python with numpy and pyarrow.
enum PythonEnvironment {
  static func withColumns(chosen: String?) throws(Fault) -> String {
    if let chosen {
      guard canWriteColumns(chosen) else {
        throw Fault(.missingInput, "the Python '\(chosen)' cannot import numpy and pyarrow")
      }
      return chosen
    }
    let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
    let environment = caches + "/tickring/python"
    let python = environment + "/bin/python3"
    if canWriteColumns(python) { return python }
    Console.error("making a Python environment with pyarrow in '\(environment)'; this happens once")
    guard run("/usr/bin/env", ["python3", "-m", "venv", environment]) else {
      throw Fault(
        .unavailable,
        "cannot make the Python environment '\(environment)': install python3-venv, or name one with --python"
      )
    }
    let packages = [
      "-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1", "numpy", "pyarrow",
    ]
    guard run(python, packages), canWriteColumns(python) else {
      throw Fault(
        .unavailable,
        "cannot install numpy and pyarrow from PyPI into '\(environment)': name a Python that has them with --python, "
          + "or export as csv")
    }
    return python
  }

  private static func canWriteColumns(_ python: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: python)
      && run(python, ["-c", "import numpy, pyarrow.parquet"])
  }

  private static func run(_ program: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
