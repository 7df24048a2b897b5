import MarketData

/// The outer members of an answer of SmartAPI, in whichever of its shapes it comes: `status` and `errorcode` where the
/// business says no, `success` and `errorCode` where the gateway does.
struct AngelOneAnswer {
  var isSuccess = false
  /// As in `AB1007`; empty when all is well.
  var code = ""
  var message = ""

  /// Reads a whole answer; `data` takes the member of that name, which is an object or an array.
  ///
  /// - Throws: `Fault` of kind `protocolViolation` when the bytes are no JSON object.
  init(_ bytes: [UInt8], data: (inout JSONScanner) throws(Fault) -> Void = { _ in }) throws(Fault) {
    var scanner = JSONScanner(bytes)
    var answer = (isSuccess: false, code: "", message: "")
    try scanner.object { (key, scanner) throws(Fault) in
      let first = scanner.peek()
      let isText = first == UInt8(ascii: "\"")
      switch key {
      case "status" where !isText, "success" where !isText:
        answer.isSuccess = first == UInt8(ascii: "t")
        try scanner.skipValue()
      case "errorcode" where isText, "errorCode" where isText: answer.code = try scanner.words()
      case "message" where isText: answer.message = try scanner.words()
      case "data" where first == UInt8(ascii: "{") || first == UInt8(ascii: "["): try data(&scanner)
      default: try scanner.skipValue()
      }
    }
    try scanner.expectEnd()
    (isSuccess, code, message) = (answer.isSuccess, answer.code, answer.message)
  }
}

/// What a refusal of SmartAPI means for us.
struct AngelOneRefusal: Equatable {
  /// Whether a retry makes sense.
  var kind: Fault.Kind
  /// The session's token is good no more; a new login gives a new one.
  var isTokenDead = false
  /// Too much was asked for; the same request will do later.
  var isThrottled = false
  /// Status, code and the venue's own words.
  var text: String

  /// The words of the plain text that a gateway sends with status 403 when the rate is exceeded.
  private static let rateWords = "exceeding access rate"

  private static let deadTokenCodes: Set = [
    "AG8001", "AG8002", "AG8003", "AB8050", "AB8051", "AB1010", "AB1011",
  ]
  private static let refusedCodes: Set = [
    "AB1000", "AB1001", "AB1002", "AB1005", "AB1006", "AB1007", "AB1031", "AB1032", wrongPasswordCode,
  ]
  /// "Try later", which is what throttled requests for candles get, and errors inside the venue.
  private static let passingCodes: Set = ["AB1004", "AB2000", "AB2001"]
  /// The one-time password was wrong.
  static let wrongPasswordCode = "AB1050"

  /// Judges an answer that could be read; nil when it is a success.
  init?(status: Int, answer: AngelOneAnswer) {
    let isGood = (200...299).contains(status)
    guard !isGood || !answer.isSuccess else { return nil }
    text = "HTTP status \(status)"
    if !answer.code.isEmpty { text += " (\(answer.code))" }
    text += ": \(answer.message)"
    switch answer.code {
    case let code where Self.deadTokenCodes.contains(code):
      kind = .refused
      isTokenDead = true
    case let code where Self.refusedCodes.contains(code): kind = .refused
    case let code where Self.passingCodes.contains(code):
      kind = .unavailable
      isThrottled = code == "AB1004"
    default:
      kind = Self.kind(status: status)
      isTokenDead = kind == .refused
      isThrottled = status == 429
    }
  }

  /// Judges an answer that is no JSON.
  init(status: Int, body: [UInt8]) {
    let words = excerpt(of: body)
    text = "HTTP status \(status): \(words)"
    isThrottled = status == 429 || (status == 403 && words.lowercased().contains(Self.rateWords))
    kind = isThrottled ? .unavailable : Self.kind(status: status)
    isTokenDead = kind == .refused
  }

  private static func kind(status: Int) -> Fault.Kind {
    switch status {
    case 401, 403: .refused
    case 429, 500...599: .unavailable
    default: .protocolViolation
    }
  }

  /// The refusal as a fault about `title`.
  func fault(_ title: String) -> Fault { Fault(kind, "\(title): \(text)") }
}
