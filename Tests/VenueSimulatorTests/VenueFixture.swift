import Foundation
import MarketData
import VenueSimulator

/// Monday, 5 August 2024, 10:00:00 in India.
let mondayMorning = CivilTime(year: 2024, month: 8, day: 5, hour: 10).timestamp()

/// Runs `body`, which may block, on a thread of its own: the venue needs the few threads of Swift's pool.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}

/// A venue in good order that starts to trade at once, unless `configure` says otherwise.
func makeVenue(
  _ market: some SimulatedMarket, _ configure: (inout SimulatedVenue.Configuration) -> Void = { _ in }
) throws -> SimulatedVenue {
  var configuration = SimulatedVenue.Configuration()
  configuration.leadMilliseconds = 0
  configuration.drainTimeoutMilliseconds = 5000
  configure(&configuration)
  return try SimulatedVenue(configuration: configuration, market: market)
}

/// Runs `body`, on a thread of its own, against a started venue, and stops the venue afterwards.
func withVenue<Result: Sendable>(
  _ market: some SimulatedMarket, _ configure: (inout SimulatedVenue.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (SimulatedVenue, UInt16) throws -> Result
) async throws -> Result {
  let venue = try makeVenue(market, configure)
  let port = try await venue.start()
  do {
    let result = try await onThread { try body(venue, port) }
    await venue.stop()
    return result
  } catch {
    await venue.stop()
    throw error
  }
}

func syntheticMarket(
  seed: UInt64 = 7, count: Int = 40, updatesPerSecond: Double = 1, start: Timestamp = mondayMorning
) throws -> SyntheticMarket {
  try SyntheticMarket(seed: seed, instrumentCount: count, start: start, updatesPerSecond: updatesPerSecond)
}
