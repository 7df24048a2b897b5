/// How many bytes of what somebody else wrote go into a sentence.
private let excerptBytesMax = 200

/// The beginning of what somebody else wrote, fit for a sentence: on one line, without control characters, and with an
/// ellipsis where it was cut.
func excerpt(of bytes: some Collection<UInt8>) -> String {
  let first = bytes.prefix(excerptBytesMax)
  let isCut = first.count < bytes.count
  // A cut may have gone through a character.
  let replacement: Unicode.Scalar = "\u{FFFD}"
  var scalars = Array(String(decoding: first, as: UTF8.self).unicodeScalars)
  while isCut, scalars.last == replacement { scalars.removeLast() }
  let visible = scalars.map { $0.properties.generalCategory == .control ? " " : String($0) }
  return visible.joined().split(separator: " ").joined(separator: " ") + (isCut ? "…" : "")
}
