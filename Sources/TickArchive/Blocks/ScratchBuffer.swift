/// Working memory of the codec, allocated once and freed with its owner; its contents are undefined at first.
struct ScratchBuffer<Element: BitwiseCopyable>: ~Copyable {
  let elements: UnsafeMutableBufferPointer<Element>

  /// Lines of the processor's cache start at its multiples.
  private static var alignment: Int { 64 }

  init(count: Int) {
    elements = UnsafeMutableRawBufferPointer.allocate(
      byteCount: count * MemoryLayout<Element>.stride,
      alignment: max(Self.alignment, MemoryLayout<Element>.alignment)
    ).bindMemory(to: Element.self)
  }

  deinit { UnsafeMutableRawBufferPointer(elements).deallocate() }

  /// The first `count` elements.
  func first(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(rebasing: elements[..<count])
  }
}
