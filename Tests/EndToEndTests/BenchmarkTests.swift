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

  @Test(arguments: ["stages", "ingest"])
  func theBenchmarkStillRuns(name: String) throws {
    let outcome = try bench([name, "--smoke", "--json"])
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count >= 3)
  }
}
