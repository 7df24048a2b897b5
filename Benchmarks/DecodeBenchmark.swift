internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import Venues

/// Binary frames in memory to tick records on one core, and the same frames through the vendors' own Python clients in
/// the same run. Prices and volumes are summed on both sides, and must agree.
struct DecodeBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Ticks a second out of Kite's and Angel One's frames, beside the vendors' clients.")

  @OptionGroup var size: SizeOptions
  @Option(help: "A Python that has the vendors' clients; `make bench-decode` makes one.") var python: String?

  private static let instruments = 3000
  private static let packetsPerMessage = 250
  private static let runs = 5

  func run() throws { try Self.measure(size, python: python) }

  static func measure(_ size: SizeOptions, python: String? = nil) throws {
    let count = size.pick(smoke: instruments, full: 15_000_000)
    for venue in [Venue.kite, .angelOne] {
      let frames = VenueFrames(venue, instruments: instruments, packetsPerMessage: packetsPerMessage)
      let ours = try decode(frames, ticks: count)
      let peer = try python.map { try VendorClient.measure($0, frames, size) } ?? nil
      if let peer, peer.checksum != ours.checksum {
        throw Fault(
          .checkFailed,
          "\(venue.rawValue): TickRing decodes a sum of \(ours.checksum), the vendor's client \(peer.checksum)"
        )
      }
      try Measurement(
        name: "decode \(venue.frameName)", value: 1000 / ours.nanoseconds, unit: "M ticks/s",
        comparison: peer.map {
          String(format: "%.0f x the vendor's Python client", $0.nanoseconds / ours.nanoseconds)
        },
        checksum: ours.checksum
      ).report(size)
      if let peer {
        try Measurement(
          name: "the same in the vendor's Python client", value: 1000 / peer.nanoseconds, unit: "M ticks/s",
          checksum: peer.checksum
        ).report(size)
      } else if python != nil, !size.json {
        print("             the vendor's Python client for \(venue.rawValue) is not installed and left out")
      }
    }
  }

  /// Nanoseconds a tick, and the sum over one round of all frames.
  private static func decode(_ frames: VenueFrames, ticks count: Int) throws -> (
    nanoseconds: Double, checksum: UInt64
  ) {
    var kite = KiteDecoder()
    var angelOne = AngelOneDecoder()
    for index in 0..<instruments {
      let instrument = InstrumentID(rawValue: UInt32(index))
      kite.tokens.insert(VenueFrames.kiteToken(index), instrument)
      angelOne.insert(try AngelOneToken(venueToken: "1/\(VenueFrames.angelOneToken(index))"), instrument)
    }
    var statistics = SourceStatistics()
    var ticks: [Tick] = []
    ticks.reserveCapacity(packetsPerMessage)
    let rounds = max(1, count / instruments)
    var checksum: UInt64 = 0
    let time = Timestamp(seconds: 1_795_405_500)
    let nanoseconds = Measurement.median(runs: runs) {
      checksum = 0
      let start = Timestamp.monotonicNanoseconds()
      for _ in 0..<rounds {
        for frame in frames.frames {
          switch frames.venue {
          case .kite: kite.decode(frame.span.bytes, receiveTime: time, into: &ticks, statistics: &statistics)
          case .angelOne:
            angelOne.decode(frame.span.bytes, receiveTime: time, into: &ticks, statistics: &statistics)
          }
          // As many ticks at once as the receive thread would take up.
          guard ticks.count >= packetsPerMessage else { continue }
          checksum &+= sum(ticks)
          ticks.removeAll(keepingCapacity: true)
        }
      }
      return Double(Timestamp.monotonicNanoseconds() - start) / Double(rounds * instruments)
    }
    guard statistics.badFrames == 0, statistics.unknownInstruments == 0 else {
      throw Fault(.software, "the benchmark's own frames are bad: \(statistics)")
    }
    return (nanoseconds, checksum / UInt64(rounds))
  }

  /// Paise and volumes: what both sides can add without rounding.
  private static func sum(_ ticks: [Tick]) -> UInt64 {
    ticks.reduce(0) { $0 &+ UInt64($1.lastPrice.units / (Price.unitsPerOne / 100)) &+ UInt64($1.dayVolume) }
  }

  /// A venue with a binary wire.
  enum Venue: String {
    case kite
    case angelOne = "angelone"

    var frameName: String {
      switch self {
      case .kite: "Kite's full packets"
      case .angelOne: "Angel One's SnapQuote frames"
      }
    }
  }
}

/// Frames of one tick for each of many instruments, every field set, built from the protocols' offset tables.
struct VenueFrames {
  let venue: DecodeBenchmark.Venue
  let frames: [[UInt8]]
  let instruments: Int

  private static let time = 1_795_405_500

  init(_ venue: DecodeBenchmark.Venue, instruments: Int, packetsPerMessage: Int) {
    self.venue = venue
    self.instruments = instruments
    var generator = SplitMix(state: 3)
    switch venue {
    case .kite:
      frames = stride(from: 0, to: instruments, by: packetsPerMessage).map { first in
        let packets = (first..<min(first + packetsPerMessage, instruments)).map {
          Self.kitePacket($0, &generator)
        }
        return packets.reduce(into: Self.bigEndian(UInt16(packets.count))) {
          $0 += Self.bigEndian(UInt16($1.count)) + $1
        }
      }
    case .angelOne: frames = (0..<instruments).map { Self.snapQuote($0, &generator) }
    }
  }

