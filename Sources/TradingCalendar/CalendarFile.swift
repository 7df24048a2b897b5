internal import Foundation
public import MarketData

extension TradingCalendar {
  /// The largest calendar file, in bytes.
  public static let fileBytesMax = 4 << 20
  /// How messages name the calendar that comes with TickRing.
  public static let shippedName = "the shipped calendar india.csv"

  /// The calendar that comes with TickRing.
  public static let shipped: TradingCalendar = {
    do throws(Fault) {
      return try TradingCalendar(text: shippedText, file: shippedName)
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  /// The shipped file, to be saved and edited.
  public static var shippedText: String { String(decoding: PackageResources.india_csv, as: UTF8.self) }

  /// Reads a calendar file.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it cannot be read, `badData` when it is malformed.
  public static func load(path: String) throws(Fault) -> TradingCalendar {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw Fault(.missingInput, "the calendar file '\(path)' cannot be read: \(error.localizedDescription)")
    }
    guard bytes.count <= fileBytesMax, let text = String(data: bytes, encoding: .utf8) else {
      throw Fault(.badData, "the calendar file '\(path)' is not UTF-8 text of at most \(fileBytesMax) bytes")
    }
    return try TradingCalendar(text: text, file: "the calendar file '\(path)'")
  }

  /// Reads a calendar from its text.
  ///
  /// - Parameter file: The name for messages.
  /// - Throws: ``Fault`` of kind `badData` that names file and line.
  public init(text: String, file: String) throws(Fault) {
    var parser = CalendarParser(file: file)
    var line = 0
    // To Swift the line end that spreadsheets write is one character, and not the same as a line feed.
    for content in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      line += 1
      if content.isEmpty || content.first == "#" { continue }
      try parser.take(content, line: line)
    }
    self.init(file: file, records: try parser.finish())
  }
}

/// Takes the lines of a calendar file one after another.
private struct CalendarParser {
  static let header = "record,segments,date,session,start,end,phase,group,name"
  private static let columns = 9

  let file: String
  private var records = CalendarRecords()
  private var sawHeader = false

  init(file: String) {
    self.file = file
  }

  mutating func take(_ text: Substring, line: Int) throws(Fault) {
    guard sawHeader else {
      guard text == Self.header else {
        throw fault(line, "is '\(text.prefix(60))', but the first line must be the header \(Self.header)")
      }
      sawHeader = true
      return
    }
    guard let fields = Self.fields(text) else { throw fault(line, "has a quote that does not match") }
    guard fields.count == Self.columns else {
      throw fault(line, "has \(fields.count) values; the header names \(Self.columns) columns")
    }
    switch fields[0] {
    case "source": records.source = fields[8]
    case "range": try takeRange(fields, line)
    case "hours": try takeHours(fields, line)
    case "holiday":
      let day = try date(fields[2], "date", line)
      for segment in try segments(fields[1], line) {
        records.holidays[.init(segment: segment, dayNumber: day)] = fields[8].isEmpty ? "holiday" : fields[8]
      }
    case "special": try takeSpecial(fields, line)
    default:
      throw fault(
        line, "begins with '\(fields[0])'; it must be source, range, hours, holiday or special")
    }
  }

  func finish() throws(Fault) -> CalendarRecords {
    guard sawHeader, !records.ranges.isEmpty else {
      throw Fault(.badData, "\(file) has no range record; it must say from when to when it is valid")
    }
    for (segment, range) in records.ranges {
      guard let begin = records.hoursBegin(of: segment), begin <= range.lowerBound else {
        throw Fault(
          .badData,
          "\(file) has no hours of \(segment.rawValue) for its first day, "
            + CivilTime(dayNumber: range.lowerBound).dateText)
      }
    }
    return records
  }

  private mutating func takeRange(_ fields: [String], _ line: Int) throws(Fault) {
    let first = try date(fields[2], "date", line)
    let last = try date(fields[4], "last date", line)
    guard first <= last else { throw fault(line, "has a range that runs backwards") }
    for segment in try segments(fields[1], line) { records.ranges[segment] = first...last }
  }

  private mutating func takeHours(_ fields: [String], _ line: Int) throws(Fault) {
    let day = try date(fields[2], "date", line)
    let span = try span(fields, isSpecial: false, line)
    for segment in try segments(fields[1], line) {
      guard records.addHours(span, from: day, segment: segment) else {
        throw fault(line, "goes back in time; the hours of a segment must stand in the order of their dates")
      }
    }
  }

  private mutating func takeSpecial(_ fields: [String], _ line: Int) throws(Fault) {
    let day = try date(fields[2], "date", line)
    let span = try span(fields, isSpecial: true, line)
    for segment in try segments(fields[1], line) {
      records.specials[.init(segment: segment, dayNumber: day), default: []].append(span)
    }
  }

  private func span(_ fields: [String], isSpecial: Bool, _ line: Int) throws(Fault) -> CalendarRecords.Span {
    guard let phase = SessionPhase(rawValue: fields[6]) else {
      let known = SessionPhase.allCases.map(\.rawValue).joined(separator: ", ")
      throw fault(line, "has the phase '\(fields[6])'; known are \(known)")
    }
    guard let audience = CalendarRecords.Audience(rawValue: fields[7]) else {
      throw fault(line, "has the group '\(fields[7])'; known are all, auction, other")
    }
    let session = fields[3].isEmpty ? 1 : Int(fields[3]) ?? 0
    guard session > 0 else {
      throw fault(line, "has the session '\(fields[3])'; a number from 1 is expected")
    }
    let start = try minute(fields[4], line)
    let end = try minute(fields[5], line)
    guard start < end else { throw fault(line, "ends at \(fields[5]), not after its start \(fields[4])") }
    return CalendarRecords.Span(
      phase: phase, startMinute: start, endMinute: end, session: session, audience: audience,
      name: fields[8], isSpecial: isSpecial)
  }

  private func segments(_ text: String, _ line: Int) throws(Fault) -> [MarketSegment] {
    var result: [MarketSegment] = []
    for word in text.split(separator: " ") {
      guard let segment = MarketSegment(rawValue: String(word)) else {
        let known = MarketSegment.allCases.map(\.rawValue).joined(separator: ", ")
        throw fault(line, "names the segment '\(word)'; known are \(known)")
      }
      result.append(segment)
    }
    guard !result.isEmpty else { throw fault(line, "names no segment") }
    return result
  }

  private func date(_ text: String, _ column: String, _ line: Int) throws(Fault) -> Int {
    guard let day = CivilTime.dayNumber(date: text) else {
      throw fault(line, "has '\(text)' as \(column); a date as in 2026-11-23 is expected")
    }
    return day
  }

  /// Minutes since midnight of `HH:MM`; 24:00 is the end of the day.
  private func minute(_ text: String, _ line: Int) throws(Fault) -> Int {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard text.utf8.count == 5, parts.count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]),
      (0...24).contains(hour), (0...59).contains(minute), hour * 60 + minute <= 1440
    else { throw fault(line, "has '\(text)' as a time of day; HH:MM is expected") }
    return hour * 60 + minute
  }

  /// The comma-separated fields of a line, quotes taken off; nil when a quote does not match.
  private static func fields(_ text: Substring) -> [String]? {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    for character in text {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == "," && !isQuoted {
        fields.append(field)
        field = ""
      } else {
        field.append(character)
      }
    }
    return isQuoted ? nil : fields + [field]
  }

  private func fault(_ line: Int, _ text: String) -> Fault {
    Fault(.badData, "\(file) line \(line) \(text)")
  }
}
