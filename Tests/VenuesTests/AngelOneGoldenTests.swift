import Foundation
import Testing

@testable import Venues

/// The decoder against the vendor's own Python client, on frames made by the shared generator.
@Suite struct AngelOneGoldenTests {
  private static let priceKeys: Set = [
    "last_traded_price", "average_traded_price", "open_price_of_the_day", "high_price_of_the_day",
    "low_price_of_the_day", "closed_price", "upper_circuit_limit", "lower_circuit_limit",
    "52_week_high_price", "52_week_low_price", "price",
  ]

  @Test func everyFieldIsWhatTheVendorsClientReads() async throws {
    for seed in [7, 2026, 31_337] {
      let rows = try await VendorGolden.angelOne.rows(seed: seed, options: ["--n", "400"])
      #expect(rows.count > 400)
      for row in rows where row.opcode != "text" && !row.case.hasPrefix("mode/unlisted") {
        let description = AngelOneMessage.describe(hex: row.hex)
        #expect(description.errors == [], "\(row.case)")
        let line = try #require(description.lines.first, "\(row.case): \(row.hex)")
        let actual = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
        let expected = try Self.corrected(try #require(row.decoded), row)
        #expect(actual == expected, "\(row.case): \(row.hex)")
      }
    }
  }

  @Test func heartbeatsAreNoFrames() async throws {
    let rows = try await VendorGolden.angelOne.rows(seed: 1, options: ["--n", "0"])
    let texts = rows.filter { $0.opcode == "text" }
    #expect(texts.count == 2)
    for row in texts { #expect(AngelOneMessage.describe(hex: row.hex) == FrameDescription()) }
  }

  @Test func malformedFramesAndUnknownModesAreFaults() async throws {
    let rows = try await VendorGolden.angelOne.rows(seed: 1, options: ["--n", "0", "--malformed"])
    let bad = rows.filter { $0.case.hasPrefix("malformed/") || $0.case.hasPrefix("mode/unlisted") }
    #expect(bad.count >= 9)
    for row in bad {
      let description = AngelOneMessage.describe(hex: row.hex)
      #expect(description.errors.count == 1 && description.lines.isEmpty, "\(row.case)")
    }
  }

  /// The vendor's answer with its prices scaled, and corrected where the protocol notes say that it misreads the
  /// wire.
  private static func corrected(_ value: JSONValue, _ row: VendorGolden.Row) throws -> JSONValue {
    var members = try #require(value.members)
    let bytes = try HexText.bytes(row.hex)
    if members["open_interest_change_percentage"] != nil {
      let bits = bytes.span.bytes.littleEndian(
        at: AngelOneLayout.SnapQuote.openInterestChangePercent, as: UInt64.self)
      members["open_interest_change_percentage"] = try decoded(Double(bitPattern: bits))
    }
    if case .number(4)? = members["subscription_mode"] {
      members["exchange_timestamp"] = .number(
        Decimal(bytes.span.bytes.littleEndian(at: AngelOneLayout.Depth.exchangeTime, as: Int64.self)))
    }
    let divisor = Decimal(AngelOneLayout.priceDivisor(ofExchange: bytes[AngelOneLayout.exchange]))
    // The vendor has no name for depth and unlisted modes.
    if members["subscription_mode_val"] == .null { members["subscription_mode_val"] = nil }
    return scaled(.object(members), by: divisor)
  }

  /// A double as our own output spells it, read back: what is no number is null.
  private static func decoded(_ value: Double) throws -> JSONValue {
    guard value.isFinite else { return .null }
    return try JSONDecoder().decode(JSONValue.self, from: Data("\(value)".utf8))
  }

  private static func scaled(_ value: JSONValue, by divisor: Decimal, key: String = "") -> JSONValue {
    switch value {
    case .number(let number): priceKeys.contains(key) ? .number(number / divisor) : value
    case .string(let text) where ["NaN", "Infinity", "-Infinity"].contains(text): .null
    case .array(let values): .array(values.map { scaled($0, by: divisor) })
    case .object(let members):
      .object(
        Dictionary(uniqueKeysWithValues: members.map { ($0.key, scaled($0.value, by: divisor, key: $0.key)) })
      )
    default: value
    }
  }
}
