internal import CLinux
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
  /// Size in bytes.
  public let byteCount: Int
  @usableFromInline let base: UnsafeMutableRawPointer
  private let descriptor: Int32

  /// How an existing object is to be mapped.
  public enum Access: Sendable {
    /// For watching: nothing can be written through the mapping.
    case readOnly
    /// For a producer, and for a consumer that must move its cursor.
    case readWrite
  }

  /// Creates the object if it is absent, reserves all its memory, and maps it with its pages present.
  ///
  /// Reserving first turns a full /dev/shm into an error here instead of a SIGBUS later.
  /// - Parameters:
  ///   - permissions: file mode of the object, not reduced by the umask.
  /// - Throws: ``Fault`` of kind `cannotCreate`.
  public init(creating name: String, byteCount: Int, permissions: UInt32) throws(Fault) {
    var descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(permissions))
    let isNew = descriptor >= 0
    if !isNew, errno == EEXIST { descriptor = shm_open(name, O_RDWR | O_CLOEXEC, 0) }
    guard descriptor >= 0 else {
      throw Fault(.cannotCreate, "cannot create shared memory '\(name)': \(Self.errnoText())")
    }
    let opened = descriptor
    var isKept = false
    defer { if !isKept { Glibc.close(opened) } }
    fchmod(descriptor, mode_t(permissions))
    var result: Int32
    repeat { result = posix_fallocate(descriptor, 0, byteCount) } while result == EINTR
    guard result == 0 else {
      // An object that was there before may hold what nobody has read; only a new one goes.
      if isNew { shm_unlink(name) }
      throw Fault(
        .cannotCreate,
        "cannot reserve \(byteCount) bytes of shared memory for '\(name)': \(Self.text(of: result)); "
          + "make room in /dev/shm or lower the slot counts under shared_memory")
    }
    self.base = try Self.map(descriptor, name, byteCount, PROT_READ | PROT_WRITE)
    self.name = name
    self.byteCount = byteCount
    self.descriptor = descriptor
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
      throw Fault(.missingInput, "cannot open shared memory '\(name)': \(Self.errnoText())")
    }
    var isKept = false
    defer { if !isKept { Glibc.close(descriptor) } }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Fault(.missingInput, "cannot inspect shared memory '\(name)': \(Self.errnoText())")
    }
    let byteCount = Int(status.st_size)
    // An empty object cannot be mapped: its producer has only just created it.
    guard byteCount > 0 else { return nil }
    self.base = try Self.map(
      descriptor, name, byteCount, isReadOnly ? PROT_READ : PROT_READ | PROT_WRITE)
    self.name = name
    self.byteCount = byteCount
    self.descriptor = descriptor
    isKept = true
  }

  deinit {
    munmap(base, byteCount)
    Glibc.close(descriptor)
  }

  /// Takes the lock of one role; false when another process (or another mapping) holds it.
  public func tryLock(role: Int32) -> Bool {
    tickring_lock_try_exclusive(descriptor, off_t(role), 1) == 0
  }

  /// True when someone else holds the lock of one role.
  public func isLockedByOther(role: Int32) -> Bool {
    tickring_lock_is_held_by_other(descriptor, off_t(role), 1) == 1
  }

  /// Removes the object's name; mappings of it live on until their owners go.
  public static func unlink(_ name: String) {
    shm_unlink(name)
  }

  private static func map(_ descriptor: Int32, _ name: String, _ byteCount: Int, _ protection: Int32)
    throws(Fault) -> UnsafeMutableRawPointer
  {
    guard
      let base = mmap(nil, byteCount, protection, MAP_SHARED | Int32(MAP_POPULATE), descriptor, 0),
      base != MAP_FAILED
    else {
      throw Fault(.system, "cannot map \(byteCount) bytes of shared memory '\(name)': \(errnoText())")
    }
    return base
  }

  private static func errnoText() -> String { text(of: errno) }

  private static func text(of code: Int32) -> String { String(cString: strerror(code)) }
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
