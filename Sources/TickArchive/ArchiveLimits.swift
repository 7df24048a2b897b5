/// Bounds that writer and reader share. A file that claims more is damaged, whatever its checksums say.
enum ArchiveLimits {
  /// Ticks in one block.
  static let blockTicksMax = 32_768
  /// Blocks listed in one footer index; a longer segment goes without.
  static let indexEntriesMax = 1 << 20
  /// Definitions in one block.
  static let blockDefinitionsMax = 32_768
  /// Unpacked bytes of the definitions in one block.
  static let definitionBytesMax = 4 << 20
  /// Frames in one block of a capture.
  static let blockFramesMax = 32_768
  /// Unpacked bytes of the frames in one block, their lengths and times included.
  static let frameBytesMax = 16 << 20
  /// Bytes of payload of any block.
  static let payloadBytesMax = 64 << 20
  /// UTF-8 bytes of an instrument's venue token.
  static let venueTokenBytesMax = 1024
  /// UTF-8 bytes of a feed's name.
  static let feedNameBytesMax = 36
}
