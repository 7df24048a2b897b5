public import MarketData

/// Something that goes wrong at a simulated venue: at once or at its time, for a while or for good.
///
/// As text: `KIND[:ARGUMENT][@START][+DURATION]`, both times in seconds of the machine, as in `cut@12.5`, `silence+5` or
/// `status:503@10+2`. The start counts from the market's beginning, or from the request that asked for the fault.
public struct VenueFault: Sendable, Hashable {
  /// What goes wrong.
  public enum Kind: Sendable, Hashable {
    /// Every connection is dropped, once, without a close frame. `cut`
    case cut
    /// The youngest connection is dropped, once, without a close frame. `cut-one`
    case cutOne
    /// Every connection is dropped, once, in the middle of a frame. `cut-mid-frame`
    case cutMidFrame
    /// Each connection is dropped without a close frame after exactly so many ticks. `cut:N`
    case cutAfterTicks(Int)
    /// Upgrades are accepted and the connection is dropped at once, without a close frame. `close-at-once`
    case closeAtOnce
    /// The connections of this instant stay open and say nothing any more; new ones work. `half-open`
    case halfOpen
    /// Nothing is sent, heartbeats included; what the market does meanwhile is lost. `silence`
    case silence
    /// Of the instruments subscribed meanwhile, so many percent stay without a tick. `mute:PERCENT`
    case mute(percent: Int)
    /// A frame of random bytes, in which no packet can be found, follows each good one. `garbage`
    case garbage
    /// Each frame of ticks is sent twice. `duplicates`
    case duplicates
    /// Frames of ticks change places with their successors. `reordering`
    case reordering
    /// The snapshot that answers a subscription is so many seconds old. `stale-snapshot:SECONDS`
    case staleSnapshot(seconds: Int)
    /// The venue's clock is ahead by so many seconds, behind when negative. `clock-skew:SECONDS`
    case clockSkew(seconds: Int)
    /// Every request, upgrades included, is answered with this status. `status:403`
    case status(Int)
    /// Connections are dropped, and only the new access token is let in from then on; without one, nobody.
    /// `token-expiry[:TOKEN]`
    case tokenExpiry(newToken: String?)
    /// The body of an answer takes so long. `slow-body:MILLISECONDS`
    case slowBody(milliseconds: Int)
    /// Answers are a page of HTML. `wrong-content-type`
    case wrongContentType
  }

  /// What goes wrong.
  public var kind: Kind
  /// Seconds of the machine from the market's beginning; nil when it is there from the first moment.
  public var startSeconds: Double?
  /// Seconds of the machine; nil for good. What happens once has no duration.
  public var durationSeconds: Double?

  /// Makes a fault.
  public init(_ kind: Kind, at startSeconds: Double? = nil, for durationSeconds: Double? = nil) {
    self.kind = kind
    self.startSeconds = startSeconds
    self.durationSeconds = durationSeconds
  }

  /// The statuses that a venue is known to answer with when it refuses.
  public static let statuses = [400, 401, 403, 404, 429, 500, 502, 503, 504]
  /// Longest start and duration in seconds: a week.
  static let secondsMax = 604_800.0

  /// True for what happens once, at its start.
  var isInstant: Bool {
    switch kind {
    case .cut, .cutOne, .cutMidFrame, .halfOpen: true
    default: false
    }
  }

  /// Reads `KIND[:ARGUMENT][@START][+DURATION]`.
  ///
  /// - Throws: ``Fault`` of kind `usage` that says what is known.
  public init(_ text: some StringProtocol) throws(Fault) {
    var rest = String(text)
    var times: [Character: Double] = [:]
    for mark: Character in ["+", "@"] {
      guard let position = rest.lastIndex(of: mark) else { continue }
      let number = rest[rest.index(after: position)...]
      guard let seconds = Double(number), (0...Self.secondsMax).contains(seconds) else {
        throw Self.usage(text, "has '\(number)' behind \(mark), where a number of seconds is expected")
      }
      times[mark] = seconds
      rest = String(rest[..<position])
    }
    let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let kind = try Self.kind(parts[0], parts.count > 1 ? parts[1] : nil, text) else {
      throw Self.usage(text, "is not one of \(Self.forms.joined(separator: ", "))")
    }
    self.init(kind, at: times["@"], for: times["+"])
    guard !isInstant || durationSeconds == nil else {
      throw Self.usage(text, "happens once and has no duration")
    }
  }

