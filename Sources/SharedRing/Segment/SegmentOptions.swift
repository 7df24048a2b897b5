/// How a shared-memory object is made: who may open it, and how its memory is held.
public struct SegmentOptions: Sendable, Hashable {
  /// File mode, not reduced by the umask.
  public var mode: UInt32
  /// Number of the group that owns the object; nil leaves it to the process's own group.
  public var group: UInt32?
  /// Asks for huge pages; where the kernel has none to give, small ones do, and ``SharedMapping/refusals`` says so.
  public var wantsHugePages: Bool
  /// Asks that the memory is never swapped out; a refusal is said likewise.
  public var isLocked: Bool

  /// Makes options; unless told otherwise only the owner may open the object.
  public init(
    mode: UInt32 = 0o600, group: UInt32? = nil, wantsHugePages: Bool = false, isLocked: Bool = false
  ) {
    self.mode = mode
    self.group = group
    self.wantsHugePages = wantsHugePages
    self.isLocked = isLocked
  }

  /// The same memory, written by nobody but its owner: a mode that lets a group write the cursors of lanes lets it only
  /// read the feed segment.
  var withoutOtherWriters: SegmentOptions {
    var options = self
    options.mode &= ~0o022
    return options
  }

  /// The mode of a socket for those who may open lanes of this mode, which takes reading and writing.
  public var socketMode: UInt32 {
    [0o600, 0o060, 0o006].reduce(0) { mode & $1 == $1 ? $0 | $1 : $0 }
  }

  /// The same memory for nobody but the owner: what a feed handler keeps for itself.
  public var forOwnerOnly: SegmentOptions {
    SegmentOptions(wantsHugePages: wantsHugePages, isLocked: isLocked)
  }
}
