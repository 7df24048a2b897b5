internal import CTickCodec

/// Integers of the format in byte arrays: little-endian, at any offset.
extension [UInt8] {
  /// The integer whose first byte is at `offset`. The caller has checked that the array reaches that far.
  func integer<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type, at offset: Int) -> Value {
    var value: Value = 0
    for index in 0..<MemoryLayout<Value>.size {
      value |= Value(self[offset + index]) << Value(8 * index)
    }
    return value
  }

  /// Overwrites the bytes from `offset` on.
  mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    var rest = value
    for index in 0..<MemoryLayout<Value>.size {
      self[offset + index] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
    }
  }

  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// CRC-32C of a part of the array.
  func checksum(_ range: Range<Int>) -> UInt32 {
    self[range].withUnsafeBufferPointer { tickcodec_crc32c($0.baseAddress, $0.count) }
  }
}

/// Reads the fields of a record one after the other and never beyond its end.
struct FieldReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  /// The next integer, or nil when the bytes end before it does.
  mutating func next<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) -> Value? {
    guard bytes.count - offset >= MemoryLayout<Value>.size else { return nil }
    defer { offset += MemoryLayout<Value>.size }
    return bytes.integer(type, at: offset)
  }

  /// The next `count` bytes, or nil when they are not there.
  mutating func nextBytes(count: Int) -> ArraySlice<UInt8>? {
    guard count <= bytes.count - offset else { return nil }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  /// The next `count` bytes as text, or nil when they are not there or not UTF-8.
  mutating func nextText(count: Int) -> String? {
    guard count <= bytes.count - offset else { return nil }
    defer { offset += count }
    return String(validating: bytes[offset..<offset + count], as: UTF8.self)
  }
}
