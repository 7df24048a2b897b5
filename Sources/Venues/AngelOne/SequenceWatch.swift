import MarketData

/// Finds out from the venue's running numbers whether something was sent that never arrived. Pure.
///
/// Whether the numbers of one instrument follow each other without holes is documented nowhere, and a feed that
/// numbers all its instruments together would look full of holes here. So an instrument's numbers are believed only
/// after several in a row without one, and a hole costs more belief than a step restores.
struct SequenceWatch: Sendable {
  /// Steps without a hole after which a hole counts.
  static let trustNeeded: UInt8 = 4
  private static let trustMax: UInt8 = 8
  /// A number so much smaller than the last is a new count; a little smaller is a frame that came late.
  static let lateMax: Int64 = 1000

  private struct Track {
    var last: Int64 = 0
    var trust: UInt8 = 0
  }

  /// By instrument number; those are dense.
  private var tracks: [Track] = []

  /// Forgets all numbers: an outage has its own record, and is no hole.
  mutating func reset() { tracks.removeAll(keepingCapacity: true) }

  /// Forgets the numbers of one instrument.
  mutating func reset(_ instrument: InstrumentID) {
    guard tracks.indices.contains(instrument.index) else { return }
    tracks[instrument.index] = Track()
  }

  /// Takes the number of the instrument's next frame and returns how many before it are missing. Numbers below 1
  /// stand for none, which indices have.
  @inline(__always)
  mutating func missing(before number: Int64, of instrument: InstrumentID) -> UInt64 {
    guard number > 0 else { return 0 }
    if instrument.index >= tracks.count { grow(to: instrument.index) }
    return Self.note(number, in: &tracks[instrument.index])
  }

  @inline(__always)
  private static func note(_ number: Int64, in track: inout Track) -> UInt64 {
    let step = number &- track.last
    guard step != 1 else {
      track.last = number
      if track.trust < trustMax { track.trust += 1 }
      return 0
    }
    guard step > 1 else {
      // The same number again, or a late frame, changes nothing.
      if step < -lateMax { track = Track(last: number) }
      return 0
    }
    let isHole = track.trust >= trustNeeded
    track.last = number
    track.trust = isHole ? track.trust - trustNeeded : 0
    return isHole ? UInt64(step - 1) : 0
  }

  private mutating func grow(to index: Int) {
    tracks.append(contentsOf: repeatElement(Track(), count: index + 1 - tracks.count))
  }
}
