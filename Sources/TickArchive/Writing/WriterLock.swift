internal import Glibc
internal import MarketData

/// Keeps a second writer away from a feed: an advisory lock on `FEED.lock` beside the segments, which the kernel
/// drops when the process dies.
struct WriterLock: ~Copyable {
  private let descriptor: Int32

  /// Takes the lock.
  ///
  /// - Throws: ``Fault`` of kind `held` when another writer has it, `cannotCreate` when the file cannot be made.
  init(directory: String, feed: String) throws(Fault) {
    let path = ArchiveDirectory.path(directory, feed + ".lock")
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Fault(.cannotCreate, "cannot open lock file \(path) for writing: \(systemErrorText(errno))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let cause = errno
      close(descriptor)
      throw cause == EWOULDBLOCK
        ? Fault(
          .held, "feed \(feed) in \(directory) is being written by another process, which holds \(path)")
        : Fault(.cannotCreate, "cannot lock \(path): \(systemErrorText(cause))")
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
