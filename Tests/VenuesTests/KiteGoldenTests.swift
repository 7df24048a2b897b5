import Foundation
import Testing

@testable import Venues

/// The decoder against the vendor's own Python client, on frames made by the shared generator.
@Suite struct KiteGoldenTests {
  @Test func everyFieldIsWhatTheVendorsClientReads() async throws {
    for seed in [7, 2026, 31_337] {
      let rows = try await VendorGolden.kite.rows(seed: seed, options: ["--n", "150"])
      #expect(rows.count > 150)
      for row in rows {
        let description = KiteMessage.describe(hex: row.hex)
        let expected = try #require(row.decoded?.objects).map { Self.corrected($0, quirks: row.quirk ?? []) }
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
    let rows = try await VendorGolden.kite.rows(seed: 1, options: ["--n", "0", "--no-edges", "--malformed"])
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
}

extension JSONValue {
  /// A price that was read as unsigned, read as signed.
  fileprivate func signedPrice(divisor: Decimal) -> JSONValue {
    guard case .number(let value) = self, value * divisor >= 2_147_483_648 else { return self }
    return .number(value - 4_294_967_296 / divisor)
  }

  /// The prices within `ohlc` and `depth`, read as signed.
  fileprivate func signed(divisor: Decimal) -> JSONValue {
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
