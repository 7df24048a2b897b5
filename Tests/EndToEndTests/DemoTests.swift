import Foundation
import Testing

/// The whole system, each part a process of its own, judged by its own proof.
@Suite(.serialized) struct DemoTests {
  private struct Summary: Decodable {
    struct Check: Decodable {
      var name: String
      var detail: String
      var holds: Bool
    }
    var checks: [Check]
    var ticks: Int
    var candlesBuilt: Int
    var candlesFromHistory: Int
    var strategyTicks: Int
  }

  private func summary(_ arguments: [String]) throws -> Summary {
    let outcome = try Tool.run(["demo", "--json"] + arguments, timeoutSeconds: 240)
    #expect(outcome.code == 0, "\(outcome.output)\n\(outcome.errors)")
    let summary = try JSONDecoder().decode(Summary.self, from: Data(outcome.output.utf8))
    for check in summary.checks { #expect(check.holds, "\(check.name): \(check.detail)") }
    return summary
  }

  @Test func theDemoProvesItself() throws {
    let summary = try summary(["--seconds", "12", "--speed", "20"])
    #expect(summary.checks.count == 7)
    #expect(summary.ticks > 10_000)
    // 240 market seconds hold three whole minutes at least.
    #expect(summary.candlesBuilt > 200 * 2)
    #expect(summary.candlesFromHistory >= 200 * 375)
    #expect(summary.strategyTicks > 10)
  }

  @Test func theDemoProvesItselfOnRealTrades() throws {
    guard let file = Tool.sharedData("binance_trades_20240808.csv.gz") else {
      print("skipped: ../shared/data/binance_trades_20240808.csv.gz is absent")
      return
    }
    let summary = try summary(["--ticks", file, "--speed", "40"])
    // Every trade of the file, and two snapshots of each of the six instruments: one on subscribing, one on choosing the mode.
    #expect(summary.ticks == 55_270 + 2 * 6)
  }

  @Test(arguments: [0.05, 0.4, 1.0, 2.5, 4.0])
  func anInterruptAtAnyMomentLeavesNothingBehind(seconds: Double) throws {
    let temporary = try TemporaryDirectory()
    let demo = try Running(
      ["demo", "--seconds", "60", "--speed", "10"], environment: ["TMPDIR": temporary.path])
    usleep(UInt32(seconds * 1e6))
    demo.signal(SIGINT)
    let outcome = try demo.wait(timeoutSeconds: 60)
    #expect(outcome.code != 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
    try expectNothingLeft(of: demo.pid)
  }

  @Test func evenAKilledDemoLeavesNoProcessBehind() throws {
    let temporary = try TemporaryDirectory()
    let demo = try Running(
      ["demo", "--seconds", "60", "--speed", "10"], environment: ["TMPDIR": temporary.path])
    try demo.wait { $0.output.contains("starting a strategy") }
    usleep(1_000_000)
    let children = try processes(withParent: demo.pid)
    #expect(children.count == 4)
    demo.signal(SIGKILL)
    let deadline = Date().addingTimeInterval(30)
    while children.contains(where: { kill($0, 0) == 0 }), Date() < deadline { usleep(50_000) }
    for child in children { #expect(kill(child, 0) != 0, "process \(child) outlived the demo") }
    try expectNothingLeft(of: demo.pid)
  }

  private func expectNothingLeft(of pid: Int32) throws {
    let shared = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
    #expect(shared.filter { $0.contains("demo-\(pid)") } == [])
    #expect(try processes(withParent: pid) == [])
  }

  private func processes(withParent pid: Int32) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { candidate in
      guard let stat = try? String(contentsOfFile: "/proc/\(candidate)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
      else { return false }
      let fields = stat[stat.index(after: end)...].split(separator: " ")
      return fields.count > 1 && fields[0] != "Z" && Int32(fields[1]) == pid
    }
  }
}
