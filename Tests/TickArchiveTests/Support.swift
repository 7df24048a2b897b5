import Foundation
import MarketData
import TickArchive

/// A directory of its own, removed with its owner.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tick-archive-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The segments in the directory, by name.
  var segments: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".tka") }.sorted()
        .map { path + "/" + $0 }
    }
  }
}

func readBytes(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))) }

func writeBytes(_ bytes: some Sequence<UInt8>, to file: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: file))
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

enum TickStreams {
  /// 2026-11-23 09:15 in India.
  static let open = Timestamp(seconds: 1_795_405_500)

  /// A plausible feed: prices on a 0.05 grid, lots, growing day volumes, venue times in seconds, a gap record now
  /// and then. Instruments are numbered from 0.
  static func plausible(
    count: Int, instruments: Int = 20, seed: UInt64 = 1, from: Timestamp = open, firstSequence: UInt64 = 1
  ) -> [Tick] {
    var random = SeededGenerator(seed: seed)
    var prices = (0..<instruments).map { _ in Int64.random(in: 1_000...100_000, using: &random) }
    var volumes = [Int64](repeating: 0, count: instruments)
    var now = from
    return (0..<count).map { index in
      now = now + Int64.random(in: 0...40_000_000, using: &random)
      let instrument = Int.random(in: 0..<instruments, using: &random)
      let lot: Int64 = instrument % 2 == 0 ? 1 : 75
      let quantity = lot * Int64.random(in: 1...40, using: &random)
      prices[instrument] += Int64.random(in: -3...3, using: &random)
      if Bool.random(using: &random) { volumes[instrument] += quantity }
      var tick = Tick(
        instrument: InstrumentID(rawValue: UInt32(instrument)), sequence: firstSequence + UInt64(index),
        receiveTime: now, exchangeTime: Timestamp(seconds: now.seconds),
        lastPrice: Price(units: prices[instrument] * 50_000_000), dayVolume: volumes[instrument],
        lastTradeSeconds: UInt32(now.seconds) - UInt32.random(in: 0...2, using: &random),
        lastQuantity: UInt32(quantity), openInterest: instrument % 2 == 0 ? 0 : UInt32(index / 1000))
      if index % 500 == 499 {
        tick = Tick(
          instrument: .all, sequence: tick.sequence, receiveTime: now, exchangeTime: now + (-3_000_000_123),
          lastPrice: .zero, dayVolume: 0, lastTradeSeconds: 0,
          lastQuantity: GapCause.disconnected.rawValue, openInterest: 0, kind: .gap)
      }
      return tick
    }
  }

  /// A plausible feed that states the day's prices whenever they change, numbered anew from 1.
  static func summarized(count: Int, instruments: Int = 20, seed: UInt64 = 1) -> [Tick] {
    var known: [InstrumentID: DaySummary] = [:]
    var ticks: [Tick] = []
    for tick in plausible(count: count, instruments: instruments, seed: seed) {
      if tick.kind == .trade {
        let price = tick.lastPrice
        let former = known[tick.instrument]
        let summary = DaySummary(
          open: former?.open ?? price, high: max(price, former?.high ?? price),
          low: min(price, former?.low ?? price),
          previousClose: former?.previousClose ?? Price(units: price.units - 350_000_000))
        if summary != former {
          ticks.append(summary.record(of: tick.instrument, receiveTime: tick.receiveTime))
        }
        known[tick.instrument] = summary
      }
      ticks.append(tick)
    }
    for index in ticks.indices { ticks[index].sequence = UInt64(index + 1) }
    return ticks
  }

  /// Records whose fields hold anything at all, extremes above all.
  static func arbitrary(count: Int, instruments: Int, seed: UInt64) -> [Tick] {
    var random = SeededGenerator(seed: seed)
    let numbers: [UInt32] = (0..<instruments).map { index in
      index == 0 ? .max : index == 1 ? 0 : UInt32.random(in: 0...UInt32.max, using: &random)
    }
    // Half of the streams reach the largest sequence there is.
    var sequence = seed % 2 == 0 ? 0 : UInt64.max - UInt64(count) + 1
    return (0..<count).map { index in
      var tick = Tick(
        instrument: InstrumentID(rawValue: numbers.randomElement(using: &random) ?? 0), sequence: sequence,
        receiveTime: Timestamp(nanoseconds: wide(&random)),
        exchangeTime: Timestamp(nanoseconds: wide(&random)),
        lastPrice: Price(units: wide(&random)), dayVolume: wide(&random), lastTradeSeconds: word(&random),
        lastQuantity: word(&random), openInterest: word(&random))
      tick.flags = TickFlags(rawValue: UInt16.random(in: 0...UInt16.max, using: &random))
      tick.kind = TickKind(rawValue: UInt8.random(in: 0...UInt8.max, using: &random))
      if seed % 2 == 0, index + 1 < count, Bool.random(using: &random) {
        sequence += UInt64.random(in: 0...(1 << 40), using: &random)
      }
      sequence &+= 1
      return tick
    }
  }

  private static func wide(_ random: inout SeededGenerator) -> Int64 {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: .min
    case 1: .max
    case 2: 0
    case 3: Int64.random(in: -2...2, using: &random)
    case 4: Int64.min + Int64.random(in: 0...2, using: &random)
    case 5: Int64(Int32.random(in: Int32.min...Int32.max, using: &random)) * 1_000_000_000
    default: Int64.random(in: Int64.min...Int64.max, using: &random)
    }
  }

  private static func word(_ random: inout SeededGenerator) -> UInt32 {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: 0
    case 1: .max
    case 2: UInt32(1) << 31
    case 3: UInt32.random(in: 0...300, using: &random)
    default: UInt32.random(in: 0...UInt32.max, using: &random)
    }
  }
}

/// Writes ticks as one archive, closed in good order.
func archive(
  _ ticks: [Tick], in directory: String, options: ArchiveOptions = .init(), calls: FileCalls = .system
) throws {
  var writer = try ArchiveWriter(directory: directory, feed: "test", options: options, calls: calls)
  for tick in ticks { _ = try writer.append(tick) }
  try writer.close()
}

/// Everything in an archive; damage is skipped.
func readAll(_ reader: ArchiveReader) throws -> [Tick] {
  var ticks: [Tick] = []
  try reader.forEachTick(damage: .skip) { tick throws(Fault) in ticks.append(tick) }
  return ticks
}

func readAll(in directory: String) throws -> [Tick] {
  try readAll(ArchiveReader(directory: directory, feed: "test"))
}

/// Everything in an archive, read by each of the processor's instruction sets and by none, which must agree.
func readByAllKernels(in directory: String) throws -> [Tick] {
  var reader = try ArchiveReader(directory: directory, feed: "test")
  let ticks = try readAll(reader)
  for kernels in TickKernels.allCases {
    reader.kernels = kernels
    guard try readAll(reader) == ticks else { return [] }
  }
  return ticks
}
