import Foundation
import MarketData
import Testing

@testable import FeedHandler

/// What lies where a control socket is to be: only what nobody needs is taken away.
@Suite struct ControlSocketFileTests {
  private static func withPath(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.path + "/control-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory + "/feed.sock")
  }

  /// A socket that is bound to a path, and listens there if wanted.
  private static func socket(at path: String, listens: Bool) throws -> Int32 {
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
    if listens { try #require(listen(descriptor, 1) == 0) }
    return descriptor
  }

  private static func refusal(of path: String) -> Fault? {
    do throws(Fault) {
      try ControlSocketFile.clear(path)
      return nil
    } catch { return error }
  }

  @Test func aLeftOverIsTakenAway() throws {
    try Self.withPath { path in
      #expect(Self.refusal(of: path) == nil, "nothing there is fine, too")
      for listens in [false, true] {
        close(try Self.socket(at: path, listens: listens))
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(Self.refusal(of: path) == nil)
        #expect(!FileManager.default.fileExists(atPath: path))
      }
    }
  }

  @Test func aFileOfSomebodysStays() throws {
    try Self.withPath { path in
      try "precious".write(toFile: path, atomically: true, encoding: .utf8)
      let refusal = Self.refusal(of: path)
      #expect(refusal?.kind == .cannotCreate && refusal?.message.contains("'\(path)'") == true)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
      let link = path + ".link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      #expect(Self.refusal(of: link)?.kind == .cannotCreate)
    }
  }

  @Test func aSocketInUseStaysWithItsProcess() throws {
    try Self.withPath { path in
      let descriptor = try Self.socket(at: path, listens: true)
      defer { close(descriptor) }
      // Some connections fill the queue of one that does not take them.
      for _ in 0..<4 {
        let refusal = Self.refusal(of: path)
        #expect(refusal?.kind == .held && refusal?.message.contains("'\(path)'") == true)
      }
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }
}
