/// The candidates that look most like `word`, nearest first, equally near ones in alphabetical order; at most
/// `count` of them. Letters' case does not matter.
///
/// A candidate counts as alike when at most half of the longer word must change, so the result may be empty. Made
/// for "did you mean" in messages.
public func nearest(to word: String, among candidates: some Sequence<String>, count: Int) -> [String] {
  let target = Array(word.lowercased().utf8)
  var alike: [(distance: Int, text: String)] = []
  for candidate in candidates {
    let bytes = Array(candidate.lowercased().utf8)
    let distanceMax = max(target.count, bytes.count) / 2
    guard abs(target.count - bytes.count) <= distanceMax else { continue }
    let distance = editDistance(target, bytes)
    if distance <= distanceMax { alike.append((distance, candidate)) }
  }
  return alike.sorted { $0 < $1 }.prefix(max(0, count)).map(\.text)
}

/// Names the three symbols that look most like one that does not exist, for the end of a sentence: `; the nearest are
/// NSE:INFY, …`, or nothing when none is alike.
public func nearestHint(to symbol: String, among symbols: some Sequence<String>) -> String {
  let near = nearest(to: symbol, among: symbols, count: 3)
  return near.isEmpty ? "" : "; the nearest are \(near.joined(separator: ", "))"
}

/// How many bytes must be inserted, removed, replaced or swapped with their neighbour to make one word of the other
/// (the restricted Damerau-Levenshtein distance).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforePrevious = [Int](repeating: 0, count: right.count + 1)
  var previous = Array(0...right.count)
  var current = beforePrevious
  for row in 0..<left.count {
    current[0] = row + 1
    for column in 0..<right.count {
      let replaced = previous[column] + (left[row] == right[column] ? 0 : 1)
      current[column + 1] = min(replaced, previous[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        current[column + 1] = min(current[column + 1], beforePrevious[column - 1] + 1)
      }
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[right.count]
}
