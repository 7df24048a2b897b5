public import MarketData

/// The pure half of a venue's candles over REST: it words requests and reads answers, and does no I/O.
///
/// Everything else is ``RESTHistory``'s business: cutting ranges, pacing, retrying, sending several at once.
public protocol CandleService: Sendable {
  /// The venue's name in sentences for people: `Kite`.
  var name: String { get }

  /// The longest range of one request, in days.
  ///
  /// - Throws: ``Fault`` of kind `usage`, naming those that there are, for an interval that the venue does not keep.
  func daysMax(of interval: Interval) throws(Fault) -> Int

  /// Words the request for a part, which spans at most ``daysMax(of:)`` days. Asked anew for each attempt, so that it
  /// carries the credentials of the moment; only to get those may it wait.
  ///
  /// - Throws: ``Fault`` of kind `configuration` or `refused` when there are no credentials.
  func request(for part: CandleRequest) throws(Fault) -> HTTPRequest

  /// Reads the answer: the part's candles, ascending; what lies outside its range is cut off by the caller.
  ///
  /// - Throws: ``CandleRefusal`` for an answer without candles.
  func candles(in response: HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle]

  /// Told when an answer to `request` called for new credentials, before the request is worded anew: the time to drop
  /// a dead token, unless another thread has replaced it already.
  func credentialsWereRefused(in request: HTTPRequest)
}

extension CandleService {
  /// Nothing to drop.
  public func credentialsWereRefused(in request: HTTPRequest) {}
}

/// An answer without candles: what to tell, and what to do about it.
public struct CandleRefusal: Error, Sendable, Equatable {
  /// What helps against a refusal.
  public enum Remedy: Sendable, Equatable {
    /// Nothing: this part fails, others may succeed.
    case none
    /// The same request after a growing pause: the venue had trouble.
    case retry
    /// A pause for all requests to this venue, then the same one: it was asked too often. The pause is what the answer
    /// asks for in `Retry-After`, or grows.
    case slowDown
    /// Other credentials. The request is worded anew at once; when that changes none of its headers, nothing more is
    /// sent to this venue on behalf of the caller.
    case newCredentials
  }

  /// What to tell.
  public var fault: Fault
  /// What to do.
  public var remedy: Remedy

  /// Makes a refusal.
  public init(_ fault: Fault, remedy: Remedy) {
    self.fault = fault
    self.remedy = remedy
  }

  /// The remedy that an HTTP status stands for where the venue says nothing more exact.
  public static func remedy(forStatus status: Int) -> Remedy {
    switch status {
    case 401, 403: .newCredentials
    case 429: .slowDown
    case 408, 500...599: .retry
    default: .none
    }
  }
}
