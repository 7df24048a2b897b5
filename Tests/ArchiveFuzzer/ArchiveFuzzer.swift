import CTickCodec
import Foundation
import MarketData
import TickArchive

// Feeds mutated segments, captures and journals to their readers: `make fuzz`. Whatever the bytes, a reader must come
// back with an answer or a typed fault; a trap, a sanitizer's complaint or a memory beyond the limit is a finding.
//
// Every reader has its own corpus. TICKRING_FUZZ_TARGET names it, TICKRING_FUZZ_SEEDED_BUG puts a bug behind it: the
// control, which must be found. The first byte of an input says in its lowest bit whether checksums are mended first
// (without, hardly a mutation would get past them; the control mends them always), and in the next two what is done with
// a segment.

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ argumentCount: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> Int32
) -> Int32

enum Target: String, CaseIterable {
  case segment, kernels, capture, journal

  /// How many inputs a counted search takes: a minute's work.
  var inputs: Int {
    switch self {
    case .segment: 45_000
    case .kernels: 1_600_000
    case .capture: 60_000
    case .journal: 8_000_000
    }
  }
}

enum Layout {
  static let segmentHeaderLength = 64
  static let blockHeaderLength = 256
  static let payloadLength = 24
  static let payloadChecksum = 28
  static let descriptors = 96
  static let headerChecksum = 252
  static let trailerLength = 32
  static let journalRowLength = 64
}

let target = getenv("TICKRING_FUZZ_TARGET").flatMap { Target(rawValue: String(cString: $0)) }
let hasSeededBug = getenv("TICKRING_FUZZ_SEEDED_BUG") != nil
let file = NSTemporaryDirectory() + "/tickring-fuzz-\(getpid())"

/// The control: a table too short for what the input holds.
func seededBug(_ value: some BinaryInteger) {
  guard hasSeededBug else { return }
  let table = [UInt8](repeating: 0, count: 200)
  precondition(table[Int(truncatingIfNeeded: value) & 0xFF] == 0)
}

func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  bytes.withUnsafeBufferPointer { tickcodec_crc32c($0.baseAddress, $0.count) }
}

func store(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
  for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
}

func word(at offset: Int, in bytes: [UInt8]) -> Int {
  (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
}

/// `TKABLOCK` as a little-endian number: where it stands a block begins, whatever the version.
let blockMagic: UInt64 = 0x4B43_4F4C_4241_4B54

func isBlock(at offset: Int, in bytes: [UInt8]) -> Bool {
  bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    == blockMagic
}

/// Makes every checksum of a segment hold, of either version: both have them in the same places.
func mendSegment(_ bytes: inout [UInt8]) {
  guard bytes.count >= Layout.segmentHeaderLength else { return }
  store(checksum(bytes[0..<60]), at: 60, in: &bytes)
  var offset = Layout.segmentHeaderLength
  while offset + Layout.blockHeaderLength <= bytes.count {
    if isBlock(at: offset, in: bytes) {
      let start = offset + Layout.blockHeaderLength
      let length = word(at: offset + Layout.payloadLength, in: bytes)
      if length <= bytes.count - start {
        store(checksum(bytes[start..<start + length]), at: offset + Layout.payloadChecksum, in: &bytes)
      }
      store(
        checksum(bytes[offset..<offset + Layout.headerChecksum]), at: offset + Layout.headerChecksum,
        in: &bytes)
    }
    offset += 8
  }
  let trailer = bytes.count - Layout.trailerLength
  if trailer > 0, bytes[trailer..<trailer + 8].elementsEqual("TKAINDEX".utf8) {
    store(checksum(bytes[trailer..<trailer + 28]), at: trailer + 28, in: &bytes)
  }
}

/// Makes every checksum of a journal hold.
func mendJournal(_ bytes: inout [UInt8]) {
  guard bytes.count >= 64 else { return }
  store(checksum(bytes[0..<60]), at: 60, in: &bytes)
  var link: UInt32 = 0
  for row in stride(from: 64, through: bytes.count - Layout.journalRowLength, by: Layout.journalRowLength) {
    link = checksum(bytes[row + 4..<row + Layout.journalRowLength]) ^ link &* 0x9E37_79B1
    store(link, at: row, in: &bytes)
  }
}

/// One file, kept open and written anew for each input.
let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC, 0o600)

