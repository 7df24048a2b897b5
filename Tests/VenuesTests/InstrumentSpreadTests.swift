import MarketData
import Testing

@testable import Venues

/// Which connection carries which instrument.
@Suite struct InstrumentSpreadTests {
  private static func subscriptions(_ numbers: some Sequence<Int>) throws -> [Subscription] {
    try numbers.map { number in
      Subscription(
        Instrument(
          id: InstrumentID(rawValue: UInt32(number)), symbol: try Symbol("NSE:S\(number)"),
          venueToken: "\(number)",
          priceTick: .zero, lotSize: 1))
    }
  }

  private static func ids(_ shares: [[Subscription]]) -> [[UInt32]] {
    shares.map { $0.map(\.instrument.id.rawValue) }
  }

  private var spread = InstrumentSpread(InstrumentSpread.Limits(instrumentsPerConnection: 4, connections: 3))

  @Test mutating func thereAreAsFewConnectionsAsCarryAllAndTheyCarryAlike() throws {
    #expect(Self.ids(try spread.place([])) == [[]])
    #expect(Self.ids(try spread.place(try Self.subscriptions(0..<4))) == [[0, 1, 2, 3]])
    var fresh = InstrumentSpread(spread.limits)
    #expect(try fresh.place(try Self.subscriptions(0..<10)).map(\.count) == [4, 3, 3])
    var full = InstrumentSpread(spread.limits)
    #expect(try full.place(try Self.subscriptions(0..<12)).map(\.count) == [4, 4, 4])
  }

  @Test mutating func anInstrumentStaysWhereItIs() throws {
    _ = try spread.place(try Self.subscriptions(0..<4))
    #expect(Self.ids(try spread.place(try Self.subscriptions(0..<6))) == [[0, 1, 2, 3], [4, 5]])
    // Room that became free is used again, and nobody moves.
    #expect(Self.ids(try spread.place(try Self.subscriptions([0, 1, 4, 5, 7]))) == [[0, 1, 7], [4, 5]])
    #expect(Self.ids(try spread.place(try Self.subscriptions([5]))) == [[], [5]])
    #expect(Self.ids(try spread.place(try Self.subscriptions([5, 0]))) == [[0], [5]])
  }

  @Test mutating func randomChangesNeverMoveAnInstrumentNorOverfillAConnection() throws {
    var generator = SeededGenerator(seed: 5)
    var places: [UInt32: Int] = [:]
    for _ in 0..<500 {
      let wanted = (0..<20).shuffled(using: &generator).prefix(Int.random(in: 0...12, using: &generator))
      let shares = Self.ids(try spread.place(try Self.subscriptions(wanted)))
      #expect(shares.flatMap(\.self).sorted() == wanted.sorted().map(UInt32.init))
      #expect(shares.allSatisfy { $0.count <= 4 } && shares.count <= 3)
      var now: [UInt32: Int] = [:]
      for (place, share) in shares.enumerated() {
        for id in share {
          now[id] = place
          #expect(places[id] == nil || places[id] == place)
        }
      }
      places = now
    }
  }

  @Test mutating func whatIsTooMuchIsNamedAndNothingChanges() throws {
    _ = try spread.place(try Self.subscriptions([3]))
    let fault = #expect(throws: Fault.self) {
      var spread = spread
      _ = try spread.place(try Self.subscriptions(0..<14))
    }
    #expect(
      fault
        == Fault(
          .configuration, "NSE:S12, NSE:S13 cannot be had: 3 connections carry 4 instruments each"))
    let many = #expect(throws: Fault.self) {
      var spread = spread
      _ = try spread.place(try Self.subscriptions(0..<100))
    }
    #expect(many?.message.contains("NSE:S16 and 83 more cannot be had") == true, "\(many?.message ?? "")")
    #expect(Self.ids(try spread.place(try Self.subscriptions([3]))) == [[3]])
  }
}
