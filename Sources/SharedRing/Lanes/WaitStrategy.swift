/// How a consumer waits while its lane is empty.
public enum WaitStrategy: String, Sendable, CaseIterable {
  /// Looks again and again: the fastest answer, for a whole processor.
  case spin
  /// Looks for a few microseconds, then lets other threads run between two looks.
  case spinThenYield = "yield"
  /// Looks for a few microseconds, then sleeps until the producer wakes it: an idle processor, for some
  /// microseconds of the kernel's.
  case spinThenFutex = "futex"
}
