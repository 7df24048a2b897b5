internal import MarketData
internal import TimeSeries

/// The anchor of each instrument's longer candles: the sessions of its exchange's segment (candle rule 17).
///
/// Whether a share takes part in the closing auction is not known here. It makes no difference to candles: its last
/// minutes of continuous trading are the last of its last interval either way.
final class SessionAnchors {
  private let schedule: any SessionSchedule
  private let feed: any MarketFeed
  private var byInstrument: [InstrumentID: SessionAnchor] = [:]
  private var bySegment: [MarketSegment: SessionAnchor] = [:]

  init(schedule: any SessionSchedule, feed: any MarketFeed) {
    self.schedule = schedule
    self.feed = feed
  }

  /// The anchor of an instrument; that of equities when its exchange keeps hours that no calendar knows.
  func anchor(_ instrument: InstrumentID) -> SessionAnchor {
    if let known = byInstrument[instrument] { return known }
    guard let symbol = feed.instruments.first(where: { $0.id == instrument })?.symbol else { return .equity }
    let anchor = MarketSegment(exchange: symbol.exchange).map(anchor(of:)) ?? .equity
    byInstrument[instrument] = anchor
    return anchor
  }

  private func anchor(of segment: MarketSegment) -> SessionAnchor {
    if let known = bySegment[segment] { return known }
    let anchor = SessionAnchor(schedule, of: MarketGroup(segment))
    bySegment[segment] = anchor
    return anchor
  }
}
