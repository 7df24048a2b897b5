public import MarketData

/// The archives of one or several feeds as one stream in the order of (receive time, sequence), in constant memory: a
/// few unpacked blocks for each feed.
///
/// One archive comes out as it is. Of several, which were recorded under numbers of their own, an instrument that has
/// the same symbol everywhere gets one number, and the records are numbered anew from 1, so that the merged stream is
/// a feed like any other; of records of the same instant those of the archive named first come first.
public struct TickMerge: ~Copyable {
  /// The instruments of the merged stream, in the order of their numbers.
  public let instruments: [Instrument]
  private let inputs: [MergeInput]
  private var output: [Tick] = []
  private var sequence: UInt64 = 0
  private let isSingle: Bool
  private var isStarted = false

  /// Records that are merged before they are handed out.
  private static let outputMax = 4096

  /// Starts at the beginning of a selection, whose instruments are named by symbol, since their numbers differ from
  /// archive to archive; records of the whole feed, its gaps, always belong to it.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when an archive cannot be read.
  public init(
    _ archives: [ArchiveReader], _ selection: TickSelection = .init(), symbols: Set<Symbol>? = nil,
    cores: Int = 1
  ) throws(Fault) {
    let numbering = MergeNumbering(archives.map(\.instruments))
    instruments = numbering.instruments
    isSingle = archives.count == 1
    var inputs: [MergeInput] = []
    for (archive, numbers) in zip(archives, numbering.numbers) {
      var selection = selection
      if let symbols {
        selection.instruments = Set(archive.instruments.filter { symbols.contains($0.symbol) }.map(\.id))
        selection.instruments?.insert(.all)
      }
      inputs.append(MergeInput(try archive.scan(selection, cores: cores), numbers: numbers))
    }
    self.inputs = inputs
    output.reserveCapacity(Self.outputMax)
  }

  /// Unreadable blocks that were left out so far.
  public var skipped: [DamagedBlock] { inputs.flatMap(\.skipped) }

  /// Hands out the next run of records; false at the end.
  ///
  /// - Throws: ``Fault`` as ``ArchiveScan/advance()``, and what `body` throws.
  public mutating func next(_ body: (Span<Tick>) throws(Fault) -> Void) throws(Fault) -> Bool {
    if isSingle {
      guard try inputs[0].advanceBlock() else { return false }
      // By way of a local: the optimiser of Swift 6.3 fails on a span that is taken from the property in one expression.
      let run = inputs[0].rest
      try body(run.span)
      return true
    }
    try merge()
    guard !output.isEmpty else { return false }
    try body(output.span)
    return true
  }

  /// Fills the output from the heads of all inputs.
  private mutating func merge() throws(Fault) {
    output.removeAll(keepingCapacity: true)
    if !isStarted {
      for input in inputs { _ = try input.advanceBlock() }
      isStarted = true
    }
    while output.count < Self.outputMax, let lowest = lowestInput() {
      let input = inputs[lowest]
      // Everything before the next input's head goes out in one run.
      var bound: Tick?
      for (index, other) in inputs.enumerated() where index != lowest {
        guard let head = other.head else { continue }
        if bound.map({ Self.isBefore(head, $0) }) ?? true { bound = head }
      }
      repeat {
        guard var tick = input.head else { break }
        if let bound, Self.isBefore(bound, tick) { break }
        sequence += 1
        tick.sequence = sequence
        tick.instrument = input.number(of: tick.instrument)
        output.append(tick)
        try input.dropHead()
      } while output.count < Self.outputMax
    }
  }

  private func lowestInput() -> Int? {
    var lowest: (index: Int, head: Tick)?
    for (index, input) in inputs.enumerated() {
      guard let head = input.head else { continue }
      if let found = lowest, !Self.isBefore(head, found.head) { continue }
      lowest = (index, head)
    }
    return lowest?.index
  }

  private static func isBefore(_ left: Tick, _ right: Tick) -> Bool {
    (left.receiveTime, left.sequence) < (right.receiveTime, right.sequence)
  }
}

/// One archive on its way into the merge.
private final class MergeInput {
  private var scan: ArchiveScan
  private let numbers: [InstrumentID: InstrumentID]
  private(set) var rest = UnsafeBufferPointer<Tick>(start: nil, count: 0)

  init(_ scan: consuming ArchiveScan, numbers: [InstrumentID: InstrumentID]) {
    self.scan = scan
    self.numbers = numbers
  }

  var skipped: [DamagedBlock] { scan.skipped }
  var head: Tick? { rest.first }

  func number(of instrument: InstrumentID) -> InstrumentID { numbers[instrument] ?? instrument }

  func advanceBlock() throws(Fault) -> Bool {
    let found = try scan.advance()
    rest = found ? scan.ticks : UnsafeBufferPointer(start: nil, count: 0)
    return found
  }

  func dropHead() throws(Fault) {
    rest = UnsafeBufferPointer(rebasing: rest.dropFirst())
    if rest.isEmpty { _ = try advanceBlock() }
  }
}

/// One number for each symbol of several archives: that of the first archive which knows it, unless another
/// instrument has that number.
struct MergeNumbering {
  private(set) var instruments: [Instrument] = []
  /// For each archive what differs from its own numbers.
  private(set) var numbers: [[InstrumentID: InstrumentID]] = []

  init(_ archives: [[Instrument]]) {
    var bySymbol: [Symbol: InstrumentID] = [:]
    var taken: Set<InstrumentID> = []
    // Numbers of later archives must not collide with those of earlier ones that come further on in their lists.
    var free = (archives.joined().map(\.id.rawValue).max() ?? 0) &+ 1
    for archive in archives {
      var changed: [InstrumentID: InstrumentID] = [:]
      for var instrument in archive {
        let own = instrument.id
        if let known = bySymbol[instrument.symbol] {
          changed[own] = known == own ? nil : known
          continue
        }
        if taken.contains(own) {
          instrument.id = InstrumentID(rawValue: free)
          free &+= 1
          changed[own] = instrument.id
        }
        bySymbol[instrument.symbol] = instrument.id
        taken.insert(instrument.id)
        instruments.append(instrument)
      }
      numbers.append(changed)
    }
    instruments.sort { $0.id < $1.id }
  }
}
