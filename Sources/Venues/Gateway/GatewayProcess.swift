internal import CLinux
internal import Glibc
import MarketData

/// A program that the user named, started with pipes for its standard streams: lines go out and come in without
/// blocking, what it says on standard error is kept, and it does not outlive its owner. One thread at a time.
final class GatewayProcess {
  /// A longer line ends the connection; long answers come in parts.
  static let lineBytesMax = 1 << 20
  /// Bytes asked of a pipe at once.
  static let readBytesMax = 256 * 1024
  /// More bytes waiting to be taken by the program mean that it does not listen.
  static let sendQueueBytesMax = 4 << 20
  /// Last lines of standard error that are kept, and bytes of each.
  static let wordsMax = 8
  static let wordBytesMax = 300
  /// How long the program may take to end: after its standard output did, after its standard input was closed, and
  /// after SIGTERM.
  static let endMilliseconds = 500

  /// What it is called in messages: its command, cut to a readable length.
  let title: String
  let pid: Int32
  /// Takes each line of standard error.
  private let onErrorLine: (String) -> Void

  private let input: Int32
  private let output: Int32
  private let errors: Int32
  private var lines = LineBuffer(lineBytesMax: lineBytesMax, readBytesMax: readBytesMax)
  private var readTime = Timestamp.unknown
  private var errorLines = LineBuffer(lineBytesMax: 64 * 1024, readBytesMax: 16 * 1024)
  private var areErrorsOpen = true
  private var lastWords: [String] = []
  private var queue: [UInt8] = []
  /// Bytes of ``queue`` that were written.
  private var queueStart = 0
  /// Found while lines were still to be handed out: thrown by the call after that.
  private var pendingFault: Fault?
  private var isStopped = false
  private var status: Int32?

  private static let titleCharactersMax = 60

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - command: The program, looked up in PATH unless it holds a slash, and its arguments.
  ///   - environment: All that it gets to see of the environment.
  ///   - onErrorLine: Is called with each line that it writes to standard error.
  /// - Throws: ``Fault`` of kind `configuration` when there is no such program, `system` when it cannot be started.
  init(command: [String], environment: [String: String], onErrorLine: @escaping (String) -> Void)
    throws(Fault)
  {
    let text = command.joined(separator: " ")
    title =
      text.count > Self.titleCharactersMax ? text.prefix(Self.titleCharactersMax) + "…" : text
    self.onErrorLine = onErrorLine
    guard let program = command.first, !program.isEmpty else {
      throw Fault(.configuration, "the gateway's command is empty; it must name a program")
    }
    var child = tickring_child()
    let result = Self.withPointers(to: command) { arguments in
      Self.withPointers(to: environment.map { "\($0.key)=\($0.value)" }) { variables in
        tickring_spawn(arguments, variables, &child)
      }
    }
    guard result == 0 else {
      let kind: Fault.Kind = [ENOENT, EACCES, ENOEXEC, ENOTDIR].contains(-result) ? .configuration : .system
      throw Fault(kind, "the gateway '\(program)' cannot be started: \(String(cString: strerror(-result)))")
    }
    pid = child.pid
    input = child.input
    output = child.output
    errors = child.errors
  }

  deinit { stop() }

  /// Hands an array of C strings that ends in a null pointer to `body`.
  private static func withPointers(
    to texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    var pointers = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
  }

  // MARK: Talking

  /// Sends a line, or queues it while the pipe takes no more; the queue is emptied by ``receive``.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when the program does not listen. That it has ended shows at the next
  ///   ``receive``, after everything that it had said.
  func send(_ line: String) throws(Fault) {
    guard queue.count - queueStart + line.utf8.count < Self.sendQueueBytesMax else {
      throw fault(
        .unavailable, "does not read its standard input: \(Self.sendQueueBytesMax) bytes are waiting for it")
    }
    queue.append(contentsOf: line.utf8)
    queue.append(UInt8(ascii: "\n"))
    flush()
  }

  private func flush() {
    while queueStart < queue.count {
      let count = queue.withUnsafeBytes { buffer in
        tickring_write_quietly(input, buffer.baseAddress?.advanced(by: queueStart), buffer.count - queueStart)
      }
      // Full, or nobody is there any more: both show elsewhere.
      guard count > 0 else { return }
      queueStart += count
    }
    queue.removeAll(keepingCapacity: true)
    queueStart = 0
  }

  /// Waits at most `timeoutMilliseconds` for bytes (0: does not wait at all) and hands every whole line in them to
  /// `onLine`, by its place in the bytes, with the wall time at which it was read; false from it leaves the lines behind
  /// for the next call.
  ///
  /// Returns true when anything arrived on standard output. An end is thrown only after all lines before it were
  /// handed out.
  /// - Throws: ``Fault`` when the program ended, of a kind that its exit code says (77 refused, 78 configuration, else
  ///   unavailable); of kind `protocolViolation` for an overlong line; and whatever `onLine` throws.
  func receive(
    timeoutMilliseconds: Int,
    onLine: (_ bytes: [UInt8], _ line: Range<Int>, _ readTime: Timestamp) throws(Fault) -> Bool
  ) throws(Fault) -> Bool {
    if queueStart < queue.count { flush() }
    readErrors()
    if try handOut(onLine) { return true }
    if let pendingFault { throw pendingFault }
    let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
    while true {
      switch lines.read(from: output) {
      case .bytes:
        readTime = .wallClock()
        _ = try handOut(onLine)
        return true
      case .ended:
        let ended = endFault()
        pendingFault = ended
        throw ended
      case .failed(let reason):
        throw fault(.unavailable, "cannot be read: \(String(cString: strerror(reason)))")
      case .nothing:
        guard timeoutMilliseconds > 0, !deadline.isPast else { return false }
        wait(milliseconds: deadline.remainingMilliseconds)
      }
    }
  }