func write(_ bytes: [UInt8]) {
  let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  precondition(written == bytes.count && ftruncate(descriptor, off_t(bytes.count)) == 0)
}

/// What is done with a segment: one thing an input, since each takes milliseconds of a sanitizer's book-keeping.
enum SegmentTask: UInt8, CaseIterable {
  case scan, portableScan, select, verify
}

func readSegment(_ task: SegmentTask) {
  guard var reader = try? ArchiveReader(file: file) else { return }
  switch task {
  case .scan, .portableScan:
    if task == .portableScan { reader.kernels = .portable }
    _ = try? reader.forEachBlock(damage: .skip) { ticks throws(Fault) in
      for index in ticks.indices { seededBug(in: ticks[index]) }
    }
  case .select:
    var selection = TickSelection(
      from: Timestamp(seconds: 1), to: Timestamp(seconds: 2_000_000_000),
      instruments: [InstrumentID(rawValue: 1)], damage: .skip)
    selection.fields = .lastPrice
    _ = try? reader.forEachBlock(selection, cores: 1) { _ throws(Fault) in }
  case .verify:
    _ = try? reader.verify()
    _ = try? reader.info()
  }
}

/// The control of segments: a table too short for numbers that no seed comes near, in any of a trade's columns.
func seededBug(in tick: Tick) {
  guard tick.kind == .trade else { return }
  let isFar =
    tick.sequence >> 20 != 0 || tick.openInterest >> 16 != 0 || tick.lastQuantity >> 16 != 0
    || tick.dayVolume >> 32 != 0 || tick.lastPrice.units >> 48 != 0 || tick.flags.rawValue >> 12 != 0
    || tick.receiveTime.seconds >> 31 != 0 || tick.instrument.rawValue >> 16 != 0
  seededBug(isFar ? 255 : 0)
}

/// The control of captures: the same table, for a frame unlike the seeds' three small bytes.
func seededBug(in frame: CapturedFrame) {
  let isFar = frame.bytes.count != 3 || frame.number >> 8 != 0 || frame.bytes.contains { $0 >= 64 }
  seededBug(isFar ? 255 : 0)
}

func readCapture() {
  guard let reader = try? CaptureReader(file: file) else { return }
  var bytes = 0
  _ = try? reader.forEachFrame(damage: .skip) { frame throws(Fault) in
    bytes += frame.bytes.count
    seededBug(in: frame)
  }
  _ = try? reader.info()
}

func test(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard count > 1 else { return 0 }
  let isMended = hasSeededBug || start[0] & 1 != 0
  var bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  switch target {
  case .segment, .capture:
    if isMended { mendSegment(&bytes) }
    write(bytes)
    if target == .capture {
      readCapture()
    } else if let task = SegmentTask(rawValue: start[0] >> 1 & 3) {
      readSegment(hasSeededBug ? .scan : task)
    }
  case .kernels: compareKernels(bytes)
  case .journal:
    if isMended { mendJournal(&bytes) }
    for tick in journaledTicks(in: bytes) { seededBug(tick.openInterest) }
  case nil: break
  }
  return 0
}

extension FileCalls {
  /// The system's, but for salts: inputs are to be the same each time.
  static var repeatable: FileCalls {
    var calls = FileCalls.system
    calls.random = { 0x5EED }
    return calls
  }
}

