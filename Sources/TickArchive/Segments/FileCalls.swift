internal import CLinux
internal import Glibc
internal import MarketData

/// The system calls by which an archive is changed, so that a test can make one of them fail, or record them and
/// build what a power cut could have left.
package struct FileCalls: Sendable {
  /// Makes a file for reading and writing, emptying one that is there; returns a descriptor, or -1 with `errno` set.
  package var create: @Sendable (String) -> Int32
  /// Opens a file for reading and writing; returns a descriptor, or -1 with `errno` set.
  package var open: @Sendable (String) -> Int32
  /// Writes bytes at an offset; returns how many, or -1 with `errno` set.
  package var write: @Sendable (Int32, UnsafeRawBufferPointer, Int) -> Int
  /// Sets the length of a file; returns 0, or -1 with `errno` set.
  package var truncate: @Sendable (Int32, Int) -> Int32
  /// Gives a file room for so many bytes from an offset on without changing its length; returns 0, or -1 with
  /// `errno` set.
  package var reserve: @Sendable (Int32, Int, Int) -> Int32
  /// Waits until a file's bytes are on the device; returns 0, or -1 with `errno` set.
  package var synchronize: @Sendable (Int32) -> Int32
  /// Gives a file another name in its directory; returns 0, or -1 with `errno` set.
  package var rename: @Sendable (String, String) -> Int32
  /// Removes a file; returns 0, or -1 with `errno` set.
  package var remove: @Sendable (String) -> Int32
  /// Waits until the entries of a directory are on the device; returns 0, or -1 with `errno` set.
  package var synchronizeDirectory: @Sendable (String) -> Int32
  /// A number that nobody foresees, by which a new segment differs from any other of its name.
  package var random: @Sendable () -> UInt32

  /// The real ones.
  package static let system = FileCalls(
    create: { path in Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) },
    open: { path in Glibc.open(path, O_RDWR | O_CLOEXEC) },
    write: { descriptor, bytes, offset in
      var result: Int
      repeat {
        result = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
      } while result < 0 && errno == EINTR
      return result
    },
    truncate: { descriptor, length in ftruncate(descriptor, off_t(length)) },
    reserve: { descriptor, offset, count in
      tickring_reserve(descriptor, off_t(offset), off_t(count))
    },
    synchronize: { descriptor in fdatasync(descriptor) },
    rename: { from, to in Glibc.rename(from, to) },
    remove: { path in unlink(path) },
    synchronizeDirectory: { path in
      let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { return -1 }
      defer { close(descriptor) }
      return fsync(descriptor)
    },
    random: { .random(in: .min ... .max) })
}

/// A change of a file that did not succeed.
struct WriteFailure: Error {
  /// What to tell a person.
  let fault: Fault
  /// True when the device has no room, so that deleting something would help.
  let isDeviceFull: Bool

  /// Takes the cause from `errno`.
  init(_ kind: Fault.Kind, _ what: String) {
    self.init(kind, what, cause: errno)
  }

  init(_ kind: Fault.Kind, _ what: String, cause: Int32) {
    fault = Fault(kind, "\(what): \(systemErrorText(cause))")
    isDeviceFull = cause == ENOSPC || cause == EDQUOT
  }
}
