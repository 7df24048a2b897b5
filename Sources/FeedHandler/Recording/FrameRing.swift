internal import Glibc
package import MarketData
internal import Synchronization

/// Carries a venue's frames from the receive thread to the recorder: one producer, one consumer, no lock, no
/// allocation. A frame that does not fit is dropped and counted; the receive thread never waits for a luxury.
package final class FrameRing: FrameSink, @unchecked Sendable {
  // @unchecked: each cursor is written by one thread only, and bytes belong to whoever the cursors say.

  private let bytes: UnsafeMutableRawBufferPointer
  private let frameBytesMax: Int
  /// Bytes ever written, and bytes ever read.
  private let written = Atomic<Int>(0)
  private let read = Atomic<Int>(0)
  private let droppedFrames = Atomic<UInt64>(0)

  /// Length, kind and receive time.
  private static let headerBytes = 16
  private static let textKind: UInt32 = 1
  private static let binaryKind: UInt32 = 2
  /// Stands where the rest up to the end is too short for the next frame.
  private static let wrapKind: UInt32 = 3

  /// Makes a ring.
  ///
  /// - Parameters:
  ///   - capacity: Bytes, a multiple of 16; a frame takes 16 more than its own length, rounded up to that.
  ///   - frameBytesMax: Longer frames are dropped.
  package init(capacity: Int, frameBytesMax: Int) {
    precondition(capacity > 0 && capacity % Self.headerBytes == 0, "the capacity is a multiple of 16 bytes")
    bytes = .allocate(byteCount: capacity, alignment: Self.headerBytes)
    self.frameBytesMax = frameBytesMax
  }

  deinit { bytes.deallocate() }

  /// Frames for which there was no room.
  package var dropped: UInt64 { droppedFrames.load(ordering: .relaxed) }

  /// The receive thread's side.
  package func take(_ frame: RawSpan, isText: Bool, receiveTime: Timestamp) {
    let start = written.load(ordering: .relaxed)
    let length = Self.headerBytes + (frame.byteCount + Self.headerBytes - 1) & ~(Self.headerBytes - 1)
    var offset = start % bytes.count
    // A frame lies in one piece, so what is left at the end may have to be passed over.
    let skipped = bytes.count - offset < length ? bytes.count - offset : 0
    guard frame.byteCount <= frameBytesMax,
      start + skipped + length - read.load(ordering: .acquiring) <= bytes.count
    else {
      droppedFrames.add(1, ordering: .relaxed)
      return
    }
    if skipped > 0 {
      bytes.storeBytes(of: Self.wrapKind, toByteOffset: offset + 4, as: UInt32.self)
      offset = 0
    }
    bytes.storeBytes(of: UInt32(frame.byteCount), toByteOffset: offset, as: UInt32.self)
    bytes.storeBytes(of: isText ? Self.textKind : Self.binaryKind, toByteOffset: offset + 4, as: UInt32.self)
    bytes.storeBytes(of: receiveTime.nanoseconds, toByteOffset: offset + 8, as: Int64.self)
    frame.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: bytes[(offset + Self.headerBytes)...]).copyMemory(from: source)
    }
    written.store(start + skipped + length, ordering: .releasing)
  }

  /// The recorder's side: hands out the frames that are there now, oldest first, and frees them one by one.
  ///
  /// - Throws: what `body` throws; the frame that it was given counts as taken.
  package func drain(
    _ body: (_ frame: RawSpan, _ isText: Bool, _ receiveTime: Timestamp) throws(Fault) -> Void
  ) throws(Fault) {
    let end = written.load(ordering: .acquiring)
    var position = read.load(ordering: .relaxed)
    while position < end {
      let offset = position % bytes.count
      let kind = bytes.load(fromByteOffset: offset + 4, as: UInt32.self)
      if kind == Self.wrapKind {
        position += bytes.count - offset
        continue
      }
      let byteCount = Int(bytes.load(fromByteOffset: offset, as: UInt32.self))
      let receiveTime = Timestamp(nanoseconds: bytes.load(fromByteOffset: offset + 8, as: Int64.self))
      let first = offset + Self.headerBytes
      let frame = UnsafeRawBufferPointer(rebasing: bytes[first..<first + byteCount])
      position += Self.headerBytes + (byteCount + Self.headerBytes - 1) & ~(Self.headerBytes - 1)
      defer { read.store(position, ordering: .releasing) }
      try body(frame.bytes, kind == Self.textKind, receiveTime)
    }
    read.store(position, ordering: .releasing)
  }
}
