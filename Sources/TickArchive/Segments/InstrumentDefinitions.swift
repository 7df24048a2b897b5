internal import MarketData

/// Instruments as a block of definitions holds them.
enum InstrumentDefinitions {
  /// Bytes of a definition beside its two texts.
  private static let fixedBytes = 23
  /// So many of the largest definitions never exceed ``ArchiveLimits/definitionBytesMax``.
  static let perBlockMax =
    ArchiveLimits.definitionBytesMax / (fixedBytes + Symbol.utf8CountMax + ArchiveLimits.venueTokenBytesMax)

  static func payload(of instruments: some Sequence<Instrument>) -> [UInt8] {
    var bytes: [UInt8] = []
    for instrument in instruments {
      bytes.append(littleEndian: instrument.id.rawValue)
      bytes.append(littleEndian: instrument.priceTick.units)
      bytes.append(littleEndian: instrument.lotSize)
      bytes.append(UInt8(instrument.symbol.text.utf8.count))
      bytes.append(littleEndian: UInt16(instrument.venueToken.utf8.count))
      bytes.append(contentsOf: instrument.symbol.text.utf8)
      bytes.append(contentsOf: instrument.venueToken.utf8)
    }
    return bytes
  }

  /// Reads the payload of a block of `count` definitions.
  ///
  /// - Throws: ``BadBlock`` when it is not just that.
  static func instruments(in payload: [UInt8], count: Int) throws(BadBlock) -> [Instrument] {
    var reader = FieldReader(payload)
    var instruments: [Instrument] = []
    for _ in 0..<count {
      guard let id = reader.next(UInt32.self), let priceTick = reader.next(UInt64.self),
        let lotSize = reader.next(UInt64.self), let symbolLength = reader.next(UInt8.self),
        let tokenLength = reader.next(UInt16.self), let text = reader.nextText(count: Int(symbolLength)),
        let venueToken = reader.nextText(count: Int(tokenLength)), let symbol = try? Symbol(text)
      else { throw BadBlock("one of its instrument definitions is malformed") }
      instruments.append(
        Instrument(
          id: InstrumentID(rawValue: id), symbol: symbol, venueToken: venueToken,
          priceTick: Price(units: Int64(bitPattern: priceTick)), lotSize: Int64(bitPattern: lotSize)))
    }
    guard reader.isAtEnd else { throw BadBlock("bytes follow its last instrument definition") }
    return instruments
  }
}
