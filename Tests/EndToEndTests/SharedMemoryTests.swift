import Foundation
import Testing
import TickRing

/// Shared memory as its users see it: what lies there, what is cleaned, and how it outlives a killed feed handler.
@Suite(.serialized) struct SharedMemoryTests {
  @Test func aStrategyOutlivesAKilledFeedHandler() throws {
    let feed = try LiveFeed(["--speed", "20"])
    let first = try feed.startAndWaitForTicks()
    let all = try DataPoller(feed: feed.name, lane: "probe").symbols
    let data = try DataPoller(feed: feed.name, lane: "strategy", observing: [all[0]])
    try data.observe(all[1])
    var seen: Set<String> = []
    var lost = 0
    var epochs: [UInt64] = []
    var ended = false
    var gaps = 0
    func poll(until condition: () -> Bool) throws {
      let deadline = Date().addingTimeInterval(60)
      while !condition() {
        guard Date() < deadline, data.isOpen else { throw Unexpected("seen \(seen), epochs \(epochs)") }
        let count = data.poll { event in
          switch event {
          case .tick(let tick):
            seen.insert(data.symbol(tick.instrument))
          case .gap: gaps += 1
          case .feedLost: lost += 1
          case .feedReturned(let epoch): epochs.append(epoch)
          case .ended: ended = true
          case .halt(let reason): Issue.record("halt: \(reason)")
          default: break
          }
        }
        if count == 0 { data.wait(milliseconds: 5) }
      }
    }
    try poll { seen.count == 2 }
    for round in 1...2 {
      let ingest = try #require(round == 1 ? first : feed.ingest)
      ingest.signal(SIGKILL)
      _ = try ingest.wait()
      try poll { lost == round }
      // Nothing asks for the lane again: the restarted feed handler takes it up from what lies in shared memory.
      let next = try feed.start()
      try poll { epochs.count == round }
      seen = []
      try poll { seen.count == 2 }
      #expect(gaps == round, "what was missed meanwhile is told as a gap")
      #expect(
        next.errors.contains("lane 'strategy' of process \(getpid()), observing 2 instruments, goes on"))
    }
    #expect(epochs == [2, 3])
    #expect(seen == [all[0], all[1]])
    #expect(feed.counter("adoptions") == 1)
    try data.unobserve(all[0])
    feed.ingest?.signal(SIGTERM)
    try poll { ended }
    #expect(try feed.ingest?.wait().code == 0)
    // The probe's lane has no living consumer: it is left for it to come back, and cleaned when nobody wants it.
    let clean = try Tool.run(["shm", "clean", "--feed", feed.name])
    #expect(clean.code == 0)
    #expect(try feed.leftovers() == [])
  }

  @Test func listInspectAndCleanTellWhatThereIs() throws {
    let feed = try LiveFeed(["--speed", "20"])
    let none = try Tool.run(["shm", "list", "--feed", feed.name])
    #expect(none.code == 0 && none.output == "nothing of TickRing lies in shared memory\n")
    let ingest = try feed.startAndWaitForTicks()
    let data = try DataPoller(feed: feed.name, lane: "mine")
    let list = try Tool.run(["shm", "list", "--feed", feed.name])
    let rows = list.output.split(separator: "\n")
    #expect(rows.count == 4, "\(list.output)")
    #expect(rows[1].contains("process \(ingest.pid)") && rows[1].hasSuffix("running"))
    #expect(rows[2].contains("/tickring.\(feed.name).mine") && rows[2].contains("process \(getpid())"))
    let json = try Tool.run(["shm", "inspect", "\(feed.name).mine", "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect((object["consumer"] as? [String: Any])?["held"] as? Bool == true)
    #expect((object["counters"] as? [[String: Any]])?.contains { $0["name"] as? String == "dropped" } == true)
    let text = try Tool.run(["shm", "inspect", feed.name])
    #expect(text.output.contains("websocket messages received") && text.output.contains("heartbeat"))
    let missing = try Tool.run(["shm", "inspect", "\(feed.name).nobody"])
    #expect(missing.code == 66 && missing.errors.contains("tickring shm list"))
    let kept = try Tool.run(["shm", "clean", "--feed", feed.name])
    #expect(!kept.output.contains("removed"))
    ingest.signal(SIGKILL)
    _ = try ingest.wait()
    let clean = try Tool.run(["shm", "clean", "--feed", feed.name])
    #expect(clean.output.contains("removed /tickring.\(feed.name)\n"))
    #expect(clean.output.contains("kept /tickring.\(feed.name).mine: process \(getpid()) reads it"))
    #expect(
      clean.output.contains("kept /tickring.\(feed.name).recorder: it holds")
        || clean.output.contains("removed /tickring.\(feed.name).recorder"))
    #expect(data.isOpen)
  }

  @Test(arguments: ["spin", "yield", "futex"]) func watchWaitsAsTold(strategy: String) throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks()
    let symbol = try #require(try DataPoller(feed: feed.name, lane: "probe").symbols.first)
    let watch = try Tool.run(
      ["watch", "--feed", feed.name, "--from", "latest", "--wait", strategy, "--count", "2", symbol])
    #expect(watch.code == 0, "\(watch.errors)")
    #expect(watch.output.split(separator: "\n").count >= 2)
  }

  /// Who may read and write lanes may ask for one; the feed is theirs to read, the recorder's lane its owner's alone.
  @Test func aModeForOthersOpensLanesAndTheSocketThatGivesThem() throws {
    let feed = try LiveFeed(["--speed", "20"], extra: "shared_memory:\n  mode: \"0660\"\n")
    _ = try feed.startAndWaitForTicks()
    let data = try DataPoller(feed: feed.name, lane: "mine")
    let list = try Tool.run(["shm", "list", "--feed", feed.name, "--json"])
    let modes = try list.output.split(separator: "\n").map { line in
      try (JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["mode"] as? String
    }
    #expect(modes == ["0640", "0660", "0600"])
    let socket = try FileManager.default.attributesOfItem(
      atPath: feed.dataDirectory + "/\(feed.name).sock")
    #expect(socket[.posixPermissions] as? Int == 0o660)
    #expect(data.isOpen)
  }

  /// The feed may be read by all, its lanes and its socket by a group alone.
  @Test func whoMayNotOpenTheControlSocketIsToldSo() throws {
    let tickring = Tool.products.appendingPathComponent("tickring").path
    let setpriv = URL(fileURLWithPath: "/usr/bin/setpriv")
    let asNobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
    guard try Running(asNobody + ["test", "-x", tickring], executable: setpriv).wait().code == 0 else {
      print("skipped: this user may not be another one, or that one may not run the program")
      return
    }
    let feed = try LiveFeed(extra: "shared_memory:\n  mode: \"0664\"\n")
    _ = try feed.startAndWaitForTicks()
    let outcome = try Running(
      asNobody + [tickring, "observe", "--feed", feed.name, "NSE:SIM0001"], executable: setpriv
    ).wait()
    #expect(outcome.code == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("this user may not open the feed handler's control socket"))
  }

  @Test func aDeadFeedHandlerIsNamedAsSuch() throws {
    let feed = try LiveFeed(["--speed", "20"])
    let ingest = try feed.startAndWaitForTicks()
    let symbol = try #require(try DataPoller(feed: feed.name, lane: "probe").symbols.first)
    ingest.signal(SIGKILL)
    _ = try ingest.wait()
    let watch = try Tool.run(["watch", "--feed", feed.name, "--count", "1", symbol])
    #expect(watch.code == 69)
    #expect(watch.errors.contains("was left by process \(ingest.pid), which died"), "\(watch.errors)")
    _ = try Tool.run(["shm", "clean", "--feed", feed.name])
    // A journal with records stays for the next start, which there will not be.
    try? FileManager.default.removeItem(atPath: "/dev/shm/tickring.\(feed.name).recorder")
  }

  /// The venue is not asked for anything before there is room; without that there would be a SIGBUS later.
  @Test func aFullSharedMemoryIsSaidAtTheStart() throws {
    let unshare = URL(fileURLWithPath: "/usr/bin/unshare")
    guard try Running(["--mount", "true"], executable: unshare).wait().code == 0 else {
      print("skipped: this user may not have mounts of its own")
      return
    }
    let feed = try LiveFeed()
    _ = try feed.stopVenue()
    let ingest = Tool.products.appendingPathComponent("tickring").path
    let outcome = try Running(
      [
        "--mount", "sh", "-c",
        "mount -t tmpfs -o size=6m none /dev/shm && exec \(ingest) ingest --config \(feed.configurationFile)",
      ], environment: LiveFeed.credentials, executable: unshare
    ).wait()
    #expect(outcome.code == 73, "\(outcome.errors)")
    #expect(outcome.errors.contains("cannot reserve") && outcome.errors.contains("make room in /dev/shm"))
  }

  @Test func aGroupThatDoesNotExistIsOneSentence() throws {
    let feed = try LiveFeed(extra: "shared_memory:\n  group: no-such-group\n")
    let outcome = try feed.start().wait()
    #expect(outcome.code == 78)
    #expect(outcome.errors.contains("no group of that name"))
  }
}
