internal import Foundation
internal import MarketData
internal import TickArchive

/// Recorded trades of another market, which nobody made up to compress well.
enum RealTrades {
  static func measure(_ path: String, in directory: String, _ report: inout ArchiveReport) throws {
    guard FileManager.default.isReadableFile(atPath: path) else {
      report.notes.append("size of real trades: \(path) is not there")
      return
    }
    let ticks = try read(path)
    guard !ticks.isEmpty else {
      throw Fault(
        .badData,
        "\(path) holds no trades; lines of receive time, exchange time, symbol, price and quantity are needed"
      )
    }
    var writer = try ArchiveWriter(directory: directory, feed: "real")
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    let bytes = try ArchiveReader(directory: directory, feed: "real").info().reduce(0) { $0 + $1.bytes }
    report.add(
      ArchiveFigure(
        program: ArchiveReport.ours, measure: .realSize, value: Double(bytes) / Double(ticks.count),
        checksum: UInt64(bytes)))
  }

  /// Trades as ticks: quantities in units of 1e-5, the day's volume summed up.
  private static func read(_ path: String) throws -> [Tick] {
    let unpacking = Process()
    unpacking.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unpacking.arguments = ["gzip", "-dc", path]
    let output = Pipe()
    unpacking.standardOutput = output
    try unpacking.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    unpacking.waitUntilExit()
    var numbers: [Substring: UInt32] = [:]
    var volumes: [UInt32: Int64] = [:]
    var ticks: [Tick] = []
    for line in text.split(whereSeparator: \.isNewline).dropFirst() {
      let fields = line.split(separator: ",")
      guard fields.count >= 5, let receive = Int64(fields[0]), let exchange = Int64(fields[1]),
        let price = Price(decimal: fields[3]),
        let quantity = Price.scaled(decimal: fields[4].utf8, fractionDigits: 5)
      else { continue }
      let number = numbers[fields[2], default: UInt32(numbers.count)]
      numbers[fields[2]] = number
      volumes[number, default: 0] += quantity
      ticks.append(
        Tick(
          instrument: InstrumentID(rawValue: number), sequence: UInt64(ticks.count + 1),
          receiveTime: Timestamp(nanoseconds: receive), exchangeTime: Timestamp(nanoseconds: exchange),
          lastPrice: price, dayVolume: volumes[number, default: 0], lastTradeSeconds: 0,
          lastQuantity: UInt32(clamping: quantity), openInterest: 0))
    }
    return ticks
  }
}
