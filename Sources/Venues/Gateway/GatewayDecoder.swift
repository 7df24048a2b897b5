import MarketData

/// Turns lines of a gateway into ticks. Pure: bytes, a table and a time go in, ticks come out.
struct GatewayDecoder {
  /// What a line that is no tick turned out to be.
  enum Outcome {
    case tick
    /// Not of the protocol; counted and skipped.
    case bad
    case message(GatewayMessage)
  }

  /// The instruments whose lines become ticks, by symbol; lines of others are counted and skipped.
  var instruments = SymbolTable()
  /// The name that is looked up, made anew for each tick in the same memory.
  private var name: [UInt8] = []

  /// Appends the tick of one line to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted.
  mutating func decode(
    _ bytes: [UInt8], _ range: Range<Int>, receiveTime: Timestamp, into ticks: inout [Tick],
    statistics: inout SourceStatistics
  ) -> Outcome {
    var scanner = JSONScanner(bytes, in: range)
    do {
      let line = try GatewayLine(&scanner)
      guard line.isType("tick", in: scanner) else { return .message(try GatewayMessage(line, scanner)) }
      let (symbol, price) = try line.checkTick(in: scanner)
      append(line, symbol, price, scanner, receiveTime, to: &ticks, &statistics)
      return .tick
    } catch {
      statistics.badFrames += 1
      statistics.lastBadFrame = error.message
      return .bad
    }
  }

  private mutating func append(
    _ line: GatewayLine, _ symbol: JSONString, _ price: Price, _ scanner: JSONScanner,
    _ receiveTime: Timestamp,
    to ticks: inout [Tick], _ statistics: inout SourceStatistics
  ) {
    name.removeAll(keepingCapacity: true)
    if symbol.hasEscapes {
      name.append(contentsOf: scanner.text(of: symbol).utf8)
    } else {
      name.append(contentsOf: scanner.bytes[symbol.range])
    }
    guard let instrument = instruments.instrument(named: name) else {
      statistics.unknownInstruments += 1
      return
    }
    var tick = Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime, exchangeTime: line.time,
      lastPrice: price,
      dayVolume: line.volume ?? 0, lastTradeSeconds: UInt32(exactly: line.lastTradeTime.seconds) ?? 0,
      lastQuantity: UInt32(clamping: line.lastQuantity), openInterest: UInt32(clamping: line.openInterest))
    // A volume of zero that only stands for none must not look like a fallen one.
    if line.volume == nil { tick.flags.insert(.withoutVolume) }
    if !tick.exchangeTime.isKnown { tick.flags.insert(.noExchangeTime) }
    ticks.append(tick)
    statistics.ticks += 1
  }
}

/// Explains captured lines of a gateway to people; also what an author tries a new gateway's output with.
public enum GatewayOutput {
  /// Decodes one line, written as the JSON text that it is or in hexadecimal digits.
  ///
  /// A tick becomes a JSON object with the keys of the wire: numbers as exact decimals, rounded to 1e-9, times as on
  /// the wire. Other lines of the protocol give nothing; bad lines, times that cannot be read and the gateway's own
  /// errors give a sentence.
  public static func describe(line text: some StringProtocol) -> FrameDescription {
    do {
      let bytes = try FrameLine.bytes(text)
      var scanner = JSONScanner(bytes)
      guard scanner.peek() != nil else { return FrameDescription() }
      let line = try GatewayLine(&scanner)
      if line.isType("tick", in: scanner) {
        _ = try line.checkTick(in: scanner)
        scanner.index = scanner.start
        var description = FrameDescription(lines: [try scanner.normalizedValue()])
        if let (member, place) = line.unreadableTime {
          description.errors.append(
            "its \(member) is \(excerpt(of: bytes[place])), where Unix time or a text with its zone, as in "
              + "\"2025-11-25T09:15:00+05:30\", should be; the tick counts as one without it")
        }
        return description
      }
      switch try GatewayMessage(line, scanner) {
      case .error(_, let kind, let message):
        return FrameDescription(errors: ["the gateway says: \(kind.isEmpty ? "" : "\(kind): ")\(message)"])
      case .unknown(let type):
        return FrameDescription(
          errors: [
            "a line of the unknown type '\(type)'; known are hello, tick, candles, instruments, error, log, heartbeat "
              + "and pong"
          ])
      case .hello(let hello) where hello.protocolVersion != GatewayRequest.protocolVersion:
        return FrameDescription(
          errors: [
            "the gateway speaks protocol \(hello.protocolVersion); \(GatewayRequest.protocolVersion) is known"
          ])
      default: return FrameDescription()
      }
    } catch {
      return FrameDescription(errors: [error.message])
    }
  }
}
