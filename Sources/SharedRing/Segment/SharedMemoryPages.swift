internal import Glibc

/// Huge pages under a shared-memory object.
enum SharedMemoryPages {
  private static let hugeByteCount = 2 << 20
  private static let policyFile = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
  /// `MADV_POPULATE_WRITE`, Linux 5.14: faults pages in and fails where touching them would raise SIGBUS.
  private static let madvisePopulateWrite: Int32 = 23

  /// Fills the object with huge pages where it can; returns why not, nil when the kernel took the advice.
  static func populateHuge(_ descriptor: Int32, _ byteCount: Int) -> String? {
    if let refusal = policyRefusal() { return refusal }
    guard byteCount >= hugeByteCount else { return "it is smaller than one huge page of 2 MiB" }
    // A huge page needs an address that is aligned as the file's offset is.
    let reserved = byteCount + hugeByteCount
    guard
      let area = mmap(nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      area != MAP_FAILED
    else { return errnoText() }
    defer { munmap(area, reserved) }
    let aligned = area.alignedUp(toMultipleOf: hugeByteCount)
    guard mmap(aligned, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) == aligned
    else { return errnoText() }
    guard madvise(aligned, byteCount, MADV_HUGEPAGE) == 0 else { return errnoText() }
    guard madvise(aligned, byteCount, madvisePopulateWrite) == 0 else { return errnoText() }
    return nil
  }

  private static func policyRefusal() -> String? {
    let file = open(policyFile, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "this kernel has none for shared memory (\(policyFile) cannot be read)" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(file, &bytes, bytes.count)
    let policy = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    for refusal in ["[never]", "[deny]"] where policy.contains(refusal) {
      return "\(policyFile) says \(refusal); write 'advise' into it"
    }
    return nil
  }
}
