/// Working memory of the codec, allocated once and freed with its owner; its contents are undefined at first.
struct ScratchBuffer<Element: BitwiseCopyable>: ~Copyable {
  let elements: UnsafeMutableBufferPointer<Element>

  init(count: Int) {
    elements = .allocate(capacity: count)
  }

  deinit { elements.deallocate() }

  /// The first `count` elements.
  func first(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(rebasing: elements[..<count])
  }
}
