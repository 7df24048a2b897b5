internal import Foundation
internal import MarketData
internal import SharedRing

/// What `tickring shm` tells of one segment.
struct SegmentLine: Encodable {
  struct Role: Encodable {
    var held: Bool
    var pid: Int32?
  }
  struct Counter: Encodable {
    var name: String
    var value: UInt64
    var meaning: String
  }

  var name: String
  var kind: String
  var feed: String
  var lane: String?
  var bytes: Int
  var mode: String
  var owner: UInt32
  var layoutVersion: UInt32?
  var condition: String
  var producer: Role
  var consumer: Role?
  var ageSeconds: Double
  var heartbeatAgeSeconds: Double?
  var state: String?
  var haltReason: String?
  var capacity: Int?
  var waiting: UInt64?
  var unstored: UInt64?
  var dataDirectory: String?
  var counters: [Counter]?

  enum CodingKeys: String, CodingKey {
    case name, kind, feed, lane, bytes, mode, owner, condition, producer, consumer, state, capacity, waiting,
      unstored
    case counters
    case layoutVersion = "layout_version"
    case ageSeconds = "age_seconds"
    case heartbeatAgeSeconds = "heartbeat_age_seconds"
    case haltReason = "halt_reason"
    case dataDirectory = "data_directory"
  }

  init(_ report: SegmentReport) {
    let now = Timestamp.wallClock()
    name = report.object
    kind = report.lane == nil ? "feed" : "lane"
    feed = report.feed
    lane = report.lane
    bytes = report.byteCount
    mode = "0" + String(report.mode, radix: 8)
    owner = report.owner
    layoutVersion = report.layoutVersion
    condition = Self.condition(report.attach)
    producer = Role(held: report.producer.isHeld, pid: report.producer.pid == 0 ? nil : report.producer.pid)
    consumer =
      report.lane == nil
      ? nil
      : Role(held: report.consumer.isHeld, pid: report.consumer.pid == 0 ? nil : report.consumer.pid)
    ageSeconds = Double(now - report.created) / 1e9
    heartbeatAgeSeconds = report.heartbeat.map { Double(now - $0) / 1e9 }
    state = report.state.map { "\($0)" }
    haltReason = report.haltReason
    capacity = report.capacity
    waiting = report.waiting
    unstored = report.journalOwner.isEmpty && report.unstored == 0 ? nil : report.unstored
    dataDirectory = report.journalOwner.isEmpty ? nil : report.journalOwner
  }

  func withCounters(of report: SegmentReport) -> SegmentLine {
    var line = self
    line.counters = report.counters.map { Counter(name: $0.name, value: $0.value, meaning: $0.meaning) }
    return line
  }

  /// The cells of its row in the table.
  var cells: [String] {
    [
      name, kind, Self.size(bytes), layoutVersion.map(String.init) ?? "-", Self.text(producer),
      consumer.map(Self.text) ?? "-", Self.age(ageSeconds), heartbeatAgeSeconds.map(Self.age) ?? "-", summary,
    ]
  }

  /// Labels and texts of its head.
  func details(of report: SegmentReport) -> [(String, String)] {
    var rows = [
      ("name", name), ("kind", kind), ("size", "\(Self.size(bytes)), mode \(mode), user \(owner)"),
      ("layout", layoutVersion.map { "version \($0)" } ?? "none"), ("condition", condition),
      ("written by", Self.text(producer)),
    ]
    if let consumer { rows.append(("read by", Self.text(consumer))) }
    rows.append(("age", Self.age(ageSeconds)))
    if let heartbeatAgeSeconds { rows.append(("heartbeat", Self.age(heartbeatAgeSeconds) + " ago")) }
    if let state { rows.append(("state", haltReason.map { "\(state): \($0)" } ?? state)) }
    if let capacity { rows.append(("slots", "\(capacity), \(waiting ?? 0) waiting")) }
    if let dataDirectory {
      rows.append(("journal of", "\(dataDirectory), \(unstored ?? 0) records not stored"))
    }
    return rows
  }

  private var summary: String {
    if let state, producer.held { return state }
    if state == "halted" { return "halted" }
    if let waiting { return condition == "ready" ? "\(waiting) waiting" : "\(condition), \(waiting) waiting" }
    return condition
  }

  private static func condition(_ attach: AttachResult) -> String {
    switch attach {
    case .ready: "ready"
    case .absent: "absent"
    case .tooSmall: "too small"
    case .notInitialised: "not initialised"
    case .otherVersion: "other version"
    case .otherLayout: "other layout"
    case .staleProducer: "no producer"
    }
  }

  private static func text(_ role: Role) -> String {
    let pid = role.pid.map(String.init) ?? "unknown"
    return role.held ? "process \(pid)" : role.pid == nil ? "nobody" : "nobody (was \(pid))"
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20
      ? Format.decimal(Double(bytes) / Double(1 << 20), 1) + " MiB" : "\((bytes + 1023) / 1024) KiB"
  }

  private static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: Format.decimal(max(seconds, 0), 1) + " s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86_400)) days"
    }
  }
}
