internal import ArgumentParser
internal import MarketData
internal import VenueSimulator

extension SimulateCommand {
  static let openAlgo = "openalgo"

  /// Runs an OpenAlgo server on the synthetic market; its clients use the API key `demo`.
  func runOpenAlgo() async throws {
    guard ticks == nil, ticksMax == nil, faultPlan == nil, !unpaced, !rateLimits else {
      throw Fault(
        .usage,
        "--venue openalgo knows none of --ticks, --ticks-max, --fault-plan, --unpaced and --rate-limits; leave them out"
      )
    }
    let stop = StopSignal(withStandardInput: stopWithStandardInput)
    var configuration = OpenAlgoVenue.Configuration()
    configuration.port = port
    configuration.apiKey = Self.credential
    configuration.speed = speed
    configuration.cutAfterTicks = try cutAfterTicks()
    let simulated = try OpenAlgoVenue(
      configuration: configuration,
      market: SyntheticMarket(
        seed: seed, instrumentCount: instruments, start: Self.marketStart(.wallClock())))
    try tell("listening", port: Int(try await simulated.start()))
    await stop.wait { false }
    await simulated.stop()
    if !json { Console.line("\(Format.count(simulated.ticksSent)) ticks sent") }
  }

  private func cutAfterTicks() throws(Fault) -> Int? {
    guard let text = fault.first else { return nil }
    guard fault.count == 1, text.hasPrefix("cut:"), let count = Int(text.dropFirst(4)), count > 0 else {
      throw Fault(
        .usage, "--venue openalgo knows the fault cut:N alone (drop each connection after N ticks), once")
    }
    return count
  }
}
