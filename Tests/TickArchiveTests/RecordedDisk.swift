import Foundation
import MarketData
import Synchronization
import TickArchive

/// Records what a writer asks of the file system, so that what a power cut could have left at any moment can be built.
///
/// The model is as unkind as a disk may be: of what was not synchronized any sector of any write may be there or not, a
/// change of length may be there or not, and of the changes of directory entries any first part. What was
/// synchronized is there.
final class RecordedDisk: Sendable {
  enum Operation {
    case create(file: Int, path: String)
    case write(file: Int, offset: Int, bytes: [UInt8])
    case truncate(file: Int, length: Int)
    case synchronize(file: Int)
    case rename(from: String, to: String)
    case remove(path: String)
    case synchronizeDirectory
    /// Not a call: the writer said that everything up to this sequence is safe.
    case acknowledge(UInt64)
  }

  /// A bug that the instrument must find.
  enum SeededBug: CaseIterable {
    case fileIsNotSynchronized, directoryIsNotSynchronized
  }

  private struct State {
    var operations: [Operation] = []
    var names: [String: Int] = [:]
    var descriptors: [Int32: Int] = [:]
    var files = 0
  }

  private let state = Mutex(State())
  private let bug: SeededBug?

  init(bug: SeededBug? = nil) { self.bug = bug }

  var operations: [Operation] { state.withLock { $0.operations } }

  func acknowledge(_ sequence: UInt64) { record { $0.operations.append(.acknowledge(sequence)) } }

  private func record(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

  /// The real calls, recorded where they succeed.
  var calls: FileCalls {
    let system = FileCalls.system
    var calls = system
    calls.create = { path in
      let descriptor = system.create(path)
      self.record { state in
        guard descriptor >= 0 else { return }
        state.names[path] = state.files
        state.descriptors[descriptor] = state.files
        state.operations.append(.create(file: state.files, path: path))
        state.files += 1
      }
      return descriptor
    }
    calls.open = { path in
      let descriptor = system.open(path)
      self.record { $0.descriptors[descriptor] = $0.names[path] }
      return descriptor
    }
    calls.write = { descriptor, bytes, offset in
      let count = system.write(descriptor, bytes, offset)
      self.record { state in
        guard let file = state.descriptors[descriptor], count > 0 else { return }
        state.operations.append(.write(file: file, offset: offset, bytes: Array(bytes.prefix(count))))
      }
      return count
    }
    calls.truncate = { descriptor, length in
      let result = system.truncate(descriptor, length)
      self.record { state in
        guard let file = state.descriptors[descriptor], result == 0 else { return }
        state.operations.append(.truncate(file: file, length: length))
      }
      return result
    }
    calls.synchronize = { descriptor in
      self.record { state in
        guard let file = state.descriptors[descriptor], self.bug != .fileIsNotSynchronized else { return }
        state.operations.append(.synchronize(file: file))
      }
      return 0
    }
    calls.rename = { from, to in
      let result = system.rename(from, to)
      self.record { state in
        guard result == 0 else { return }
        state.names[to] = state.names.removeValue(forKey: from)
        state.operations.append(.rename(from: from, to: to))
      }
      return result
    }
    calls.remove = { path in
      let result = system.remove(path)
      self.record { state in
        guard result == 0 else { return }
        state.names[path] = nil
        state.operations.append(.remove(path: path))
      }
      return result
    }
    calls.synchronizeDirectory = { _ in
      self.record { state in
        if self.bug != .directoryIsNotSynchronized { state.operations.append(.synchronizeDirectory) }
      }
      return 0
    }
    return calls
  }

  /// What a power cut after the first `count` operations could have left.
  static func image(
    after count: Int, of operations: [Operation], using random: inout SeededGenerator
  ) -> DiskImage {
    var image = DiskImage()
    for operation in operations.prefix(count) { image.take(operation) }
    image.cutPower(using: &random)
    return image
  }
}

/// The contents of a directory that is being changed, as far as they are known to be on the device.
struct DiskImage {
  private typealias Operation = RecordedDisk.Operation

  private var durable: [Int: [UInt8]] = [:]
  private var pending: [Int: [Operation]] = [:]
  private(set) var names: [String: Int] = [:]
  private var pendingNames: [Operation] = []
  /// Everything up to this sequence must be there.
  private(set) var acknowledged: UInt64 = 0

  private static let sectorBytes = 512

  fileprivate mutating func take(_ operation: RecordedDisk.Operation) {
    switch operation {
    case .create(let file, _):
      durable[file] = []
      pendingNames.append(operation)
    case .write(let file, _, _), .truncate(let file, _): pending[file, default: []].append(operation)
    case .synchronize(let file):
      for change in pending.removeValue(forKey: file) ?? [] { apply(change) { _ in true } }
    case .rename, .remove: pendingNames.append(operation)
    case .synchronizeDirectory:
      for change in pendingNames { applyName(change) }
      pendingNames.removeAll()
    case .acknowledge(let sequence): acknowledged = sequence
    }
  }

  fileprivate mutating func cutPower(using random: inout SeededGenerator) {
    for change in pendingNames.prefix(Int.random(in: 0...pendingNames.count, using: &random)) {
      applyName(change)
    }
    for (_, changes) in pending.sorted(by: { $0.key < $1.key }) {
      // Now and then all or nothing of a file, which a coin for each sector would hardly ever give.
      let mood = Int.random(in: 0..<4, using: &random)
      for change in changes {
        apply(change) { _ in mood == 0 ? true : mood == 1 ? false : Bool.random(using: &random) }
      }
    }
  }

  private mutating func applyName(_ change: RecordedDisk.Operation) {
    switch change {
    case .create(let file, let path): names[path] = file
    case .rename(let from, let to): if let file = names.removeValue(forKey: from) { names[to] = file }
    case .remove(let path): names[path] = nil
    default: break
    }
  }

  private mutating func apply(_ change: RecordedDisk.Operation, isKept: (Int) -> Bool) {
    switch change {
    case .write(let file, let offset, let bytes):
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + Self.sectorBytes - (offset + start) % Self.sectorBytes)
        if isKept(start) { put(bytes[start..<end], at: offset + start, of: file) }
        start = end
      }
    case .truncate(let file, let length): if isKept(0) { setLength(length, of: file) }
    default: break
    }
  }

  private mutating func setLength(_ length: Int, of file: Int) {
    var content = durable[file] ?? []
    if content.count > length { content.removeLast(content.count - length) }
    content += [UInt8](repeating: 0, count: length - content.count)
    durable[file] = content
  }

  private mutating func put(_ bytes: ArraySlice<UInt8>, at offset: Int, of file: Int) {
    if (durable[file] ?? []).count < offset + bytes.count { setLength(offset + bytes.count, of: file) }
    durable[file]?.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  /// Writes the files into another directory.
  func write(to directory: String) throws {
    for (path, file) in names {
      let name = URL(fileURLWithPath: path).lastPathComponent
      try writeBytes(durable[file] ?? [], to: directory + "/" + name)
    }
  }
}
