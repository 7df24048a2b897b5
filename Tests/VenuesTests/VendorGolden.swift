import Foundation
import Testing

/// Frames of one venue with what its own Python client makes of them: the shared generator's output.
struct VendorGolden {
  /// The generator's word for the venue.
  var broker: String
  /// What pip installs for it; the versions whose answers the protocol notes describe.
  var packages: [String]

  static let kite = VendorGolden(broker: "kite", packages: ["kiteconnect==5.2.2"])
  static let angelOne = VendorGolden(
    broker: "angel", packages: ["smartapi-python==1.5.5", "logzero", "websocket-client", "pyotp", "requests"])

  /// One line of the generator's output.
  struct Row: Decodable {
    var `case`: String
    var hex: String
    var decoded: JSONValue?
    var quirk: [String]?
    /// What the vendor's parser raised.
    var error: String?
    /// `text` for a frame that never reaches the vendor's parser.
    var opcode: String?
  }

  /// Runs the generator; cancels the test, saying why, where it or the vendor's client cannot be had.
  func rows(seed: Int, options: [String]) async throws -> [Row] {
    guard let generator = SharedMaterial.folder?.appending(path: "protocols/golden.py"),
      FileManager.default.fileExists(atPath: generator.path)
    else { try Test.cancel("protocols/golden.py is absent: set TICKRING_SHARED to the folder that has it") }
    let python: String
    do {
      python = try await onThread { try PythonEnvironment.python(with: packages) }
    } catch {
      try Test.cancel("the vendor's client cannot be had: \(error)")
    }
    return try await withTemporaryFolder { folder in
      let output = folder.appending(path: "golden.jsonl")
      try await onThread {
        try Tool.run(
          python,
          [generator.path, "--broker", broker, "--seed", "\(seed)", "--out", output.path] + options)
      }
      let text = try String(contentsOf: output, encoding: .utf8)
      return try text.split(separator: "\n").map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
    }
  }
}

/// Pythons with packages from PyPI, each installed once into a folder that later runs find again.
enum PythonEnvironment {
  /// The path of a Python that has these packages.
  static func python(with packages: [String]) throws -> String {
    let name = packages.joined(separator: "-").map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
    let folder = FileManager.default.temporaryDirectory.appending(path: "tickring-python-\(String(name))")
    let python = folder.appending(path: "bin/python").path
    if FileManager.default.isExecutableFile(atPath: python) { return python }
    guard let system = Tool.path("python3") else { throw Tool.Failure(description: "there is no python3") }
    let unfinished = folder.path + "-\(UUID().uuidString)"
    do {
      try Tool.run(system, ["-m", "venv", unfinished])
      try Tool.run(unfinished + "/bin/python", ["-m", "pip", "install", "--quiet"] + packages)
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
enum JSONValue: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Decimal)
  /// A number beyond what a decimal can hold.
  case double(Double)
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
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// The objects of an array of objects; nil for anything else.
  var objects: [[String: JSONValue]]? {
    guard case .array(let values) = self else { return nil }
    var objects: [[String: JSONValue]] = []
    for case .object(let members) in values { objects.append(members) }
    return objects.count == values.count ? objects : nil
  }

  /// The members of an object; nil for anything else.
  var members: [String: JSONValue]? {
    guard case .object(let members) = self else { return nil }
    return members
  }
}
