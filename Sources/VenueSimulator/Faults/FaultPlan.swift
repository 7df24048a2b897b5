internal import Foundation
public import MarketData

/// Which faults a simulated venue will have, and when: read from a file, or drawn from a seed.
public struct FaultPlan: Sendable, Hashable {
  /// The faults, in any order.
  public var faults: [VenueFault]

  /// Longest plan, in bytes and in faults.
  static let bytesMax = 1 << 20
  static let countMax = 10_000

  /// Makes a plan of these faults.
  public init(_ faults: [VenueFault] = []) { self.faults = faults }

  /// Reads a plan: one fault a line, `#` begins a comment.
  ///
  /// - Throws: ``Fault`` of kind `badData` that names the line.
  public init(text: String, name: String) throws(Fault) {
    faults = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
      if content.isEmpty { continue }
      do throws(Fault) {
        faults.append(try VenueFault(content))
      } catch {
        throw Fault(.badData, "\(name) line \(index + 1): \(error.message)")
      }
      guard faults.count <= Self.countMax else {
        throw Fault(.badData, "\(name) has more than \(Self.countMax) faults")
      }
    }
  }

  /// Reads what `--fault-plan` takes: a file's name, or `seed:N[,count=C][,every=SECONDS][,kinds=A|B]`.
  ///
  /// - Throws: ``Fault`` of kind `missingInput`, `badData` or `usage`.
  public init(argument: String) throws(Fault) {
    guard argument.hasPrefix("seed:") else {
      guard let data = FileManager.default.contents(atPath: argument), data.count <= Self.bytesMax,
        let text = String(data: data, encoding: .utf8)
      else {
        throw Fault(
          .missingInput,
          "the fault plan '\(argument)' is neither seed:N nor a readable text file of at most \(Self.bytesMax) bytes"
        )
      }
      try self.init(text: text, name: argument)
      return
    }
    var options = FaultLottery()
    for (index, part) in argument.dropFirst("seed:".count).split(separator: ",").enumerated() {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      switch (index, pair.count, pair[0]) {
      case (0, 1, let number) where UInt64(number) != nil: options.seed = UInt64(number) ?? 0
      case (1..., 2, "count"):
        guard let count = Int(pair[1]), (1...Self.countMax).contains(count) else {
          throw Self.usage(argument)
        }
        options.count = count
      case (1..., 2, "every"):
        guard let seconds = Double(pair[1]), (0.01...3600).contains(seconds) else {
          throw Self.usage(argument)
        }
        options.meanSeconds = seconds
      case (1..., 2, "kinds"):
        options.kinds = []
        for word in pair[1].split(separator: "|") { options.kinds.append(try VenueFault(word)) }
      default: throw Self.usage(argument)
      }
    }
    self.init(options.draw())
  }

  private static func usage(_ argument: String) -> Fault {
    Fault(
      .usage,
      "the fault plan '\(argument)' is not of the form seed:N[,count=1...\(countMax)][,every=0.01...3600]"
        + "[,kinds=cut|silence+2|...]")
  }
}

/// Draws faults at random instants; the same for the same seed on every machine.
struct FaultLottery {
  var seed: UInt64 = 1
  var count = 20
  /// Mean of the time from one fault's end to the next one's start, in seconds of the machine.
  var meanSeconds = 5.0
  /// What is drawn from, with durations; starts are drawn.
  var kinds: [VenueFault] = [
    VenueFault(.cut), VenueFault(.cutMidFrame), VenueFault(.silence, for: 1), VenueFault(.garbage, for: 0.5),
    VenueFault(.duplicates, for: 0.5), VenueFault(.reordering, for: 0.5), VenueFault(.status(503), for: 0.5),
    VenueFault(.status(429), for: 0.5), VenueFault(.staleSnapshot(seconds: 3600), for: 0.5),
    VenueFault(.slowBody(milliseconds: 200), for: 0.5), VenueFault(.wrongContentType, for: 0.5),
  ]

  func draw() -> [VenueFault] {
    guard !kinds.isEmpty else { return [] }
    var generator = SeededGenerator(seed: seed)
    var time = 0.0
    return (0..<count).map { _ in
      var fault = kinds[Int(generator.next() % UInt64(kinds.count))]
      // Between half and one and a half of the mean, so that no two meet.
      time += meanSeconds * (0.5 + generator.unit())
      // Milliseconds read well, and no clock here is finer.
      fault.startSeconds = (time * 1000).rounded() / 1000
      time += fault.durationSeconds ?? 0
      return fault
    }
  }
}
