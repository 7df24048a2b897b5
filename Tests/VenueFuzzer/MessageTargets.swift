import Glibc
import MarketData

@testable import Venues

/// Messages of an OpenAlgo server: the decoder of the feed, and the one for people, which must see the same.
struct OpenAlgoMessages: FuzzTarget {
  static let name = "openalgo-messages"
  private var decoder = OpenAlgoDecoder()
  private var ticks: [Tick] = []

  init() {
    decoder.insert(sampleSymbol, InstrumentID(rawValue: 1))
  }

  static func seeds() -> [[UInt8]] {
    [
      """
      {"type":"market_data","symbol":"RELIANCE","exchange":"NSE","mode":2,"topic":"NSE_RELIANCE_QUOTE","data":{\
      "ltp":1402.5,"ltt":1764042300123,"volume":1.2e3,"last_quantity":"7","oi":0,"timestamp":1764042300}}
      """,
      """
      {"type":"market_data","symbol":"\\u0052ELIANCE","exchange":"NSE","mode":1,"data":{"ltp":1402.0500000000002,\
      "volume":NaN,"timestamp":"2026-11-25T09:15:00+05:30"}}
      """, "{\"type\":\"auth\",\"status\":\"success\",\"message\":\"Authentication successful\"}",
      "{\"status\":\"error\",\"code\":\"NOT_AUTHENTICATED\",\"message\":\"You must authenticate first\"}",
      "{\"type\":\"subscribe\",\"status\":\"partial\",\"subscriptions\":[]}", "{\"type\":\"pong\"}",
    ].map { Array($0.utf8) }
  }

  mutating func read(_ input: [UInt8]) {
    ticks.removeAll(keepingCapacity: true)
    var statistics = SourceStatistics()
    let other = decoder.decode(
      input, receiveTime: Timestamp(seconds: 1), into: &ticks, statistics: &statistics)
    let count =
      ticks.count + Int(statistics.unknownInstruments + statistics.badFrames) + (other == nil ? 0 : 1)
    precondition(count == 1)
    let description = OpenAlgoMessage.describe(input)
    description.errors.forEach(checkSentence)
    if statistics.badFrames == 1 {
      checkSentence(statistics.lastBadFrame)
    } else if other == nil {
      checkIsFinal(description, by: OpenAlgoMessage.describe(line:))
    } else {
      precondition(description.lines.isEmpty)
    }
    for tick in ticks { seededBug(tick.lastPrice.units / 1_000_000_000) }
  }
}

/// What a gateway writes, through a pipe in pieces as long as the first byte says: cut into lines, which the feed's
/// decoder and the one for people must see alike.
struct GatewayLines: FuzzTarget {
  static let name = "gateway-lines"
  private static let lineBytesMax = 1024
  private var decoder = GatewayDecoder()
  private var ticks: [Tick] = []
  private let pipe: (readEnd: Int32, writeEnd: Int32)

  init() {
    decoder.instruments.insert(sampleSymbol.text, InstrumentID(rawValue: 1))
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
      fatalError("there is no pipe: errno \(errno)")
    }
    pipe = (ends[0], ends[1])
  }

  static func seeds() -> [[UInt8]] {
    let lines = [
      """
      {"type":"hello","protocol":1,"name":"mine","capabilities":["ticks","candles","instruments"]}
      {"type":"tick","symbol":"NSE:RELIANCE","price":1402.5,"time":1764042300.25,"volume":12,"last_quantity":7}

      """,
      """
      {"type":"candles","id":1,"rows":[[1764042300,1704.5,1705,1702.05,1703.1,199,7],["2026-11-25T09:16:00+05:30",\
      1,"2",1,1.5,9]],"last":false}\r
      {"type":"instruments","id":2,"rows":[{"symbol":"NSE:INFY","token":1594,"tick_size":0.05,"lot_size":1}]}

      """,
      """
      {"type":"error","id":3,"kind":"refused","message":"the broker says \\u0007no"}
      {"type":"log","level":"warning","message":"slow"}
      {"type":"heartbeat"}
      {"type":"pong","id":4}
      Traceback (most recent call last):
      """,
    ]
    return lines.map { [200] + Array($0.utf8) }
  }

  mutating func read(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let text = Array(input.dropFirst())
    guard text.isEmpty || write(pipe.writeEnd, text, text.count) == text.count else {
      fatalError("the pipe does not take \(text.count) bytes: errno \(errno)")
    }
    var buffer = LineBuffer(lineBytesMax: Self.lineBytesMax, readBytesMax: Int(first) + 1)
    var lines: [[UInt8]] = []
    while case .bytes = buffer.read(from: pipe.readEnd) {
      while !buffer.isOverlong, let range = buffer.nextLine() {
        lines.append(Array(buffer.bytes[range]))
        take(buffer.bytes, range)
      }
    }
    let pieces = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let expected = pieces.dropLast().map { Array($0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0) }
    if !buffer.isOverlong {
      precondition(lines == expected && buffer.partialLine.elementsEqual(pieces.last ?? []))
    }
    precondition(lines.elementsEqual(expected.prefix(lines.count)))
  }

  private mutating func take(_ bytes: [UInt8], _ range: Range<Int>) {
    ticks.removeAll(keepingCapacity: true)
    var statistics = SourceStatistics()
    let outcome = decoder.decode(
      bytes, range, receiveTime: Timestamp(seconds: 1), into: &ticks, statistics: &statistics)
    for tick in ticks { seededBug(tick.lastPrice.units / 1_000_000_000) }
    let description = GatewayOutput.describe(line: String(decoding: bytes[range], as: UTF8.self))
    description.errors.forEach(checkSentence)
    switch outcome {
    case .tick:
      // A time that cannot be read is told of, and told of again.
      precondition(description.lines.count == 1)
      precondition(GatewayOutput.describe(line: description.lines[0]).lines == description.lines)
    case .bad: checkSentence(statistics.lastBadFrame)
    case .message: precondition(description.lines.isEmpty)
    }
  }
}

/// What is taken for a tick is one line for people, and that line means the same again.
private func checkIsFinal(_ description: FrameDescription, by describe: (String) -> FrameDescription) {
  precondition(description.lines.count == 1 && description.errors.isEmpty)
  precondition(describe(description.lines[0]) == description)
}
