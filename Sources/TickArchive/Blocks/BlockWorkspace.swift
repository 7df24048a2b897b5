internal import MarketData
internal import Synchronization

/// The memory in which blocks are read and unpacked, some megabytes, of which a few are kept for the next scan: asking the
/// system for it anew took longer than a seek.
final class BlockWorkspace: @unchecked Sendable {
  // @unchecked: it is in one thread's hands at a time.

  var decoder: BlockDecoder
  private let kernels: TickKernels
  private var payload: [UInt8] = []

  private static let spare = Mutex<[BlockWorkspace]>([])
  private static let spareMax = 4

  private init(kernels: TickKernels) {
    self.kernels = kernels
    decoder = BlockDecoder(kernels: kernels)
  }

  /// One that is spare, or a new one.
  static func take(kernels: TickKernels) -> BlockWorkspace {
    let found = spare.withLock { spare in
      spare.lastIndex { $0.kernels == kernels }.map { spare.remove(at: $0) }
    }
    return found ?? BlockWorkspace(kernels: kernels)
  }

  /// Keeps it for whoever comes next. The caller must not use it any more.
  func giveBack() {
    Self.spare.withLock { spare in
      if spare.count < Self.spareMax { spare.append(self) }
    }
  }

  /// Reads and opens the block of a task; false when it holds nothing that is wanted.
  ///
  /// - Throws: ``ScanFailure``.
  func open(_ task: BlockTask, _ filter: TickFilter) throws(ScanFailure) -> Bool {
    let header: BlockHeader?
    do throws(Fault) { header = try task.file.input.readBlock(task.entry, into: &payload) } catch {
      throw .fault(error)
    }
    do throws(BadBlock) {
      guard let header else { throw BadBlock("its header is not the one that was indexed") }
      try decoder.open(header, payload: payload, fields: filter.selection.fields)
    } catch {
      throw .block(error)
    }
    return decoder.want(filter)
  }

  /// Decodes ticks of the open block until at least `count` have been passed; returns where the wanted ones are.
  ///
  /// - Throws: ``ScanFailure``.
  func decode(_ count: Int = .max, of task: BlockTask, _ filter: TickFilter) throws(ScanFailure) -> Range<Int>
  {
    do throws(BadBlock) {
      let found = try decoder.decode(count)
      return filter.takesAll(of: task.entry) ? 0..<found : decoder.keep(found, filter)
    } catch {
      throw .block(error)
    }
  }
}

/// Why a block's ticks cannot be had: the file cannot be read, or the block is bad.
enum ScanFailure: Error {
  case fault(Fault)
  case block(BadBlock)

  /// What becomes of the scan's step.
  func outcome(of task: BlockTask) -> ScanOutcome {
    switch self {
    case .fault(let fault): .failed(fault)
    case .block where task.mayBeUnfinished: .nothing
    case .block(let bad): .damaged(DamagedBlock(task.entry, file: task.file.input.path, cause: bad.cause))
    }
  }
}
