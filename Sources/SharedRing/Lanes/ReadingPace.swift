/// How fast records come to a consumer, by what its looks find, and when it had better step back.
///
/// A consumer that keeps up with a producer in full flow takes each line away while it is being filled, and the next
/// ones too, at which the processor looks ahead; both then go at the pace of the lines' journeys to and fro. Stepping
/// back for about a microsecond lets the producer fill a run of lines, which then come in one stream, several times as
/// fast. One that waits for single records must never do so: it looks far more often than it finds one.
@usableFromInline
struct ReadingPace {
  /// Records found a look, smoothed over some 4096 looks (ten microseconds of a consumer that only waits, so that no
  /// burst counts as flow): each record adds 256 and each look takes a 4096th off, so that a record a look comes to
  /// 2 to the 20th.
  @usableFromInline private(set) var flow: UInt32 = 0
  /// Where the last look ended that found less than it had asked for.
  @usableFromInline private(set) var shortLookEnd: UInt64

  @inlinable
  init(at position: UInt64) { shortLookEnd = position }

  /// A record in four looks.
  @usableFromInline static var fullFlow: UInt32 { 1 << 18 }
  /// What a step back takes from a full flow, which a run of 32 records gives back: it steps back again only if they
  /// still come.
  @usableFromInline static var stepBackCost: UInt32 { 32 << 8 }
  /// Records of one run that count as flow.
  @usableFromInline static var runMax: UInt64 { 64 }
  /// From so many records without a short look on the consumer may be following closely without ever catching up.
  @usableFromInline static var sustainedMin: UInt64 { 4096 }

  /// Notes that a look ended at `position` with less than it had asked for; true when the flow is full.
  @inlinable
  mutating func noteShortLook(at position: UInt64) -> Bool {
    let run = min(position &- shortLookEnd, Self.runMax)
    shortLookEnd = position
    flow &+= UInt32(truncatingIfNeeded: run) &<< 8 &- flow &>> 12
    return flow >= Self.fullFlow
  }

  /// True when every look of the last ``sustainedMin`` records and more found what it asked for.
  @inlinable
  func isSustained(at position: UInt64) -> Bool { position &- shortLookEnd >= Self.sustainedMin }

  /// Notes that the consumer steps back.
  @inlinable
  mutating func noteStepBack() { flow = min(flow, Self.fullFlow &- Self.stepBackCost) }
}
