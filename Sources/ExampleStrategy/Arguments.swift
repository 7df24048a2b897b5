internal import TickRing

/// The example's command line.
struct Arguments {
  let feed: String
  let lane: String
  let symbols: [String]
  let added: [String]
  let isJSON: Bool

  init(_ arguments: [String]) throws(Fault) {
    var words = arguments
    isJSON = words.contains("--json")
    words.removeAll { $0 == "--json" }
    let halves = words.split(separator: "--add", maxSplits: 1, omittingEmptySubsequences: false).map(
      Array.init)
    guard let first = halves.first, first.count >= 3,
      !words.contains(where: { $0.hasPrefix("-") && $0 != "--add" })
    else {
      throw Fault(
        .usage, "usage: tickring-example-strategy FEED LANE SYMBOL... [--add SYMBOL...] [--json]")
    }
    feed = first[0]
    lane = first[1]
    symbols = Array(first[2...])
    added = halves.count > 1 ? halves[1] : []
  }
}
