import Configuration
import Foundation
import Logging
import MarketData
import Testing

@testable import FeedHandler

/// The alert command as a real process.
@Suite struct AlertRunTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tickring-alert-\(UUID())")

  init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }

  private func script(_ text: String) throws -> String {
    let path = directory.appendingPathComponent("alert.sh").path
    try ("#!/bin/sh\n" + text + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test func argumentsEnvironmentAndLineReachTheCommandWithoutAShell() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = try script("printf '%s|%s|' \"$1\" \"$TICKRING_REASON\" > \"$2\"; cat >> \"$2\"")
    let output = directory.appendingPathComponent("out").path
    let event = AlertEvent(.halt, reason: "a 'quoted' $reason; rm -rf", details: ["scope": "venue"])
    let run = AlertRun(
      command: [path, "$HOME; echo", output], environment: event.environment(feed: "nse", suppressed: 2),
      line: event.line(feed: "nse", suppressed: 2), secondsMax: 10)
    #expect(run.carryOut() == nil)
    let text = try String(contentsOfFile: output, encoding: .utf8)
    #expect(text.hasPrefix("$HOME; echo|a 'quoted' $reason; rm -rf|{\"event\":\"halt\",\"feed\":\"nse\","))
    #expect(text.hasSuffix("\"scope\":\"venue\",\"suppressed\":\"2\",\"time\":\"\(event.time.rfc3339)\"}\n"))
  }

  @Test func nothingThatIsOpenHereReachesTheCommand() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    // As libraries open theirs: over exec it would stay open.
    let leak = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(leak) }
    let output = directory.appendingPathComponent("open").path
    let run = AlertRun(
      command: [try script("ls -l /proc/$$/fd > '\(output)'")], environment: [:], line: "", secondsMax: 10)
    #expect(run.carryOut() == nil)
    let open = try String(contentsOfFile: output, encoding: .utf8)
    #expect(open.contains("0 -> pipe:") && !open.contains("socket:"), "\(open)")
  }

  @Test func aCommandThatHangsIsKilledWithItsChildrenAndOneThatFailsIsNamed() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let marker = directory.appendingPathComponent("pid").path
    let hangs = AlertRun(
      command: [try script("sleep 1000 & echo $! > '\(marker)'; wait")], environment: [:], line: "",
      secondsMax: 1)
    #expect(hangs.carryOut()?.contains("killed after 1 s") == true)
    let child = try #require(
      Int32(
        try String(contentsOfFile: marker, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
    // The kernel may take a moment, and whoever inherits it may not bury it at all.
    for _ in 0..<100 where isRunning(child) { usleep(10_000) }
    #expect(!isRunning(child))
    let fails = AlertRun(command: [try script("exit 3")], environment: [:], line: "", secondsMax: 10)
    #expect(fails.carryOut()?.contains("exit code 3") == true)
    let missing = AlertRun(command: ["/no/such/program"], environment: [:], line: "", secondsMax: 10)
    #expect(missing.carryOut()?.contains("cannot start '/no/such/program'") == true)
  }

  /// False for a process that is gone, or dead and not buried.
  private func isRunning(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return text.split(separator: ")").last?.trimmingCharacters(in: .whitespaces).first != "Z"
  }
}
