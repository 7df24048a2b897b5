import Foundation
import Testing

@testable import Venues

/// The decoder against the vendor's own Python client, on frames made by the shared generator.
@Suite struct KiteGoldenTests {
  /// The version whose answers the protocol notes describe.
  private static let vendorVersion = "5.2.2"

  /// One line of the generator's output.
  private struct Row: Decodable {
    var `case`: String
    var hex: String
    var decoded: [[String: JSONValue]]?
    var quirk: [String]?
  }

  @Test func everyFieldIsWhatTheVendorsClientReads() async throws {
    for seed in [7, 2026, 31_337] {
      let rows = try await Self.rows(seed: seed, options: ["--n", "150"])
      #expect(rows.count > 150)
      for row in rows {
        let description = KiteMessage.describe(hex: row.hex)
        let expected = try #require(row.decoded).map { Self.corrected($0, quirks: row.quirk ?? []) }
        let actual = try description.lines.map {
          try JSONDecoder().decode([String: JSONValue].self, from: Data($0.utf8))
        }
        #expect(actual == expected, "\(row.case): \(row.hex)")
        // The vendor skips packets of unknown length in silence; here each is a sentence.
        #expect(description.errors.isEmpty == !row.case.hasPrefix("length/"), "\(row.case)")
      }
    }
  }

  @Test func malformedFramesAreFaultsWhateverTheVendorsClientMakesOfThem() async throws {
    let rows = try await Self.rows(seed: 1, options: ["--n", "0", "--no-edges", "--malformed"])
    #expect(!rows.isEmpty)
    for row in rows { #expect(KiteMessage.describe(hex: row.hex).errors.count == 1, "\(row.case)") }
  }

  /// The vendor's answer without its derived `change`; and where it reads a negative price as unsigned, with the
  /// price that was meant.
  private static func corrected(_ tick: [String: JSONValue], quirks: [String]) -> [String: JSONValue] {
    var tick = tick
    tick["change"] = nil
    guard quirks.contains(where: { $0.hasPrefix("unsigned") }),
      case .number(let token)? = tick["instrument_token"]
    else { return tick }
    let divisor: Decimal =
      switch UInt32(truncating: token as NSDecimalNumber) & 0xFF {
      case 3: 10_000_000
      case 6, 12: 10_000
      default: 100
      }
    return tick.mapValues { $0.signed(divisor: divisor) }.merging(
      ["last_price", "average_traded_price"].compactMap { key in
        tick[key].map { (key, $0.signedPrice(divisor: divisor)) }
      }
    ) { $1 }
  }

  private static func rows(seed: Int, options: [String]) async throws -> [Row] {
    guard let generator = SharedMaterial.folder?.appending(path: "protocols/golden.py"),
      FileManager.default.fileExists(atPath: generator.path)
    else { try Test.cancel("protocols/golden.py is absent: set TICKRING_SHARED to the folder that has it") }
    let python: String
    do {
      python = try await onThread { try pythonWithVendorClient.get() }
    } catch {
      try Test.cancel("the vendor's client cannot be had: \(error)")
    }
    return try await withTemporaryFolder { folder in
      let output = folder.appending(path: "golden.jsonl")
      try await onThread {
        try Tool.run(
          python, [generator.path, "--broker", "kite", "--seed", "\(seed)", "--out", output.path] + options)
      }
      let text = try String(contentsOf: output, encoding: .utf8)
      return try text.split(separator: "\n").map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
    }
  }

  /// A Python that has the vendor's client, installed once into a folder that later runs find again.
  private static let pythonWithVendorClient = Result<String, any Error> {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "tickring-kiteconnect-\(vendorVersion)")
    let python = folder.appending(path: "bin/python").path
    if FileManager.default.isExecutableFile(atPath: python) { return python }
    guard let system = Tool.path("python3") else { throw Tool.Failure(description: "there is no python3") }
    let unfinished = folder.path + "-\(UUID().uuidString)"
    do {
      try Tool.run(system, ["-m", "venv", unfinished])
      try Tool.run(
        unfinished + "/bin/python", ["-m", "pip", "install", "--quiet", "kiteconnect==\(vendorVersion)"])
    } catch {
      try? FileManager.default.removeItem(atPath: unfinished)
      throw error
    }
    // Whoever comes first wins; a complete copy is as good as ours.
    if rename(unfinished, folder.path) != 0 { try? FileManager.default.removeItem(atPath: unfinished) }
    return python
  }
}

/// A JSON value whose numbers are decimals.
private enum JSONValue: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Decimal)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Decimal.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// A price that was read as unsigned, read as signed.
  func signedPrice(divisor: Decimal) -> JSONValue {
    guard case .number(let value) = self, value * divisor >= 2_147_483_648 else { return self }
    return .number(value - 4_294_967_296 / divisor)
  }

  /// The prices within `ohlc` and `depth`, read as signed.
  func signed(divisor: Decimal) -> JSONValue {
    switch self {
    case .array(let values): return .array(values.map { $0.signed(divisor: divisor) })
    case .object(let members):
      return .object(
        Dictionary(
          uniqueKeysWithValues: members.map { key, value in
            ["open", "high", "low", "close", "price"].contains(key)
              ? (key, value.signedPrice(divisor: divisor)) : (key, value.signed(divisor: divisor))
          }))
    default: return self
    }
  }
}
