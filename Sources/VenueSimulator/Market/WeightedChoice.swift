/// Draws indices with given weights in constant time: Walker's alias method, in Vose's numerically stable form.
struct WeightedChoice: Sendable {
  private var keepProbability: [Double]
  private var alias: [Int32]

  /// Prepares drawing from `weights`, which are positive and at least one.
  init(weights: [Double]) {
    let count = weights.count
    let total = weights.reduce(0, +)
    var scaled = weights.map { $0 * Double(count) / total }
    keepProbability = Array(repeating: 1, count: count)
    alias = Array(0..<Int32(count))
    var small = scaled.indices.filter { scaled[$0] < 1 }
    var large = scaled.indices.filter { scaled[$0] >= 1 }
    while let less = small.popLast(), let more = large.popLast() {
      keepProbability[less] = scaled[less]
      alias[less] = Int32(more)
      scaled[more] -= 1 - scaled[less]
      if scaled[more] < 1 { small.append(more) } else { large.append(more) }
    }
  }

  /// Draws one index.
  func draw(with generator: inout SeededGenerator) -> Int {
    let column = Int(generator.next() % UInt64(alias.count))
    return generator.unit() < keepProbability[column] ? column : Int(alias[column])
  }
}
