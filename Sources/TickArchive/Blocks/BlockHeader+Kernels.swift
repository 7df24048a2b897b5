internal import CTickCodec
internal import MarketData

/// What the kernels in C are told of a block.
extension BlockHeader {
  var parameters: tickcodec_parameters {
    var parameters = tickcodec_parameters()
    parameters.earliest = earliest.nanoseconds
    parameters.latest = latest.nanoseconds
    parameters.first_sequence = firstSequence
    parameters.exchange_unit = exchangeUnit
    parameters.code_width = UInt32(codeWidth)
    parameters.has_plain_volume = hasPlainVolume
    parameters.has_steady_trade_times = hasSteadyTradeTimes
    parameters.frequent_count = UInt32(frequentCount)
    parameters.instrument_least = instrumentLeast
    parameters.instrument_step = instrumentStep
    parameters.summary_count = UInt32(summaryCount)
    parameters.summary_unit = summaryUnit
    return parameters
  }

  /// The unpacked sections, which lie one behind the other from `start` on.
  func sections(at start: UnsafePointer<UInt8>?) -> [tickcodec_bytes] {
    var offset = 0
    return sections.map { descriptor in
      defer { offset += descriptor.rawLength }
      return tickcodec_bytes(
        start: start?.advanced(by: offset), length: descriptor.rawLength,
        coding: UInt32(descriptor.coding.rawValue))
    }
  }
}
