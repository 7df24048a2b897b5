internal import Foundation
internal import MarketData
internal import Venues

/// Asks a simulated venue for its clock, so that stamping and sealing run in the simulated market's time.
struct SimulatedClock {
  let apiURL: String

  private struct Answer: Decodable {
    var feedOriginNanoseconds: Int64
    var wallOriginNanoseconds: Int64
    var speed: Double

    enum CodingKeys: String, CodingKey {
      case speed
      case feedOriginNanoseconds = "feed_origin_ns"
      case wallOriginNanoseconds = "wall_origin_ns"
    }
  }

  private static let timeoutMilliseconds = 5_000

  /// When the simulated market will begin, without starting it.
  func marketStart() throws(Fault) -> Timestamp {
    Timestamp(nanoseconds: try ask("/simulator/clock?peek=1").feedOriginNanoseconds)
  }

  /// Starts the simulated market, unless it runs already, and returns its clock.
  func start() throws(Fault) -> FeedClock {
    let answer = try ask("/simulator/clock")
    return FeedClock(
      feedOrigin: Timestamp(nanoseconds: answer.feedOriginNanoseconds),
      wallOrigin: Timestamp(nanoseconds: answer.wallOriginNanoseconds), speed: answer.speed)
  }

  private func ask(_ resource: String) throws(Fault) -> Answer {
    let url = apiURL + resource
    var request = HTTPRequest(.get, url)
    request.timeoutMilliseconds = Self.timeoutMilliseconds
    let response = try HTTPClient().send(request)
    guard response.status == 200,
      let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
      answer.speed > 0, answer.speed.isFinite
    else {
      throw Fault(
        .protocolViolation,
        "\(url) did not answer with a clock (status \(response.status)); source.clock: simulator is for "
          + "`tickring simulate` only")
    }
    return answer
  }
}
