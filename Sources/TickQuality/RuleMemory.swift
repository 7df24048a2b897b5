/// What all rules together remember: one block of plain bytes for each instrument, so that judging a tick meets few
/// cache lines, whatever rules were chosen. The only unsafe memory of this module.
@safe
struct RuleMemory: ~Copyable, @unchecked Sendable {
  // @unchecked: owned by one inspector, whose calls come from one thread at a time.

  private let base: UnsafeMutableRawPointer
  private let stride: Int
  let instruments: Int

  private static let alignment = 64

  /// Lends a place of one rule in the block of every instrument.
  struct Places<Memory: BitwiseCopyable> {
    fileprivate let first: UnsafeMutableRawPointer
    fileprivate let stride: Int

    /// Calls `body` with what is remembered of an instrument, whose number lies below the memory's.
    @inline(__always)
    func with<Result>(_ instrument: Int, _ body: (inout Memory) -> Result) -> Result {
      body(&(first + instrument &* stride).assumingMemoryBound(to: Memory.self).pointee)
    }
  }

  /// Takes memory for blocks of so many bytes.
  init(bytesPerInstrument: Int, instruments: Int) {
    stride = (max(bytesPerInstrument, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    self.instruments = instruments
    base = .allocate(byteCount: stride * instruments, alignment: Self.alignment)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: stride * instruments)
  }

  deinit { base.deallocate() }

  /// The places of `Memory` at an offset in each block, which was laid out for it.
  func places<Memory: BitwiseCopyable>(of _: Memory.Type, at offset: Int) -> Places<Memory> {
    precondition(offset + MemoryLayout<Memory>.size <= stride && offset % MemoryLayout<Memory>.alignment == 0)
    return Places(first: base + offset, stride: stride)
  }
}