  /// What can be written, for help texts.
  public static let forms = [
    "cut", "cut-one", "cut-mid-frame", "cut:TICKS", "close-at-once", "half-open", "silence", "mute:PERCENT",
    "garbage",
    "duplicates", "reordering", "stale-snapshot:SECONDS", "clock-skew:SECONDS", "status:CODE", "refuse",
    "token-expiry[:TOKEN]", "slow-body:MILLISECONDS", "wrong-content-type",
  ]

  private static func kind(_ word: String, _ argument: String?, _ text: some StringProtocol) throws(Fault)
    -> Kind?
  {
    func number(_ bounds: ClosedRange<Int>, _ unit: String) throws(Fault) -> Int {
      guard let argument, let number = Int(argument), bounds.contains(number) else {
        throw usage(
          text,
          "needs \(unit) from \(bounds.lowerBound) to \(bounds.upperBound), as in '\(word):\(bounds.upperBound)'"
        )
      }
      return number
    }
    let simple: [String: Kind] = [
      "cut-one": .cutOne, "cut-mid-frame": .cutMidFrame,
      "close-at-once": .closeAtOnce, "half-open": .halfOpen,
      "silence": .silence,
      "garbage": .garbage, "duplicates": .duplicates, "reordering": .reordering,
      "wrong-content-type": .wrongContentType, "refuse": .status(403),
    ]
    if let kind = simple[word] {
      guard argument == nil else { throw usage(text, "takes no argument") }
      return kind
    }
    switch word {
    case "cut":
      return argument == nil ? .cut : .cutAfterTicks(try number(0...1_000_000_000, "a number of ticks"))
    case "mute": return .mute(percent: try number(1...100, "percent"))
    case "stale-snapshot": return .staleSnapshot(seconds: try number(1...864_000, "seconds"))
    case "clock-skew": return .clockSkew(seconds: try number(-86_400...86_400, "seconds"))
    case "slow-body": return .slowBody(milliseconds: try number(1...600_000, "milliseconds"))
    case "token-expiry": return .tokenExpiry(newToken: argument)
    case "status":
      let status = try number(400...599, "an HTTP status")
      guard statuses.contains(status) else {
        throw usage(text, "has no status of \(statuses.map(String.init).joined(separator: ", "))")
      }
      return .status(status)
    default: return nil
    }
  }

  private static func usage(_ text: some StringProtocol, _ what: String) -> Fault {
    Fault(.usage, "the fault '\(text)' \(what)")
  }
}

extension VenueFault: CustomStringConvertible {
  /// The fault as text, which ``init(_:)-(StringProtocol)`` reads.
  public var description: String {
    var text = word
    if let startSeconds { text += "@\(startSeconds)" }
    if let durationSeconds { text += "+\(durationSeconds)" }
    return text
  }

  private var word: String {
    switch kind {
    case .cut: "cut"
    case .cutOne: "cut-one"
    case .cutMidFrame: "cut-mid-frame"
    case .cutAfterTicks(let count): "cut:\(count)"
    case .closeAtOnce: "close-at-once"
    case .halfOpen: "half-open"
    case .silence: "silence"
    case .mute(let percent): "mute:\(percent)"
    case .garbage: "garbage"
    case .duplicates: "duplicates"
    case .reordering: "reordering"
    case .staleSnapshot(let seconds): "stale-snapshot:\(seconds)"
    case .clockSkew(let seconds): "clock-skew:\(seconds)"
    case .status(let code): "status:\(code)"
    // A token is a secret even where it opens nothing but a simulation: whoever gets used to seeing one is careless.
    case .tokenExpiry(let token): token == nil ? "token-expiry" : "token-expiry:…"
    case .slowBody(let milliseconds): "slow-body:\(milliseconds)"
    case .wrongContentType: "wrong-content-type"
    }
  }
}
