/// Which sound blocks of a segment are out of their place, such as one that lies there twice: sequences increase from
/// block to block.
enum BlockOrder {
  /// What is wrong with such a block; also the name under which its segment was begun, where it has another one now.
  static func cause(in contents: SegmentContents, path: String) -> String {
    let cause = "its sequences do not follow those of the block before"
    guard let began = contents.header?.name.fileName, let name = path.split(separator: "/").last,
      name != began
    else { return cause }
    return cause + ", and its segment was begun as \(began)"
  }

  /// The offsets of the blocks of ticks that are out of place, as few as possible: one that belongs further back costs
  /// itself, not all that it ran ahead of. `previous` is the last block of the segment before.
  static func misplaced(_ entries: [IndexEntry], after previous: IndexEntry?) -> Set<Int> {
    let blocks = entries.filter { $0.kind == .ticks }
    let areInOrder = blocks.indices.allSatisfy { follows(blocks[$0], $0 == 0 ? previous : blocks[$0 - 1]) }
    if areInOrder { return [] }
    // For each length the block that ends a chain of so many blocks in order, the one with the least last sequence.
    var ends: [Int] = []
    var predecessors: [Int?] = Array(repeating: nil, count: blocks.count)
    for (index, block) in blocks.enumerated() where follows(block, previous) {
      let length = SegmentIndex.first(of: ends.count) { !follows(block, blocks[ends[$0]]) }
      predecessors[index] = length == 0 ? nil : ends[length - 1]
      if length == ends.count {
        ends.append(index)
      } else if block.lastSequence < blocks[ends[length]].lastSequence {
        ends[length] = index
      }
    }
    var misplaced = Set(blocks.map(\.offset))
    var index = ends.last
    while let place = index {
      misplaced.remove(blocks[place].offset)
      index = predecessors[place]
    }
    return misplaced
  }

  private static func follows(_ block: IndexEntry, _ previous: IndexEntry?) -> Bool {
    previous.map { block.firstSequence > $0.lastSequence } ?? true
  }
}
