import Glibc
import MarketData

/// Another process running this program in one role.
struct Child {
  let pid: pid_t

  init(_ arguments: [String]) throws(Fault) {
    var pid: pid_t = 0
    var texts: [UnsafeMutablePointer<CChar>?] = (["ring-trial"] + arguments).map { strdup($0) }
    texts.append(nil)
    defer { for text in texts { free(text) } }
    guard posix_spawn(&pid, "/proc/self/exe", nil, nil, texts, environ) == 0 else {
      throw Fault(.system, "cannot start \(arguments)")
    }
    self.pid = pid
  }

  /// Kills it and waits until the kernel has dropped all it held.
  func kill() throws(Fault) {
    Glibc.kill(pid, SIGKILL)
    let status = wait()
    guard status & 0x7f == SIGKILL else {
      throw Fault(
        .checkFailed, "a process ended by itself with status \(status >> 8 & 0xff) before it was killed")
    }
  }

  func signal(_ number: Int32) { Glibc.kill(pid, number) }

  /// Waits for its end; throws unless it said that all was well.
  func waitForSuccess(_ what: String) throws(Fault) {
    let status = wait()
    guard status == 0 else {
      throw Fault(.checkFailed, "the \(what) failed (wait status \(status))")
    }
  }

  private func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status
  }
}
