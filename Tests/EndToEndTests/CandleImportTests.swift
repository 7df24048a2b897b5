import Foundation
import Testing

/// `tickring import candles` with JSON files; CSV files are the matter of other tests.
@Suite struct CandleImportTests {
  @Test func jsonFilesOfObjectsAndArraysAreTaken() throws {
    let directory = try TemporaryDirectory()
    let objects =
      "[{\"timestamp\":\"2026-11-23T09:15:00+05:30\",\"open\":1,\"high\":2,\"low\":1,\"close\":1.5,\"volume\":5},"
      + "{\"timestamp\":1795405560,\"open\":1,\"high\":2,\"low\":1,\"close\":1.5,\"volume\":5,\"oi\":3}]"
    let arrays = "{\"data\":{\"candles\":[[\"2026-11-23T09:17:00+05:30\",1,2,1,1.5,5,0]]}}"
    func run(_ file: String, _ options: [String] = []) throws -> Tool.Outcome {
      try Tool.run(
        ["import", "candles", "--data", directory.path + "/data", "--instrument", "NSE:A"] + options + [file])
    }
    let first = try run(try directory.write(objects, to: "objects.json"))
    #expect(
      first.code == 0 && first.output.contains("NSE:A: 2 candles, 2026-11-23T09:15:00+05:30"), "\(first)")
    let second = try run(try directory.write(arrays, to: "arrays.json"), ["--rows", "data.candles"])
    #expect(second.code == 0 && second.output.contains("NSE:A: 1 candle"), "\(second)")
    let wrong = try run(try directory.write(arrays, to: "arrays.json"))
    #expect(wrong.code == 65 && wrong.errors.contains("the text is no list of candles"), "\(wrong)")
    let bad = try run(try directory.write("[[\"2026-11-23T09:17:30+05:30\",1,2,1,1.5,5]]", to: "bad.json"))
    #expect(bad.code == 65, "\(bad)")
    #expect(
      bad.errors.contains(
        "bad.json': row 1: timestamp is '2026-11-23T09:17:30+05:30', but must be the first instant"))
    let missing = try run(directory.path + "/none.json")
    #expect(missing.code == 66, "\(missing)")
  }
}
