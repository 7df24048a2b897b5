import MarketData
import Testing
import Venues

/// Frames of each venue decoded without its source; those of Kite and Angel One are decoded from end to end by the
/// tests of the archive's tools.
@Suite struct FrameDecoderTests {
  @Test(arguments: [
    (
      FrameDecoder.Venue.openalgo,
      #"{"type":"market_data","symbol":"INFY","exchange":"NSE","data":{"ltp":1402.5}}"#, true
    ),
    (.gateway, #"{"type":"tick","symbol":"NSE:INFY","price":1402.5}"#, true),
    (.gateway, #"{"type":"alive"}"#, false),
    (.kite, #"{"type":"order"}"#, false), (.angelone, "pong", false),
  ])
  func textsAreReadAsThoseOfTheirVenue(venue: FrameDecoder.Venue, text: String, isTick: Bool) throws {
    let instrument = Instrument(
      id: InstrumentID(rawValue: 7), symbol: try Symbol("NSE:INFY"), venueToken: "1/1594",
      priceTick: Price(units: 1), lotSize: 1)
    var decoder = FrameDecoder(venue, instruments: [instrument])
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    decoder.decode(
      Array(text.utf8), isText: true, receiveTime: Timestamp(seconds: 5), into: &ticks,
      statistics: &statistics
    )
    #expect(statistics.badFrames == 0, "\(statistics.lastBadFrame)")
    #expect(ticks.map(\.instrument.rawValue) == (isTick ? [7] : []))
    #expect(ticks.allSatisfy { $0.lastPrice.description == "1402.5" && $0.receiveTime.seconds == 5 })
  }
}
