internal import MarketData

/// A segment that several threads read blocks of.
final class SegmentFile: Sendable {
  let input: InputFile

  init(_ path: String) throws(Fault) { input = try InputFile(path) }
}

/// One block that may hold wanted records.
struct BlockTask: Sendable {
  let file: SegmentFile
  let entry: IndexEntry
  /// True for a last block that a writer may still be busy with.
  let mayBeUnfinished: Bool
}

/// Which blocks a scan reads, in order, found segment by segment as the scan goes on.
struct BlockPlan: Sendable {
  enum Step: Sendable {
    case block(BlockTask)
    case damage(DamagedBlock)
  }

  private let paths: [String]
  private let cache: SegmentCache
  private let filter: TickFilter
  private var nextPath = 0
  /// The last block of ticks of the segment before, which bounds damage at the start of the next.
  private var previous: IndexEntry?
  private var file: SegmentFile?
  private var index: SegmentIndex?
  private var blocks = 0..<0
  private var damageAhead: [DamagedBlock] = []

  init(paths: [String], cache: SegmentCache, filter: TickFilter) {
    self.paths = paths
    self.cache = cache
    self.filter = filter
  }

  /// The next step; nil at the end.
  ///
  /// - Throws: ``Fault`` when a segment cannot be read.
  mutating func next() throws(Fault) -> Step? {
    while true {
      if let file, let index {
        while !blocks.isEmpty {
          let entry = index.blocks[blocks.lowerBound]
          if let damaged = takeDamage(before: entry.offset) { return .damage(damaged) }
          blocks.removeFirst()
          guard filter.admits(entry) else { continue }
          let isLast = nextPath == paths.count && entry == index.contents.entries.last
          return .block(
            BlockTask(file: file, entry: entry, mayBeUnfinished: isLast && !index.contents.isComplete))
        }
        if let damaged = takeDamage(before: .max) { return .damage(damaged) }
      }
      guard nextPath < paths.count else { return nil }
      try openNext()
    }
  }

  private mutating func openNext() throws(Fault) {
    let path = paths[nextPath]
    let opened = try SegmentFile(path)
    nextPath += 1
    var found = try cache.index(of: opened.input)
    // Segments that have swapped their names come in the wrong order, each of them sound.
    if let previous, let first = found.blocks.first, first.firstSequence <= previous.lastSequence {
      found = SegmentIndex(found.contents, path: path, after: previous)
    }
    var contents = found.contents
    contents.boundDamage(after: previous)
    damageAhead = contents.damage.filter(filter.admits)
    blocks = found.range(for: filter.selection)
    previous = found.blocks.last ?? previous
    file = opened
    index = found
  }

  private mutating func takeDamage(before offset: Int) -> DamagedBlock? {
    guard let damaged = damageAhead.first, damaged.offset < offset else { return nil }
    return damageAhead.removeFirst()
  }
}