  /// Hands out the lines that were read; true when there was any.
  private func handOut(_ onLine: ([UInt8], Range<Int>, Timestamp) throws(Fault) -> Bool) throws(Fault) -> Bool
  {
    var isAny = false
    while let line = lines.nextLine() {
      isAny = true
      if try !onLine(lines.bytes, line, readTime) { return true }
    }
    if lines.isOverlong {
      pendingFault = fault(.protocolViolation, "writes a line longer than \(Self.lineBytesMax) bytes")
    }
    return isAny
  }

  private func wait(milliseconds: Int) {
    let wantsToSend = queueStart < queue.count
    var entries = (
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: areErrorsOpen ? errors : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wantsToSend ? input : -1, events: Int16(POLLOUT), revents: 0)
    )
    _ = withUnsafeMutablePointer(to: &entries) { pointer in
      pointer.withMemoryRebound(to: pollfd.self, capacity: 3) { poll($0, 3, Int32(clamping: milliseconds)) }
    }
    if entries.1.revents != 0 { readErrors() }
    if entries.2.revents & Int16(POLLOUT) != 0 { flush() }
  }

  private func readErrors() {
    guard areErrorsOpen, !isStopped else { return }
    switch errorLines.read(from: errors) {
    case .bytes:
      while let line = errorLines.nextLine() { keep(errorLines.bytes[line]) }
      // A flood without a line end is cut where the buffer would grow.
      if errorLines.isOverlong { errorLines = LineBuffer(lineBytesMax: 64 * 1024, readBytesMax: 16 * 1024) }
    case .nothing: break
    case .ended, .failed:
      areErrorsOpen = false
      if !errorLines.partialLine.isEmpty { keep(errorLines.partialLine) }
    }
  }

  private func keep(_ line: ArraySlice<UInt8>) {
    let text = excerpt(of: line.prefix(Self.wordBytesMax))
    guard !text.isEmpty else { return }
    lastWords.append(text)
    if lastWords.count > Self.wordsMax { lastWords.removeFirst() }
    onErrorLine(text)
  }

  // MARK: Ending

  /// Why the program's output has ended.
  private func endFault() -> Fault {
    let deadline = Deadline(afterMilliseconds: Self.endMilliseconds)
    while tickring_has_exited(pid) == 0, !deadline.isPast { usleep(1_000) }
    // A helper of the program may hold its standard error open, so this does not wait for the end of that.
    for _ in 0..<Self.wordsMax { readErrors() }
    let hasExited = tickring_has_exited(pid) != 0
    stop()
    let partial = lines.partialLine
    let cut =
      partial.isEmpty
      ? ""
      : " in the middle of the line '\(excerpt(of: partial.prefix(Self.wordBytesMax)))'"
    guard hasExited, let status else {
      return fault(.unavailable, "closed its standard output\(cut) and was stopped")
    }
    let signal = status & 0x7F
    guard signal == 0 else {
      return fault(.unavailable, "was ended by signal \(signal)\(cut)")
    }
    let code = status >> 8 & 0xFF
    let kind: Fault.Kind =
      switch code {
      case Fault.Kind.refused.rawValue: .refused
      case Fault.Kind.configuration.rawValue: .configuration
      default: .unavailable
      }
    return fault(kind, "ended with exit code \(code)\(cut)")
  }

  /// A fault of this program, with what it said last on standard error.
  func fault(_ kind: Fault.Kind, _ what: String) -> Fault {
    let words = lastWords.isEmpty ? "" : "; its last words: \(lastWords.joined(separator: " | "))"
    return Fault(kind, "the gateway '\(title)' \(what)\(words)")
  }

  /// Ends the program: closes its standard input, which asks it to go; then SIGTERM, then SIGKILL to its whole
  /// process group, each after ``endMilliseconds``. Returns when it is gone.
  func stop() {
    guard !isStopped else { return }
    readErrors()
    isStopped = true
    close(input)
    // Nobody reads any more: a program that is stuck in writing gets SIGPIPE or an error instead of waiting.
    close(output)
    close(errors)
    if !waitForExit() {
      kill(-pid, SIGTERM)
      _ = waitForExit()
    }
    // Whatever else is in the group, and the program if it is still there; before the number is free again.
    kill(-pid, SIGKILL)
    var final: Int32 = 0
    while waitpid(pid, &final, 0) == -1, errno == EINTR {}
    status = final
  }

  private func waitForExit() -> Bool {
    let deadline = Deadline(afterMilliseconds: Self.endMilliseconds)
    while tickring_has_exited(pid) == 0 {
      if deadline.isPast { return false }
      usleep(2_000)
    }
    return true
  }
}
