import CLZ4
import CTickCodec
import Foundation
import MarketData

@testable import TickArchive

// The C kernels by themselves, without files, checksums and LZ4 in between: thousands of blocks a second. All kernels
// must agree on every block, sound or not, and reading some instruments must give what reading all gives.

/// A block's header as the archive takes it, and its sections, each as long as its descriptor says.
struct UnpackedBlock {
  let header: BlockHeader
  let payload: [UInt8]

  /// Takes every section for one that is stored as it is, and makes lengths and checksum fit; nil where the archive would
  /// not let the header through to the kernels, or the bytes end too soon.
  init?(_ input: [UInt8]) {
    guard input.count >= BlockHeader.length, input[10] == BlockHeader.Kind.ticks.rawValue else { return nil }
    var bytes = Array(input[..<BlockHeader.length])
    var length = 0
    for descriptor in stride(from: Layout.descriptors, to: Layout.headerChecksum - 7, by: 8) {
      let stored = word(at: descriptor + 4, in: bytes)
      let isPacked = bytes[descriptor + 3] & 0x40
      guard stored <= input.count else { return nil }
      store(UInt32(stored), at: descriptor, in: &bytes)
      bytes[descriptor + 3] = isPacked | (stored == 0 ? 0 : 0x10)
      length += stored
    }
    guard length <= input.count - BlockHeader.length else { return nil }
    payload = Array(input[BlockHeader.length..<BlockHeader.length + length])
    store(UInt32((length + 7) / 8 * 8), at: Layout.payloadLength, in: &bytes)
    store(checksum(bytes[..<Layout.headerChecksum]), at: Layout.headerChecksum, in: &bytes)
    guard let header = BlockHeader(bytes, at: 0), header.kind == .ticks else { return nil }
    self.header = header
  }
}

/// What a kernel makes of a block: the ticks up to the first tile that it refused, if any.
struct KernelAnswer: Equatable {
  var ticks: [UInt8] = []
  var malformedSection: Int?
}

/// The memory that kernels read blocks with, used for one after the other.
final class KernelTrial {
  private let reader = OpaquePointer(
    UnsafeMutableRawPointer.allocate(
      byteCount: tickcodec_reader_size(), alignment: Int(tickcodec_reader_alignment)))
  private let ticks = UnsafeMutablePointer<tickcodec_tick>.allocate(
    capacity: Int(tickcodec_block_ticks_max))

  /// Reads a block; with `wanted`, which has an element for each instrument of the block, only some.
  func read(_ block: UnpackedBlock, kernels: Int, wanted: [UInt8]? = nil) -> KernelAnswer {
    // Just as long as the kernels may load, so that the sanitizer sees a byte more.
    let readable = block.payload + [UInt8](repeating: 0xA5, count: 64)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: readable.count)
    defer { memory.deallocate() }
    memory.initialize(from: readable, count: readable.count)

    let header = block.header
    var parameters = header.parameters
    let sections = header.sections(at: memory)
    var answer = KernelAnswer()
    let malformed = tickcodec_open(
      reader, sections, UInt32(header.version), UInt32(header.recordCount), UInt32(header.instrumentCount),
      &parameters, .max, memory + readable.count, UInt32(kernels))
    guard malformed < 0 else {
      answer.malformedSection = Int(malformed)
      return answer
    }
    while tickcodec_left(reader) > 0 {
      let count =
        wanted == nil ? tickcodec_read(reader, ticks) : tickcodec_read_wanted(reader, wanted, ticks)
      guard count >= 0 else {
        answer.malformedSection = Int(-1 - count)
        break
      }
      answer.ticks += UnsafeRawBufferPointer(start: ticks, count: Int(count) * MemoryLayout<Tick>.stride)
    }
    return answer
  }
}

let kernelTrial = KernelTrial()

