internal import CLinux
internal import CSharedRing
internal import Glibc
public import MarketData

/// One mapped POSIX shared-memory object: the only place where TickRing opens, sizes, maps and locks one.
///
/// The descriptor stays open as long as the mapping, since the role locks hang on it: when the owner goes, by
/// `deinit` or by `kill -9`, the kernel drops them.
@safe
public struct SharedMapping: ~Copyable, @unchecked Sendable {
  // @unchecked: the address is plain data; who may touch which word is the protocol's business, not the mapping's.

  /// Name of the object, beginning with a slash.
  public let name: String
  /// Size of the object in bytes.
  public let byteCount: Int
  /// True when this process has just created the object.
  public let isNew: Bool
  /// What was asked of the kernel for this memory and refused, in sentences; the mapping works without.
  public let refusals: [String]
  @usableFromInline let base: UnsafeMutableRawPointer
  private let mappedByteCount: Int
  private let descriptor: Int32
  /// Number of the guard against truncation; nil without one.
  private var truncationGuard: Int32?

  /// How an existing object is to be mapped.
  public enum Access: Sendable {
    /// For watching: nothing can be written through the mapping.
    case readOnly
    /// For a producer, and for a consumer that must move its cursor.
    case readWrite
  }

  /// Creates an object, reserves all its memory, and maps it with its pages present; nil when the name is taken.
  ///
  /// Reserving first turns a full /dev/shm into an error here instead of a SIGBUS later.
  /// - Throws: ``Fault`` of kind `cannotCreate`.
  public init?(new name: String, byteCount: Int, options: SegmentOptions) throws(Fault) {
    let descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST { return nil }
      throw Fault(.cannotCreate, "cannot create shared memory '\(name)': \(errnoText())")
    }
    var isKept = false
    defer {
      if !isKept {
        shm_unlink(name)
        Glibc.close(descriptor)
      }
    }
    guard ftruncate(descriptor, byteCount) == 0 else {
      throw Fault(.cannotCreate, "cannot size shared memory '\(name)': \(errnoText())")
    }
    var refusals: [String] = []
    if options.wantsHugePages {
      // Huge pages must be asked for through a mapping, before the memory is reserved in small ones.
      if let refusal = SharedMemoryPages.populateHuge(descriptor, byteCount) {
        refusals.append("shared memory '\(name)' has no huge pages: \(refusal)")
      }
    }
    var result: Int32
    repeat { result = posix_fallocate(descriptor, 0, byteCount) } while result == EINTR
    guard result == 0 else {
      throw Fault(
        .cannotCreate,
        "cannot reserve \(byteCount) bytes of shared memory for '\(name)': \(String(cString: strerror(result))); "
          + "make room in /dev/shm or lower the slot counts under shared_memory")
    }
    // Late: whoever may open it then finds it whole in size.
    try Self.setOwnership(descriptor, name, options)
    let base = try Self.map(descriptor, name, byteCount, PROT_READ | PROT_WRITE)
    if options.isLocked, mlock(base, byteCount) != 0 {
      refusals.append(
        "shared memory '\(name)' may be swapped out, since locking it was refused: \(errnoText()); raise the limit "
          + "of locked memory (ulimit -l)")
    }
    self.base = base
    self.name = name
    self.byteCount = byteCount
    self.mappedByteCount = byteCount
    self.descriptor = descriptor
    self.isNew = true
    self.refusals = refusals
    isKept = true
  }

  /// Maps an object that exists; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it may not be opened or mapped.
  public init?(existing name: String, access: Access) throws(Fault) {
    let isReadOnly = access == .readOnly
    let descriptor = shm_open(name, (isReadOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC, 0)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Fault(.missingInput, "cannot open shared memory '\(name)': \(errnoText())")
    }
    var isKept = false
    defer { if !isKept { Glibc.close(descriptor) } }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Fault(.missingInput, "cannot inspect shared memory '\(name)': \(errnoText())")
    }
    // An object that its producer has only just created is empty: nothing of its one page may be touched.
    let byteCount = Int(status.st_size)
    let mappedByteCount = max(byteCount, 1)
    // Every producer reserves all of its memory. What has holes is no producer's, and filling them, even by reading,
    // would take from the machine whatever size somebody has written down.
    let isReserved = Int(status.st_blocks) * Self.blockByteCount >= byteCount
    self.base = try Self.map(
      descriptor, name, mappedByteCount, isReadOnly ? PROT_READ : PROT_READ | PROT_WRITE,
      isPresent: isReserved)
    self.name = name
    self.byteCount = byteCount
    self.mappedByteCount = mappedByteCount
    self.descriptor = descriptor
    self.isNew = false
    self.refusals = []
    isKept = true
  }

  deinit {
    if let truncationGuard { tickring_unguard_mapping(truncationGuard) }
    munmap(base, mappedByteCount)
    Glibc.close(descriptor)
  }

  /// Gives the object the mode and group of its options.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate`.
  func setOwnership(_ options: SegmentOptions) throws(Fault) {
    try Self.setOwnership(descriptor, name, options)
  }

  private static func setOwnership(_ descriptor: Int32, _ name: String, _ options: SegmentOptions)
    throws(Fault)
  {
    if let group = options.group, fchown(descriptor, uid_t.max, group) != 0 {
      throw Fault(
        .cannotCreate,
        "cannot give shared memory '\(name)' to group \(group): \(errnoText()); this user must be a member of it"
      )
    }
    guard fchmod(descriptor, mode_t(options.mode)) == 0 else {
      throw Fault(
        .cannotCreate,
        "cannot give shared memory '\(name)' mode 0\(String(options.mode, radix: 8)): \(errnoText())")
    }
  }

  /// Survives another process's cutting the object short, which else ends this one with SIGBUS: the mapping then
  /// becomes private memory full of zeros, and ``isTruncated`` true.
  ///
  /// Whoever may write an object may also truncate it, so a producer guards what its consumers can write. The guard is
  /// a handler of SIGBUS, which a library must not bring into a strategy's process unasked.
  /// - Throws: ``Fault`` of kind `system` when the handler cannot be installed, or
  ///   1024 mappings are guarded already.
  mutating func guardAgainstTruncation() throws(Fault) {
    guard truncationGuard == nil else { return }
    let result = tickring_guard_mapping(base, mappedByteCount)
    guard result >= 0 else {
      throw Fault(
        .system,
        "cannot guard shared memory '\(name)' against truncation: \(String(cString: strerror(-result)))")
    }
    truncationGuard = result
  }

  /// True once another process has cut the object short and this one met the hole; always false without a guard.
  var isTruncated: Bool { truncationGuard.map { tickring_guard_is_broken($0) } ?? false }

  /// How many guarded mappings of this process were cut short so far: cheap enough to look at once a batch.
  public static var truncations: UInt64 { tickring_guard_breaks() }

  /// Takes the lock of one role; false when another process (or another mapping) holds it.
  public func tryLock(role: Int32) -> Bool {
    tickring_lock_try_exclusive(descriptor, off_t(role), 1) == 0
  }

  /// True when someone else holds the lock of one role.
  public func isLockedByOther(role: Int32) -> Bool {
    tickring_lock_is_held_by_other(descriptor, off_t(role), 1) == 1
  }

  /// Who owns the object and since when, by the file system.
  var status: (owner: UInt32, mode: UInt32, changed: Timestamp, isStillNamed: Bool) {
    var mine = stat()
    guard fstat(descriptor, &mine) == 0 else { return (.max, 0, .unknown, false) }
    let changed = Timestamp(seconds: Int64(mine.st_ctim.tv_sec))
    return (mine.st_uid, mine.st_mode & 0o777, changed, mine.st_nlink > 0)
  }

  /// True when both have mapped the same object, and not one of the same name that was made since.
  func isSameObject(as other: borrowing SharedMapping) -> Bool {
    var mine = stat()
    var theirs = stat()
    guard fstat(descriptor, &mine) == 0, fstat(other.descriptor, &theirs) == 0 else { return false }
    return mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev
  }

  /// Removes the object's name; mappings of it live on until their owners go.
  public static func unlink(_ name: String) {
    shm_unlink(name)
  }

  /// The unit in which the file system says how much memory an object takes.
  private static let blockByteCount = 512

  /// Maps an object, with its pages present where asked for.
  private static func map(
    _ descriptor: Int32, _ name: String, _ byteCount: Int, _ protection: Int32, isPresent: Bool = true
  ) throws(Fault) -> UnsafeMutableRawPointer {
    let flags = MAP_SHARED | (isPresent ? Int32(MAP_POPULATE) : 0)
    guard let base = mmap(nil, byteCount, protection, flags, descriptor, 0), base != MAP_FAILED
    else {
      throw Fault(.system, "cannot map \(byteCount) bytes of shared memory '\(name)': \(errnoText())")
    }
    return base
  }
}

extension SharedMapping {
  /// Reads a NUL-terminated text of at most `byteCountMax` bytes at `offset`.
  func text(at offset: Int, byteCountMax: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: base + offset, count: byteCountMax)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Writes a text and fills the rest of its field with zeros; longer texts are cut at `byteCountMax - 1` bytes.
  func setText(_ text: String, at offset: Int, byteCountMax: Int) {
    let target = UnsafeMutableRawBufferPointer(start: base + offset, count: byteCountMax)
    target.initializeMemory(as: UInt8.self, repeating: 0)
    target.copyBytes(from: text.utf8.prefix(byteCountMax - 1))
  }
}

func errnoText() -> String { String(cString: strerror(errno)) }
