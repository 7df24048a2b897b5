internal import MarketData

/// One pass over the ticks of a segment.
struct SegmentReading {
  private let contents: SegmentContents
  private let isNewest: Bool
  private let policy: DamagePolicy
  private let from: Timestamp?
  private let to: Timestamp?
  private let instruments: Set<InstrumentID>?
  /// Damage met so far.
  private(set) var skipped: [DamagedBlock] = []

  init(
    _ contents: SegmentContents, isNewest: Bool, policy: DamagePolicy, from: Timestamp?, to: Timestamp?,
    instruments: Set<InstrumentID>?
  ) {
    self.contents = contents
    self.isNewest = isNewest
    self.policy = policy
    self.from = from
    self.to = to
    self.instruments = instruments
  }

  /// Calls `body` with the wanted ticks of each block in turn.
  mutating func forEachBlock(
    of file: borrowing InputFile, decoder: inout BlockDecoder, _ body: (Span<Tick>) throws(Fault) -> Void
  ) throws(Fault) {
    var payload: [UInt8] = []
    var damageAhead = contents.damage[...]
    for entry in contents.entries where entry.kind == .ticks {
      while let damaged = damageAhead.first, damaged.offset < entry.offset {
        try meet(damaged)
        damageAhead.removeFirst()
      }
      if let from, entry.latest < from { continue }
      if let to, entry.earliest >= to { continue }
      let header = try file.readBlock(entry, into: &payload)
      let count: Int
      do throws(BadBlock) {
        guard let header else { throw BadBlock("its header is not the one that was indexed") }
        count = try decodeWanted(header, entry, payload: payload, decoder: &decoder)
      } catch {
        if isUnfinished(entry) { return }
        try meet(DamagedBlock(entry, file: file.path, cause: error.cause))
        continue
      }
      if count > 0 { try decoder.withTicks(count, body) }
    }
    for damaged in damageAhead { try meet(damaged) }
  }

  private func decodeWanted(
    _ header: BlockHeader, _ entry: IndexEntry, payload: [UInt8], decoder: inout BlockDecoder
  ) throws(BadBlock) -> Int {
    try decoder.open(header, payload: payload)
    if let instruments, !decoder.holds(anyOf: instruments) { return 0 }
    let count = try decoder.decode()
    let isWhollyInside = from.map { entry.earliest >= $0 } ?? true && to.map { entry.latest < $0 } ?? true
    if isWhollyInside, instruments == nil { return count }
    return decoder.keep(count, from: from, to: to, instruments: instruments)
  }

  /// True for a last block that a writer may still be busy with.
  private func isUnfinished(_ entry: IndexEntry) -> Bool {
    isNewest && !contents.isComplete && entry == contents.entries.last
  }

  private mutating func meet(_ damaged: DamagedBlock) throws(Fault) {
    if let from, let latest = damaged.latest, latest < from { return }
    if let to, let earliest = damaged.earliest, earliest >= to { return }
    if policy == .fail { throw Fault(.badData, damaged.description) }
    skipped.append(damaged)
  }
}
