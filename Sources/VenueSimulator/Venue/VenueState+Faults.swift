import MarketData
import Synchronization

// What the faults do to the ticker.
extension VenueState {
  /// Begins the faults whose time has come.
  mutating func beginFaults(now: Timestamp) {
    let begun = faults.schedule.withLock { schedule in
      let begun = schedule.advance(to: now)
      effects = schedule.effects
      return begun
    }
    for fault in begun {
      switch fault.kind {
      case .cut: end(Array(connections.values), with: .over)
      // Connections are numbered in the order of their coming.
      case .cutOne: end(connections.max { $0.key < $1.key }.map { [$0.value] } ?? [], with: .over)
      case .tokenExpiry:
        accounts.expire()
        end(Array(connections.values), with: .over)
      case .cutMidFrame: end(Array(connections.values), with: .cutMidFrame)
      case .halfOpen:
        for connection in connections.values {
          connection.isDeaf = true
          connection.outbox.removeAll()
        }
      default: break
      }
    }
  }

  private func end(_ connections: [Connection], with phase: Connection.Phase) {
    for connection in connections {
      connection.phase = phase
      connection.outbox.removeAll()
      connection.signal.raise()
    }
  }

  /// True for an instrument whose subscription the present fault keeps without a tick.
  func staysMute(_ index: Int) -> Bool {
    guard effects.mutePercent > 0 else { return false }
    let token = UInt64(market.instruments[index].token)
    return SeededGenerator.hash(configuration.faultSeed, token) % 100 < UInt64(effects.mutePercent)
  }

  /// Random bytes that claim one packet, longer than the frame: no decoder can find a tick in them.
  mutating func garbageFrame() -> [UInt8] {
    let length = 4 + Int(garbage.next() % 200)
    return [0, 1, 0xFF, 0xFF] + (4..<max(length, 5)).map { _ in UInt8(truncatingIfNeeded: garbage.next()) }
  }

  /// The head of a binary websocket frame of 400 bytes, and the first of them.
  static let brokenFrame: [UInt8] = [0x82, 126, 1, 0x90, 0, 2, 0, 184]
}

extension Quote {
  /// The quote by a clock that is ahead by so many seconds.
  func skewed(bySeconds seconds: Int) -> Quote {
    guard seconds != 0 else { return self }
    var quote = self
    quote.exchangeSeconds = UInt32(clamping: Int(exchangeSeconds) + seconds)
    quote.lastTradeSeconds = UInt32(clamping: Int(lastTradeSeconds) + seconds)
    return quote
  }
}
