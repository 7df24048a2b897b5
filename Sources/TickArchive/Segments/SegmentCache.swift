internal import MarketData
internal import Synchronization

/// The blocks of ticks of one segment, in an order that can be searched by bisection.
struct SegmentIndex: Sendable {
  let contents: SegmentContents
  /// The sound blocks of ticks in order, whose sequences increase from block to block.
  let blocks: [IndexEntry]
  /// For each block the latest receive time up to and including it. Receive times can fall back where the machine's
  /// clock was set back between two runs; this never does.
  private let latestSoFar: [Timestamp]
  /// For each block the earliest receive time from it on.
  private let earliestFromHere: [Timestamp]

  /// Sorts out what was found in the file at `path`: blocks that are out of place are damage, those too that do not
  /// follow the last block of the segment before.
  init(_ found: SegmentContents, path: String, after previous: IndexEntry? = nil) {
    var contents = found
    var blocks = found.entries.filter { $0.kind == .ticks }
    let misplaced = BlockOrder.misplaced(blocks, after: previous)
    let known = Set(found.damage.map(\.offset))
    for block in blocks where misplaced.contains(block.offset) && !known.contains(block.offset) {
      contents.damage.append(DamagedBlock(block, file: path, cause: BlockOrder.cause(in: found, path: path)))
    }
    blocks.removeAll { misplaced.contains($0.offset) }
    contents.damage.sort { $0.offset < $1.offset }
    self.contents = contents
    self.blocks = blocks
    var latest: [Timestamp] = []
    for block in blocks { latest.append(max(latest.last ?? block.latest, block.latest)) }
    latestSoFar = latest
    var earliest: [Timestamp] = []
    for block in blocks.reversed() { earliest.append(min(earliest.last ?? block.earliest, block.earliest)) }
    earliestFromHere = earliest.reversed()
  }

  /// The run of blocks outside of which nothing is wanted.
  func range(for selection: TickSelection) -> Range<Int> {
    var lower = 0
    var upper = blocks.count
    if let from = selection.from { lower = Self.first(of: blocks.count) { latestSoFar[$0] >= from } }
    if let sequence = selection.fromSequence {
      lower = max(lower, Self.first(of: blocks.count) { blocks[$0].lastSequence >= sequence })
    }
    if let to = selection.to { upper = Self.first(of: blocks.count) { earliestFromHere[$0] >= to } }
    if let sequence = selection.throughSequence {
      upper = min(upper, Self.first(of: blocks.count) { blocks[$0].firstSequence > sequence })
    }
    return lower..<max(lower, upper)
  }

  /// The first index below `count` for which the condition holds, which holds for all after it; else `count`.
  static func first(of count: Int, where holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// What a reader has learned of segments, so that it need not read their indexes again for each call. A complete
/// segment is known for good as long as it is the same file; one that is being written is looked at anew.
final class SegmentCache: Sendable {
  private struct Known {
    var identity: FileIdentity
    var index: SegmentIndex
  }
  private let known = Mutex<[String: Known]>([:])

  /// - Throws: as ``SegmentContents`` does.
  func index(of file: borrowing InputFile) throws(Fault) -> SegmentIndex {
    let identity = try file.identity()
    let path = file.path
    if let known = known.withLock({ $0[path] }), known.identity == identity { return known.index }
    let index = SegmentIndex(try SegmentContents(file, depth: .index), path: path)
    known.withLock {
      $0[path] = index.contents.isComplete ? Known(identity: identity, index: index) : nil
    }
    return index
  }
}
