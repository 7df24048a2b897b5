internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import TimeSeries

/// Rolling operations on one series, beside the fastest numpy that says the same: sums and deviations by differences
/// of running sums (which round where ours do not), extremes over a sliding view.
struct SeriesBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "series", abstract: "Rolling operations on a million values, beside numpy.")

  @OptionGroup var size: SizeOptions
  @Option(help: "A Python that has numpy and pandas; `make bench-store` makes one.") var python: String?

  private static let window = 20
  private static let runs = 9

  func run() throws { try Self.measure(size, python: python) }

  static func measure(_ size: SizeOptions, python: String? = nil) throws {
    let count = size.pick(smoke: 10_000, full: 1_000_000)
    var state: UInt64 = 1
    var price = 25_000.0
    let values = (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      price += (Double(state >> 40) / Double(1 << 24) - 0.5)
      return price
    }
    let series = Series(times: (0..<count).map { Timestamp(seconds: Int64($0) * 60) }, values: values)
    let operations: [(String, (Series) -> Series)] = [
      ("rolling sum", { $0.rollingSum(window) }), ("rolling mean", { $0.rollingMean(window) }),
      ("rolling standard deviation", { $0.rollingStandardDeviation(window) }),
      ("rolling min", { $0.rollingMin(window) }), ("rolling max", { $0.rollingMax(window) }),
      ("z-score", { $0.zScore(window) }), ("exponential average", { $0.ema(window) }),
    ]
    let peers = try python.map { try PythonPeer.numbers($0, script, ["\(count)", "\(window)", "\(runs)"]) }
    for (index, (name, operation)) in operations.enumerated() {
      var checksum = 0.0
      let milliseconds = Measurement.median(runs: runs) {
        let start = Timestamp.monotonicNanoseconds()
        checksum = operation(series).last ?? 0
        return Double(Timestamp.monotonicNanoseconds() - start) / 1e6
      }
      try Measurement(
        name: "\(name) of \(count) values, window \(window)", value: milliseconds, unit: "ms",
        comparison: peers.map {
          String(format: "numpy %.2f ms, %.1f x", $0[index], $0[index] / milliseconds)
        },
        checksum: checksum.bitPattern
      ).report(size)
    }
  }

  private static let script = """
    import sys, time, numpy as np, pandas as pd
    from numpy.lib.stride_tricks import sliding_window_view as view
    n, w, runs = map(int, sys.argv[1:])
    x = np.cumsum(np.random.default_rng(1).uniform(-.5, .5, n)) + 25000
    def total():
        c = np.cumsum(x); r = np.empty_like(x); r[:w - 1] = np.nan; r[w - 1] = c[w - 1]
        np.subtract(c[w:], c[:-w], out=r[w:]); return r
    def mean():
        r = total(); r /= w; return r
    def std():
        c, d = np.cumsum(x), np.cumsum(x * x)
        s, q = c[w:] - c[:-w], d[w:] - d[:-w]
        return np.sqrt((q - s * s / w) / (w - 1))
    def z():
        return (x[w:] - mean()[w:]) / std()
    def ema():
        return pd.Series(x).ewm(span=w, adjust=False).mean()
    for f in (total, mean, std, lambda: view(x, w).min(axis=1), lambda: view(x, w).max(axis=1), z, ema):
        times = []
        for _ in range(runs):
            start = time.perf_counter(); f(); times.append(time.perf_counter() - start)
        print(sorted(times)[runs // 2] * 1000)
    """
}
