internal import MarketData

/// Where a back-test stands: its time, and the newest tick of each instrument.
///
/// Two stores a tick, in memory of its own: kept in an array of a class, every tick would pay for checks of exclusive
/// access that cost more than it.
@safe
final class PastMoment {
  private let clock: UnsafeMutablePointer<Timestamp>
  private let newest: UnsafeMutableBufferPointer<Tick>

  /// Makes the moment before the first tick of so many instruments.
  init(instruments: Int, now: Timestamp) {
    clock = .allocate(capacity: 1)
    clock.initialize(to: now)
    newest = .allocate(capacity: instruments)
    newest.initialize(
      repeating: Tick(
        instrument: .all, sequence: 0, receiveTime: .unknown, exchangeTime: .unknown, lastPrice: .zero,
        dayVolume: 0, lastTradeSeconds: 0, lastQuantity: 0, openInterest: 0))
  }

  deinit {
    clock.deallocate()
    newest.deallocate()
  }

  var now: Timestamp { clock.pointee }

  /// The time goes on, never back.
  @inline(__always)
  func advance(to time: Timestamp) { if time > clock.pointee { clock.pointee = time } }

  /// A tick becomes its instrument's newest.
  @inline(__always)
  func note(_ tick: Tick) {
    advance(to: tick.receiveTime)
    if tick.kind == .trade, tick.instrument.index < newest.count { newest[tick.instrument.index] = tick }
  }

  /// The newest tick of an instrument; nil before its first.
  func latest(_ instrument: InstrumentID) -> Tick? {
    guard instrument.index < newest.count, newest[instrument.index].instrument == instrument else {
      return nil
    }
    return newest[instrument.index]
  }
}
