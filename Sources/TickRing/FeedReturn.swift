internal import MarketData
internal import SharedRing

/// Waits for a feed handler that died to come back: looks for the feed under its name, now and then.
struct FeedReturn {
  enum Outcome {
    case waiting
    /// Another feed handler runs, mapped anew with its clock and its paths.
    case returned(FeedView)
    case halted(reason: String)
    case givenUp
  }

  private let lost: FeedView
  private let deadline: Int64
  private var nextLook: Int64 = 0

  private static let lookEveryNanoseconds: Int64 = 10_000_000

  /// - Parameter lost: The feed as the handler that died left it.
  init(of lost: FeedView, secondsMax: Int) {
    self.lost = lost
    deadline = Timestamp.monotonicNanoseconds() + Int64(secondsMax) * 1_000_000_000
  }

  mutating func look() -> Outcome {
    let now = Timestamp.monotonicNanoseconds()
    guard now >= nextLook else { return .waiting }
    nextLook = now + Self.lookEveryNanoseconds
    // Whatever cannot be mapped now is being made, or not there yet.
    if let view = try? FeedView(feed: lost.feed), isAnother(view) {
      switch view.state {
      case .running where view.isProducerAlive: return .returned(view)
      // It waits in its HALT, which is told like any other.
      case .halted where view.isProducerAlive && view.value(.clockVersion) > 0: return .returned(view)
      case .halted: return .halted(reason: view.haltReason ?? "no reason given")
      default: break
      }
    }
    return now < deadline ? .waiting : .givenUp
  }

  /// False while what lies there is what the dead feed handler left, its state included. The next one holds the segment
  /// for a moment before it makes it its own.
  private func isAnother(_ view: FeedView) -> Bool { lost.isSuperseded || !lost.isSameSegment(as: view) }
}
