internal import FeedControl
internal import MarketData
internal import Synchronization

/// A request to a replay.
enum ReplayRequest: Sendable {
  case status, pause, resume, stop
  case stepRecords(Int)
  case stepTime(Int64)
  case seekTime(Timestamp)
  case seekSequence(UInt64)
  case speed(ReplaySpeed)

  /// - Throws: ``Fault`` of kind `usage` unless one of both is there and above zero.
  init(_ request: ReplayStepRequest) throws(Fault) {
    switch (request.records, request.nanoseconds) {
    case (let records?, nil) where records > 0: self = .stepRecords(records)
    case (nil, let nanoseconds?) where nanoseconds > 0: self = .stepTime(nanoseconds)
    default: throw Fault(.usage, "a step is either a number of records or a time, and above zero")
    }
  }

  /// - Throws: ``Fault`` of kind `usage` unless one of both is there.
  init(_ request: ReplaySeekRequest) throws(Fault) {
    switch (request.timeNanoseconds, request.sequence) {
    case (let time?, nil): self = .seekTime(Timestamp(nanoseconds: time))
    case (nil, let sequence?): self = .seekSequence(sequence)
    default: throw Fault(.usage, "a replay is moved either to a time or to a sequence")
    }
  }
}

/// Takes requests from the control socket's threads to the replay's thread, and the answers back.
final class ReplayDesk: Sendable {
  /// A request and the way back to whoever waits for its answer.
  struct Waiting: Sendable {
    let request: ReplayRequest
    let answer: CheckedContinuation<Result<ReplayStatus, Fault>, Never>
  }

  private enum State {
    case open([Waiting])
    case closed(ReplayStatus)
  }
  private let state = Mutex(State.open([]))
  private let isFilled = Atomic<Bool>(false)

  /// Waits until the replay's thread has carried out a request.
  func carryOut(_ request: ReplayRequest) async throws(Fault) -> ReplayStatus {
    let result = await withCheckedContinuation { continuation in
      let final: ReplayStatus? = state.withLock { state in
        switch state {
        case .closed(let status): return status
        case .open(let waiting):
          state = .open(waiting + [Waiting(request: request, answer: continuation)])
          isFilled.store(true, ordering: .releasing)
          return nil
        }
      }
      if let final { continuation.resume(returning: .success(final)) }
    }
    return try result.get()
  }

  /// What has come since the last call; costs one load while nothing has.
  func take() -> [Waiting] {
    guard isFilled.load(ordering: .acquiring) else { return [] }
    return state.withLock { state in
      isFilled.store(false, ordering: .relaxed)
      guard case .open(let waiting) = state else { return [] }
      state = .open([])
      return waiting
    }
  }

  /// Answers everything that waits, or will ever come, with the last status.
  func close(with status: ReplayStatus) {
    let waiting: [Waiting] = state.withLock { state in
      guard case .open(let waiting) = state else { return [] }
      state = .closed(status)
      return waiting
    }
    for request in waiting { request.answer.resume(returning: .success(status)) }
  }
}
