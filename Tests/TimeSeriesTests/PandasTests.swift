import Foundation
import MarketData
import Testing
import TimeSeries

/// Every operation against pandas on the same data, holes included.
@Suite struct PandasTests {
  private static let script = """
    import json, sys
    import numpy as np
    import pandas as pd

    given = json.load(open(sys.argv[1]))
    x = pd.Series([np.nan if v is None else v for v in given["values"]], dtype=float)
    o, h, l, c, v = (pd.Series(given[k], dtype=float) for k in ("open", "high", "low", "close", "volume"))
    out = {
      "returns": x / x.shift(1) - 1, "log": np.log(x / x.shift(1)), "shift": x.shift(-3),
      "ema": x.ewm(span=20, adjust=False).mean(),
    }
    for w in (2, 5, 20, 100):
      r = x.rolling(w)
      out[f"sum{w}"], out[f"mean{w}"], out[f"min{w}"], out[f"max{w}"] = r.sum(), r.mean(), r.min(), r.max()
      # pandas' running deviation of equal values is not quite zero; numpy's of each window is.
      std = r.apply(lambda window: np.std(window, ddof=1), raw=True)
      out[f"std{w}"], out[f"z{w}"] = std, (x - r.mean()) / std
    tr = pd.concat([h - l, (h - c.shift()).abs(), (l - c.shift()).abs()], axis=1).max(axis=1)
    out["tr"], out["atr"] = tr, tr.ewm(alpha=1 / 14, adjust=False).mean()
    t = (h + l + c) / 3
    out["vwap"] = (t * v).cumsum() / v.cumsum()
    idx = pd.to_datetime(given["times"], unit="s", utc=True).tz_convert("Asia/Kolkata")
    frame = pd.DataFrame({"open": o.values, "high": h.values, "low": l.values, "close": c.values,
                          "volume": v.values}, index=idx)
    rolled = frame.resample("15min", origin=idx[0]).agg(
      {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}).dropna()
    for name in rolled: out["15_" + name] = rolled[name]
    asked = pd.DataFrame({"t": given["asked"]})
    known = pd.DataFrame({"t": given["times"], "c": c})
    out["asof"] = pd.merge_asof(asked, known, on="t")["c"]
    out["asof_tolerance"] = pd.merge_asof(asked, known, on="t", tolerance=90)["c"]
    out["aligned"] = pd.Series(c.values, index=given["times"]).reindex(given["asked"])
    json.dump({k: [None if np.isnan(i) else float(i) for i in s] for k, s in out.items()}, sys.stdout)
    """

  private struct Given: Encodable {
    var values: [Double?]
    var open: [Double]
    var high: [Double]
    var low: [Double]
    var close: [Double]
    var volume: [Double]
    var times: [Int64]
    var asked: [Int64]
  }

