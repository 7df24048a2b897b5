/// Why a block cannot be decoded, as the end of a sentence. The caller adds file and bounds.
struct BadBlock: Error {
  let cause: String

  init(_ cause: String) { self.cause = cause }
}
