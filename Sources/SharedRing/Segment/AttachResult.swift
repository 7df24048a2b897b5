internal import CSharedRing
internal import MarketData

/// What an attaching program finds under a name, in the order in which a producer makes it.
///
/// The numbers are those of `tickring_attach_result`, by which readers in other languages tell the same states.
public enum AttachResult: UInt32, Sendable, CaseIterable {
  /// Whole, and a producer holds it.
  case ready = 0
  /// There is no such object.
  case absent = 1
  /// Too small for a header: its producer has only just created it.
  case tooSmall = 2
  /// No magic number yet: its producer is making it, or taking it over.
  case notInitialised = 3
  /// Made by a program of another layout version.
  case otherVersion = 4
  /// Sizes that do not agree with each other or with the object's.
  case otherLayout = 5
  /// Whole, but its producer has died or ended.
  case staleProducer = 6

  /// True for a state that passes when the producer gets on with its work.
  public var isTransient: Bool { self == .tooSmall || self == .notInitialised }

  init(_ result: tickring_attach_result) {
    self = AttachResult(rawValue: result.rawValue) ?? .otherLayout
  }

  /// The fault by which an object that cannot be used is refused; nil for one that can.
  func fault(of what: String, name: String, version: UInt32, readable: Int) -> Fault? {
    switch self {
    case .ready, .staleProducer: nil
    case .absent: Fault(.unavailable, "there is no \(what) (no shared memory '\(name)')")
    case .tooSmall:
      Fault(.unavailable, "\(what) is too small to hold a header; its feed handler is not ready")
    case .notInitialised: Fault(.unavailable, "\(what) is not initialised; its feed handler is not ready")
    case .otherVersion:
      Fault(
        .protocolViolation,
        "\(what) has layout version \(version), this program reads version \(readable); use "
          + "programs of one TickRing version")
    case .otherLayout:
      Fault(.protocolViolation, "\(what) says sizes that do not fit its shared memory '\(name)'")
    }
  }
}
