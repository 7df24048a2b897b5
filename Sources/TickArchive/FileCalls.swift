internal import Glibc

/// The system calls by which a segment is changed, so that a test can make one of them fail.
package struct FileCalls: Sendable {
  /// Writes bytes at an offset; returns how many, or -1 with `errno` set.
  package var write: @Sendable (Int32, UnsafeRawBufferPointer, Int) -> Int
  /// Sets the length of a file; returns 0, or -1 with `errno` set.
  package var truncate: @Sendable (Int32, Int) -> Int32
  /// Waits until a file's bytes are on the device; returns 0, or -1 with `errno` set.
  package var synchronize: @Sendable (Int32) -> Int32

  /// Makes a set of calls.
  package init(
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer, Int) -> Int,
    truncate: @escaping @Sendable (Int32, Int) -> Int32, synchronize: @escaping @Sendable (Int32) -> Int32
  ) {
    self.write = write
    self.truncate = truncate
    self.synchronize = synchronize
  }

  /// The real ones.
  package static let system = FileCalls(
    write: { descriptor, bytes, offset in
      var result: Int
      repeat {
        result = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
      } while result < 0 && errno == EINTR
      return result
    },
    truncate: { descriptor, length in ftruncate(descriptor, off_t(length)) },
    synchronize: { descriptor in fdatasync(descriptor) })
}
