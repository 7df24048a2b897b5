internal import CLinux
internal import Foundation
internal import MarketData
internal import Synchronization

/// What the machine itself needs from a `send` on the loopback interface to another thread that has the bytes and says
/// so in shared memory: no websocket, no decoding, no ring.
final class LoopbackWake: Sendable {
  private let answered = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)

  /// Nanoseconds from just before each `send` to its answer.
  ///
  /// - Parameters:
  ///   - isSpinning: the other thread asks the socket again and again; else it sleeps in the kernel.
  ///   - pauseMicroseconds: rest before each send, in which the other thread falls asleep if it may.
  static func measure(
    bytes: Int, count: Int, isSpinning: Bool, processor: Int32, pauseMicroseconds: UInt32
  ) throws -> [Int64] {
    let listener = try LoopbackSocket.listening()
    let sender = try LoopbackSocket.connected(to: listener.port)
    let receiver = try listener.accepted()
    let wake = LoopbackWake()
    let descriptor = receiver.descriptor
    Thread.detachNewThread {
      _ = tickring_pin_to_cpu(processor)
      wake.answer(descriptor, isSpinning: isSpinning)
    }
    let message = [UInt8](repeating: 1, count: bytes)
    var latencies: [Int64] = []
    for position in 1...count {
      rest(microseconds: pauseMicroseconds)
      let start = Timestamp.monotonicNanoseconds()
      try message.withUnsafeBytes { try sender.send($0) }
      while wake.answered.load(ordering: .acquiring) < position * bytes {}
      latencies.append(Timestamp.monotonicNanoseconds() - start)
    }
    // The other thread uses the socket until it has seen this.
    wake.isOver.store(true, ordering: .releasing)
    try message.withUnsafeBytes { try sender.send($0) }
    while !wake.hasEnded.load(ordering: .acquiring) {}
    return latencies
  }

  /// Sleeps, and then is awake for long enough to be at full speed.
  static func rest(microseconds: UInt32) {
    usleep(microseconds)
    let end = Timestamp.monotonicNanoseconds() + awakeNanoseconds
    while Timestamp.monotonicNanoseconds() < end {}
  }

  private static let awakeNanoseconds: Int64 = 20_000

  private func answer(_ descriptor: Int32, isSpinning: Bool) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    defer { room.deallocate() }
    var total = 0
    while !isOver.load(ordering: .relaxed) {
      let flags = isSpinning ? Int32(MSG_DONTWAIT) : 0
      let count = recv(descriptor, room.baseAddress, room.count, flags)
      if count > 0 {
        total += count
        answered.store(total, ordering: .releasing)
      }
    }
    hasEnded.store(true, ordering: .releasing)
  }
}
