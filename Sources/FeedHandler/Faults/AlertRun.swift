internal import CLinux
internal import Foundation
internal import MarketData

/// One run of the alert command: a process group of its own, no shell, a bounded time.
struct AlertRun {
  let command: [String]
  /// Set in addition to this process's own.
  let environment: [String: String]
  /// For standard input.
  let line: String
  let secondsMax: Int

  private static let pollMicroseconds: UInt32 = 10_000

  /// Runs it to its end, or kills it; returns what went wrong in a sentence, or nil.
  func carryOut() -> String? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return "no pipe: \(String(cString: strerror(errno)))" }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let child = spawn(standardInput: ends[0])
    guard case .success(let pid) = child else {
      close(ends[1])
      guard case .failure(let error) = child else { return nil }
      return "cannot start '\(command[0])': \(String(cString: strerror(error.code)))"
    }
    // A line is shorter than a pipe holds, so this cannot block; a command that does not read it loses nothing.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    _ = Array(line.utf8).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    return waitForEnd(of: pid)
  }

  private struct SpawnFailure: Error { let code: Int32 }

  private func spawn(standardInput: Int32) -> Result<pid_t, SpawnFailure> {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
    // What it prints belongs to the log, not to whoever reads this process's output.
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
    tickring_close_others(&actions)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))

    let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var words: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + words { free(pointer) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, &words)
    return code == 0 ? .success(pid) : .failure(SpawnFailure(code: code))
  }

  private func waitForEnd(of pid: pid_t) -> String? {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(secondsMax) * Timestamp.nanosecondsPerSecond
    var status: Int32 = 0
    while true {
      let found = waitpid(pid, &status, WNOHANG)
      if found == pid || (found < 0 && errno != EINTR) { break }
      guard Timestamp.monotonicNanoseconds() < deadline else {
        // The whole group: a script's children must not outlive it.
        kill(-pid, SIGKILL)
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return "'\(command[0])' was killed after \(secondsMax) s"
      }
      usleep(Self.pollMicroseconds)
    }
    if status & 0x7F != 0 { return "'\(command[0])' was ended by signal \(status & 0x7F)" }
    let code = status >> 8 & 0xFF
    return code == 0 ? nil : "'\(command[0])' ended with exit code \(code)"
  }
}