  @Test func everyOperationIsWhatPandasMakesOfTheSameData() async throws {
    let python: String
    do {
      python = try PythonWithPandas.path.get()
    } catch {
      try Test.cancel("pandas cannot be had from PyPI: \(error)")
    }
    var random = SeededRandom(state: 20_261_123)
    var price = 25_000.0
    var values: [Double] = []
    var candles: [Candle] = []
    for index in 0..<700 as Range<Int64> {
      price = ((price + random.next(in: -20...20)) * 20).rounded() / 20
      // Two holes close together, and single ones far apart.
      values.append([100, 103].contains(index) || index % 211 == 210 ? .nan : price)
      // One minute in nine has no candle.
      if index % 9 == 4 { continue }
      let spread = (random.next(in: 0...10) * 20).rounded() / 20
      candles.append(
        candle(
          index, open: price - spread / 2, high: price + spread, low: price - spread, close: price,
          volume: Int64(random.next(in: 1...1000))))
    }
    let series = CandleSeries(candles)
    let asked = (0..<300 as Range<Int64>).map { candles[0].start.seconds + $0 * 137 - 500 }
    let expected = try PythonWithPandas.run(
      python, script: Self.script,
      given: Given(
        values: values.map { $0.isNaN ? nil : $0 }, open: series.opens.values, high: series.highs.values,
        low: series.lows.values, close: series.closes.values, volume: series.volumes.values,
        times: candles.map(\.start.seconds), asked: asked))

    let x = Series(times: values.indices.map { Timestamp(seconds: Int64($0)) }, values: values)
    var actual: [String: Series] = [
      "returns": x.returns(), "log": x.logReturns(), "shift": x.shift(-3), "ema": x.ema(20),
      "tr": series.trueRange, "atr": series.averageTrueRange(14), "vwap": series.vwap(session: { _ in 0 }),
    ]
    for window in [2, 5, 20, 100] {
      actual["sum\(window)"] = x.rollingSum(window)
      actual["mean\(window)"] = x.rollingMean(window)
      actual["min\(window)"] = x.rollingMin(window)
      actual["max\(window)"] = x.rollingMax(window)
      actual["std\(window)"] = x.rollingStandardDeviation(window)
      actual["z\(window)"] = x.zScore(window)
    }
    let rolled = try series.resample(to: .minutes(15))
    actual["15_open"] = rolled.opens
    actual["15_high"] = rolled.highs
    actual["15_low"] = rolled.lows
    actual["15_close"] = rolled.closes
    actual["15_volume"] = rolled.volumes
    let instants = asked.map { Timestamp(seconds: $0) }
    actual["asof"] = series.closes.asOf(instants)
    actual["asof_tolerance"] = series.closes.asOf(instants, toleranceNanoseconds: 90_000_000_000)
    actual["aligned"] = series.closes.align(to: instants)
    #expect(Set(actual.keys) == Set(expected.keys))
    for (name, column) in actual {
      let pandas = expected[name] ?? []
      #expect(column.count == pandas.count, "\(name)")
      for (index, (ours, theirs)) in zip(column.values, pandas).enumerated() {
        guard let theirs else {
          #expect(ours.isNaN, "\(name)[\(index)] is \(ours), missing in pandas")
          continue
        }
        let tolerance = 1e-9 * max(1, abs(theirs))
        #expect(abs(ours - theirs) <= tolerance, "\(name)[\(index)] is \(ours), in pandas \(theirs)")
      }
    }
  }
}

/// A Python that has pandas, installed once into a folder that later runs find again.
enum PythonWithPandas {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  static let path = Result<String, any Error> {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tickring-pandas").path
    let python = folder + "/bin/python"
    if FileManager.default.isExecutableFile(atPath: python) { return python }
    let unfinished = folder + "-\(UUID().uuidString)"
    do {
      _ = try call("/usr/bin/env", ["python3", "-m", "venv", unfinished])
      _ = try call(
        unfinished + "/bin/python",
        ["-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1", "pandas"])
    } catch {
      try? FileManager.default.removeItem(atPath: unfinished)
      throw error
    }
    // Whoever comes first wins; a complete copy is as good as ours.
    if rename(unfinished, folder) != 0 { try? FileManager.default.removeItem(atPath: unfinished) }
    return python
  }

  static func run(_ python: String, script: String, given: some Encodable) throws -> [String: [Double?]] {
    let file = FileManager.default.temporaryDirectory.appending(path: "series-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try JSONEncoder().encode(given).write(to: file)
    return try JSONDecoder().decode(
      [String: [Double?]].self, from: call(python, ["-c", script, file.path]))
  }

  private static func call(_ program: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    let complaint = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: complaint.split(separator: "\n").last.map(String.init) ?? "without a word")
    }
    return data
  }
}

/// A small generator (SplitMix64): the same numbers in every run.
struct SeededRandom {
  var state: UInt64

  mutating func next(in range: ClosedRange<Double>) -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return range.lowerBound + Double((mixed ^ mixed >> 31) >> 11) / Double(1 << 53)
      * (range.upperBound - range.lowerBound)
  }
}
