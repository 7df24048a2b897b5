import Foundation
import Testing

/// The benchmarks still run, and the receive path allocates nothing.
@Suite(.serialized) struct BenchmarkTests {
  private func bench(_ arguments: [String]) throws -> Tool.Outcome {
    try Running(arguments, executable: Tool.products.appendingPathComponent("tickring-bench"))
      .wait(timeoutSeconds: 180)
  }

  @Test func aMillionTicksGoFromSocketToRingWithoutAnAllocation() throws {
    guard Tool.areProductsOptimized else {
      print(
        "skipped: unoptimised code allocates where optimised code does not; `make test` runs release products"
      )
      return
    }
    let outcome = try bench(["allocations", "--json"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("\"value\":0"))
  }

  @Test(arguments: ["stages", "ingest", "archive", "store", "series", "handler", "backfill", "connections"])
  func theBenchmarkStillRuns(name: String) throws {
    let outcome = try bench([name, "--smoke", "--json"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count >= 3)
  }

  @Test func theDecodeBenchmarkStillRuns() throws {
    let outcome = try bench(["decode", "--smoke", "--json"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count == 2)
  }

  @Test func theLatencyBenchmarkStillRuns() throws {
    guard ProcessInfo.processInfo.activeProcessorCount > 1 else {
      print("skipped: one processor alone cannot measure latency")
      return
    }
    let outcome = try bench(["latency", "--smoke", "--json"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    // Four quantiles of the bare wake-up, since the send and since the read, each spinning and asleep.
    #expect(outcome.output.split(separator: "\n").count == 24)
  }

  @Test func theRingBenchmarkStillRuns() throws {
    let drawing = FileManager.default.temporaryDirectory.appendingPathComponent("ring-\(getpid()).svg")
    defer { try? FileManager.default.removeItem(at: drawing) }
    let outcome = try bench(["ring", "--smoke", "--json", "--plot", drawing.path])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    // A run during which the processors moved is dropped, so that no single measure is sure to be there.
    #expect(outcome.output.split(separator: "\n").count >= 3)
    #expect(outcome.output.contains("\"peer\":\"tickring\""))
    #expect(try String(contentsOf: drawing, encoding: .utf8).hasPrefix("<svg"))
  }

  @Test(arguments: [["--processors", "0,0"], ["--seconds", "0"], ["--processors", "0"]])
  func theRingBenchmarkRefusesWrongArguments(arguments: [String]) throws {
    let outcome = try bench(["ring", "--smoke"] + arguments)
    #expect(outcome.code == 64, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains("--"))
  }
}
