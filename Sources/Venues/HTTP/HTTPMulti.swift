internal import CCurl
import MarketData

/// Several HTTP exchanges at once on one thread, over libcurl's multi interface. Connections stay open between
/// exchanges, and with HTTP/2 several share one.
final class HTTPMulti: @unchecked Sendable {
  // @unchecked: one thread at a time, which takes it out of a locked pool and puts it back.

  private let multi: UnsafeMutableRawPointer
  private let caFile: String?
  private let proxy: String?
  private var idle: [HTTPTransfer] = []
  private var running: [UnsafeMutableRawPointer: (transfer: HTTPTransfer, tag: Int)] = [:]

  /// - Parameter connectionsMax: Connections to one host; also how many are kept open.
  /// - Throws: `Fault` of kind `system` when libcurl cannot start.
  init(caFile: String?, proxy: String?, connectionsMax: Int) throws(Fault) {
    // Starts libcurl as well.
    idle = [try HTTPTransfer(caFile: caFile, proxy: proxy)]
    guard let pointer = curl_multi_init() else { throw Fault(.system, "libcurl does not start") }
    multi = pointer
    self.caFile = caFile
    self.proxy = proxy
    for (option, value) in [
      (CURLMOPT_MAX_HOST_CONNECTIONS, connectionsMax), (CURLMOPT_MAXCONNECTS, connectionsMax),
      (CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX)),
    ] {
      guard tickring_curl_multi_set_long(pointer, option, value) == CURLM_OK else {
        throw Fault(.software, "libcurl refuses an option of its multi interface")
      }
    }
  }

  deinit {
    cancelAll()
    // Handles leave before the connections that they used.
    idle = []
    curl_multi_cleanup(multi)
  }

  /// Exchanges that have begun and not ended.
  var runningCount: Int { running.count }

  /// Begins an exchange, which `tag` names when it ends.
  ///
  /// - Throws: `Fault` of kind `configuration` when the request makes no sense.
  func start(_ request: HTTPRequest, tag: Int) throws(Fault) {
    let transfer: HTTPTransfer
    if let free = idle.popLast() {
      transfer = free
    } else {
      transfer = try HTTPTransfer(caFile: caFile, proxy: proxy)
    }
    try transfer.start(request)
    let result = curl_multi_add_handle(multi, transfer.handle.pointer)
    guard result == CURLM_OK else { throw Self.fault(result) }
    running[transfer.handle.pointer] = (transfer, tag)
  }

  /// Moves bytes for at most `milliseconds`, less when something happens, and returns what has ended.
  func wait(milliseconds: Int) throws(Fault) -> [(tag: Int, outcome: Result<HTTPResponse, Fault>)] {
    var count: Int32 = 0
    var result = curl_multi_perform(multi, &count)
    guard result == CURLM_OK else { throw Self.fault(result) }
    var ended = takeEnded()
    // What has ended is wanted at once: its place is free for the next.
    if ended.isEmpty {
      result = curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil)
      if result == CURLM_OK { result = curl_multi_perform(multi, &count) }
      guard result == CURLM_OK else { throw Self.fault(result) }
      ended = takeEnded()
    }
    return ended
  }

  /// Breaks off everything that has begun.
  func cancelAll() {
    for (pointer, entry) in running {
      curl_multi_remove_handle(multi, pointer)
      idle.append(entry.transfer)
    }
    running = [:]
  }

  private func takeEnded() -> [(tag: Int, outcome: Result<HTTPResponse, Fault>)] {
    var ended: [(tag: Int, outcome: Result<HTTPResponse, Fault>)] = []
    var code = CURLE_OK
    while let pointer = tickring_curl_multi_next_done(multi, &code) {
      curl_multi_remove_handle(multi, pointer)
      guard let entry = running.removeValue(forKey: pointer) else { continue }
      do throws(Fault) {
        ended.append((entry.tag, .success(try entry.transfer.finish(code))))
      } catch {
        ended.append((entry.tag, .failure(error)))
      }
      idle.append(entry.transfer)
    }
    return ended
  }

  private static func fault(_ code: CURLMcode) -> Fault {
    Fault(.system, "libcurl cannot go on: \(String(cString: curl_multi_strerror(code)))")
  }
}