  static func kiteToken(_ index: Int) -> UInt32 { UInt32(index + 400) << 8 | 1 }

  static func angelOneToken(_ index: Int) -> Int { 1000 + index * 17 }

  private static func kitePacket(_ index: Int, _ generator: inout SplitMix) -> [UInt8] {
    let price = UInt32.random(in: 1000...4_000_000, using: &generator)
    var words: [UInt32] = [kiteToken(index), price, .random(in: 1...5000, using: &generator), price + 10]
    words +=
      (0..<3).map { _ in .random(in: 1...90_000_000, using: &generator) } + [
        price, price + 50, price - 50, price,
      ]
    words += [UInt32(time), 0, 0, 0, UInt32(time)]
    var packet = words.flatMap(bigEndian)
    for level in 0..<10 {
      packet += bigEndian(UInt32.random(in: 1...9999, using: &generator)) + bigEndian(price + UInt32(level))
      packet += bigEndian(UInt16(level)) + [0, 0]
    }
    return packet
  }

  private static func snapQuote(_ index: Int, _ generator: inout SplitMix) -> [UInt8] {
    var frame: [UInt8] = [3, 1] + Array("\(angelOneToken(index))".utf8)
    frame += [UInt8](repeating: 0, count: 27 - frame.count)
    let price = Int64.random(in: 1000...4_000_000, using: &generator)
    let volume = Int64.random(in: 1...90_000_000, using: &generator)
    let numbers: [Int64] = [Int64(index), Int64(time) * 1000, price, 75, price + 10, volume]
    frame += numbers.flatMap(littleEndian)
    frame += [1.5e6, 2.5e6].flatMap { littleEndian(($0 as Double).bitPattern) }
    frame += [price, price + 50, price - 50, price, Int64(time), 0].flatMap(littleEndian)
    frame += littleEndian((0.5 as Double).bitPattern)
    for level in 0..<10 {
      frame +=
        littleEndian(UInt16(level < 5 ? 1 : 0)) + littleEndian(Int64.random(in: 1...9999, using: &generator))
      frame += littleEndian(price + Int64(level)) + littleEndian(UInt16(level))
    }
    frame += [price + 900, price - 900, price + 2000, price - 2000].flatMap(littleEndian)
    return frame
  }

  private static func bigEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

/// The vendor's own Python client on the same frames.
enum VendorClient {
  /// Nanoseconds a tick and the sum of one round; nil where the client is not installed.
  static func measure(_ python: String, _ frames: VenueFrames, _ size: SizeOptions) throws
    -> (nanoseconds: Double, checksum: UInt64)?
  {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("tickring-frames-\(UUID())")
      .path
    defer { try? FileManager.default.removeItem(atPath: file) }
    var data = Data()
    for frame in frames.frames {
      data += withUnsafeBytes(of: UInt32(frame.count).littleEndian) { Data($0) } + frame
    }
    try data.write(to: URL(fileURLWithPath: file))
    let rounds = size.pick(smoke: 1, full: 10)
    let numbers = try PythonPeer.numbers(
      python, script, [frames.venue.rawValue, file, "\(rounds)"], needs: "kiteconnect and smartapi-python")
    guard numbers.count == 2, numbers[0] > 0 else { return nil }
    return (numbers[0], UInt64(numbers[1]))
  }

  /// The parsers are called as the clients' websocket threads call them. Importing Angel One's client asks a server for
  /// this machine's address and makes a folder of logs; neither happens here.
  private static let script = """
    import struct, sys, time
    venue, path, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    data, frames, offset = open(path, "rb").read(), [], 0
    while offset < len(data):
        (size,) = struct.unpack_from("<I", data, offset)
        frames.append(data[offset + 4 : offset + 4 + size])
        offset += 4 + size
    try:
        if venue == "kite":
            from kiteconnect import KiteTicker
            parse = KiteTicker.__new__(KiteTicker)._parse_binary
            ticks = lambda answer: [(round(t["last_price"] * 100), t["volume_traded"]) for t in answer]
        else:
            import requests
            def refuse(*_, **__):
                raise RuntimeError
            real, requests.get = requests.get, refuse
            from SmartApi.smartWebSocketV2 import SmartWebSocketV2
            requests.get = real
            parse = SmartWebSocketV2.__new__(SmartWebSocketV2)._parse_binary_data
            ticks = lambda t: [(t["last_traded_price"], t["volume_trade_for_the_day"])]
    except ImportError:
        print(0, 0)
        sys.exit()
    count = total = 0
    for frame in frames:
        for price, volume in ticks(parse(frame)):
            count += 1
            total += price + volume
    best = None
    for _ in range(3):
        start = time.perf_counter_ns()
        for _ in range(rounds):
            for frame in frames:
                parse(frame)
        spent = (time.perf_counter_ns() - start) / rounds / count
        best = spent if best is None else min(best, spent)
    print(best, total)
    """
}