/// Writes small inputs for a reader, with and without mending.
func makeCorpus(of target: Target, in directory: String) throws {
  let work = directory + ".work"
  try? FileManager.default.removeItem(atPath: work)
  defer { try? FileManager.default.removeItem(atPath: work) }
  var options = ArchiveOptions(blockTicks: 8)
  options.keepsJournal = true
  var archive = try ArchiveWriter(directory: work, feed: "fuzz", options: options, calls: .repeatable)
  var capture = try CaptureWriter(directory: work, feed: "fuzz", options: .init(), calls: .repeatable)
  let instrument = Instrument(
    id: InstrumentID(rawValue: 1), symbol: try Symbol("NSE:RELIANCE"), venueToken: "738561",
    priceTick: Price(units: 50_000_000), lotSize: 1)
  try archive.define([instrument])
  capture.define([instrument])
  let open = Timestamp(seconds: 1_795_405_500)
  for number in 1...20 as ClosedRange<UInt64> {
    let time = open + Int64(number) * 1_234_567
    let price = Price(units: 100_000_000_000 + Int64(number))
    var tick = Tick(
      instrument: InstrumentID(rawValue: UInt32(number % 3)), sequence: number, receiveTime: time,
      exchangeTime: Timestamp(seconds: time.seconds), lastPrice: price, dayVolume: Int64(number * 75),
      lastTradeSeconds: UInt32(time.seconds), lastQuantity: 75, openInterest: 3)
    // The first block is of version 2, those with day summaries are of version 3.
    if number > 8, number % 3 == 0 {
      tick = DaySummary(open: price, high: price, low: price, previousClose: price)
        .record(of: tick.instrument, receiveTime: time)
      tick.sequence = number
    }
    _ = try archive.append(tick)
    try capture.append([UInt8(number), 1, 2].span.bytes, isText: number % 2 == 0, receiveTime: time)
  }
  try archive.synchronize()
  let journal = [UInt8](try Data(contentsOf: URL(fileURLWithPath: work + "/fuzz.journal")))
  try archive.finish()
  try capture.finish()
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  func written(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: work + "/" + name)))
  }
  let inputs =
    switch target {
    case .segment: [try written("fuzz-20261123-0001.tka"), try firstVersion()]
    case .kernels:
      unpackedBlocks(of: try written("fuzz-20261123-0001.tka")) + unpackedBlocks(of: try firstVersion())
        + unpackedBlocks(of: try busySegment(in: work))
    case .capture: [try written("fuzz-20261123-0001.tkc")]
    case .journal: [journal]
    }
  for (number, bytes) in inputs.enumerated() {
    for choice in 0..<2 * UInt8(target == .segment ? SegmentTask.allCases.count : 1) {
      try Data([choice] + bytes).write(to: URL(fileURLWithPath: "\(directory)/\(number)-\(choice)"))
    }
  }
}

/// Of the first version, which is written no more, the sample that the tests read: the definitions and the first block of
/// ticks, which are plausible ones.
func firstVersion() throws -> [UInt8] {
  let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../TickArchiveTests/Resources/golden-v1.tka")
  let bytes = [UInt8](try Data(contentsOf: sample))
  let blocks = stride(from: Layout.segmentHeaderLength, to: bytes.count - Layout.blockHeaderLength, by: 8)
    .filter { isBlock(at: $0, in: bytes) }
  return Array(bytes[..<blocks[2]])
}

/// The fuzzer's entry for one input, by the name that its runtime looks for.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 { test(start, count) }

@main
enum ArchiveFuzzer {
  static func main() throws {
    if CommandLine.arguments.count == 2, CommandLine.arguments[1] == "list-targets" {
      for target in Target.allCases { print(target.rawValue, target.inputs) }
      return
    }
    guard let target else {
      print(
        "TICKRING_FUZZ_TARGET must be one of \(Target.allCases.map(\.rawValue).joined(separator: ", "))")
      exit(64)
    }
    if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "make-corpus" {
      return try makeCorpus(of: target, in: CommandLine.arguments[2])
    }
    var argumentCount = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    let status = runFuzzer(&argumentCount, &arguments, test)
    unlink(file)
    exit(status)
  }
}