func compareKernels(_ input: [UInt8]) {
  guard let block = UnpackedBlock(input) else { return }
  let portable = kernelTrial.read(block, kernels: Int(tickcodec_kernels_portable))
  for kernels in [tickcodec_kernels_best, tickcodec_kernels_avx2] {
    precondition(kernelTrial.read(block, kernels: Int(kernels)) == portable, "kernels disagree")
  }
  let ticks = portable.ticks.withUnsafeBytes { Array($0.bindMemory(to: Tick.self)) }
  for tick in ticks { seededBug(in: tick) }
  guard portable.malformedSection == nil else { return }
  compareSelection(of: block, ticks)
}

/// Every second instrument of a sound block.
private func compareSelection(of block: UnpackedBlock, _ ticks: [Tick]) {
  let everySecond = (0..<block.header.instrumentCount).map { UInt8($0 & 1) }
  for kernels in [tickcodec_kernels_best, tickcodec_kernels_avx2, tickcodec_kernels_portable] {
    let answer = kernelTrial.read(block, kernels: Int(kernels), wanted: everySecond)
    precondition(answer.malformedSection == nil, "a sound block is malformed for a selection")
    let some = answer.ticks.withUnsafeBytes { Array($0.bindMemory(to: Tick.self)) }
    // Two instruments of a hostile directory may be one, which no writer would write: then counting is all there is.
    var rest = ticks[...]
    for tick in some {
      guard let index = rest.firstIndex(of: tick) else {
        preconditionFailure("a selection has a tick of its own")
      }
      rest = rest[(index + 1)...]
    }
  }
}

/// The blocks of ticks in a segment, each as this target's input.
func unpackedBlocks(of segment: [UInt8]) -> [[UInt8]] {
  stride(from: Layout.segmentHeaderLength, to: segment.count - Layout.blockHeaderLength, by: 8)
    .filter { isBlock(at: $0, in: segment) && segment[$0 + 10] == BlockHeader.Kind.ticks.rawValue }
    .map { unpackedBlock(at: $0, of: segment) }
}

private func unpackedBlock(at start: Int, of segment: [UInt8]) -> [UInt8] {
  var header = Array(segment[start..<start + BlockHeader.length])
  var sections: [UInt8] = []
  var position = start + BlockHeader.length
  let descriptorCount = Int(header[11])
  for descriptor in stride(from: Layout.descriptors, to: Layout.descriptors + 8 * descriptorCount, by: 8) {
    let form = word(at: descriptor, in: header), stored = word(at: descriptor + 4, in: header)
    var section = Array(segment[position..<position + stored])
    position += stored
    if form >> 28 & 3 == Int(SectionMethod.lz4.rawValue) {
      var raw = [CChar](repeating: 0, count: form & 0x0FFF_FFFF)
      let length = section.withUnsafeBytes {
        LZ4_decompress_safe($0.baseAddress, &raw, Int32(stored), Int32(raw.count))
      }
      precondition(Int(length) == raw.count)
      section = raw.map { UInt8(bitPattern: $0) }
    }
    store(UInt32(section.count), at: descriptor + 4, in: &header)
    sections += section
  }
  return header + sections
}

/// A segment whose one block of ticks is longer than what kernels read at a time, of many instruments.
func busySegment(in directory: String) throws -> [UInt8] {
  let directory = directory + "/busy"
  var archive = try ArchiveWriter(
    directory: directory, feed: "busy", options: ArchiveOptions(blockTicks: 1500), calls: .repeatable)
  let open = Timestamp(seconds: 1_795_405_500)
  for number in 1...1500 as ClosedRange<UInt64> {
    let mixed = number &* 0x9E37_79B9_7F4A_7C15 >> 32
    let time = open + Int64(number) * 1_234_567
    _ = try archive.append(
      Tick(
        instrument: InstrumentID(rawValue: UInt32(mixed % 40)), sequence: number + number / 100,
        receiveTime: time,
        exchangeTime: Timestamp(seconds: time.seconds),
        lastPrice: Price(units: 50_000_000 * Int64(2000 + mixed % 60)),
        dayVolume: Int64(number * 75), lastTradeSeconds: UInt32(time.seconds),
        lastQuantity: UInt32(75 * (mixed % 9)),
        openInterest: UInt32(mixed % 5)))
  }
  try archive.finish()
  return [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory + "/busy-20261123-0001.tka")))
}
