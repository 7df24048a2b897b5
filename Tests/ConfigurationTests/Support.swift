import Configuration
import Foundation
import MarketData

/// The sentences that a text draws when it is checked as `feed.yaml`; empty when it is right.
func sentences(_ text: String) -> [String] {
  do throws(ConfigurationFaults) {
    _ = try FeedConfiguration.parse(text, file: "feed.yaml")
    return []
  } catch {
    return error.all.map(\.message)
  }
}

/// Runs `body` with a directory of its own, which is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tickring-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  return try body(directory.path)
}
