internal import MarketData

/// Where a back-test stands: its time, its place in the archive, and the newest tick of each instrument.
///
/// A few stores a tick, in memory of its own: kept in an array of a class, every tick would pay for checks of exclusive
/// access that cost more than it.
@safe
final class PastMoment {
  private let clock: UnsafeMutablePointer<Timestamp>
  private let place: UnsafeMutablePointer<Place>
  private let newest: UnsafeMutableBufferPointer<Tick>

  /// The place of a record in an archive, whose order is that of these two.
  struct Place {
    var receiveTime: Timestamp
    var sequence: UInt64

    @inline(__always)
    init(of tick: borrowing Tick) { (receiveTime, sequence) = (tick.receiveTime, tick.sequence) }

    /// True when a record comes later.
    func isBefore(_ tick: borrowing Tick) -> Bool {
      (receiveTime, sequence) < (tick.receiveTime, tick.sequence)
    }
  }

  /// Makes the moment before the first tick of so many instruments.
  init(instruments: Int, now: Timestamp) {
    clock = .allocate(capacity: 1)
    clock.initialize(to: now)
    let none = Tick(
      instrument: .all, sequence: 0, receiveTime: .unknown, exchangeTime: .unknown, lastPrice: .zero,
      dayVolume: 0, lastTradeSeconds: 0, lastQuantity: 0, openInterest: 0)
    place = .allocate(capacity: 1)
    place.initialize(to: Place(of: none))
    newest = .allocate(capacity: instruments)
    newest.initialize(repeating: none)
  }

  deinit {
    clock.deallocate()
    place.deallocate()
    newest.deallocate()
  }

  var now: Timestamp { clock.pointee }
  /// The place of the record that was noted last; before all others while none was.
  var lastNoted: Place { place.pointee }

  /// The time goes on, never back.
  @inline(__always)
  func advance(to time: Timestamp) { if time > clock.pointee { clock.pointee = time } }

  /// A tick becomes its instrument's newest.
  @inline(__always)
  func note(_ tick: Tick) {
    advance(to: tick.receiveTime)
    place.pointee = Place(of: tick)
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
