public import MarketData

/// Past candles of a store of the user's over REST: the address is a template, the answer JSON or CSV of a described
/// shape.
public struct MasterCandles: CandleService {
  /// In sentences for people.
  public let name = "the master data store"

  private let url: MasterTemplate
  private let headers: [(name: String, value: MasterTemplate)]
  private let format: CandleFormat
  private let words: [Int: String]
  private let daysMax: Int

  /// Describes a store.
  ///
  /// - Parameters:
  ///   - url: The address.
  ///   - headers: Header fields of each request.
  ///   - words: What the store calls an interval, by its seconds; what is not in it is called as here, `1m`.
  ///   - daysMax: Days that one request may span.
  public init(
    url: MasterTemplate, headers: [(name: String, value: MasterTemplate)], format: CandleFormat,
    words: [Int: String] = [:], daysMax: Int
  ) {
    self.url = url
    self.headers = headers
    self.format = format
    self.words = words
    self.daysMax = daysMax
  }

  /// The configured limit, for every interval.
  public func daysMax(of interval: Interval) throws(Fault) -> Int { daysMax }

  /// `GET` of the template.
  public func request(for part: CandleRequest) throws(Fault) -> HTTPRequest {
    let interval = words[part.interval.seconds] ?? "\(part.interval)"
    var request = HTTPRequest(
      .get, url.text(for: part, interval: interval, encode: percentEncoded),
      headers: headers.map { ($0.name, $0.value.text(for: part, interval: interval, encode: { $0 })) })
    request.secrets = secrets
    return request
  }

  private var secrets: [String] { url.secrets + headers.flatMap(\.value.secrets) }

  /// Bytes of a refusal in which secrets are looked for; what is shown of it is shorter.
  private static let refusalBytesMax = 2048

  /// What the store says, which may repeat what it was asked.
  private func words(of body: [UInt8]) -> String {
    let beginning = String(decoding: body.prefix(Self.refusalBytesMax), as: UTF8.self)
    return excerpt(of: Redaction(url: "", secrets: secrets)(beginning).utf8)
  }

  /// Reads an answer; a status other than 200 is a refusal.
  public func candles(in response: HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle] {
    let title = "\(name)'s \(part.interval) candles of \(part.instrument.symbol)"
    guard response.status == 200 else {
      let kind: Fault.Kind =
        switch response.status {
        case 401, 403: .refused
        case 408, 429, 500...599: .unavailable
        default: .protocolViolation
        }
      throw CandleRefusal(
        Fault(kind, "\(title): HTTP status \(response.status): \(words(of: response.body))"),
        remedy: CandleRefusal.remedy(forStatus: response.status))
    }
    do throws(Fault) {
      return try format.candles(
        in: response.body, instrument: part.instrument.id, interval: part.interval, origin: .venue)
    } catch {
      throw CandleRefusal(Fault(.protocolViolation, "\(title): \(error.message)"), remedy: .none)
    }
  }
}

/// Past candles from files, CSV or JSON, one for each instrument and interval that there is.
public struct FileCandles: CandleSource, Sendable {
  /// The largest file that is read.
  static let fileBytesMax = 512 << 20

  private let path: MasterTemplate
  private let format: CandleFormat
  private let words: [Int: String]

  /// Describes the files; `path` is a template.
  public init(path: MasterTemplate, format: CandleFormat, words: [Int: String] = [:]) {
    self.path = path
    self.format = format
    self.words = words
  }

  /// Reads the candles of one instrument whose start lies in `[from, to)`, ascending; none where there is no file.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when a file cannot be read, `badData` naming the file and the row when
  ///   something in it is wrong.
  public func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    let part = CandleRequest(instrument, interval: interval, from: from, to: to)
    let file = path.text(for: part, interval: words[interval.seconds] ?? "\(interval)") {
      // A name must not lead out of its directory.
      $0.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "_")
    }
    guard let bytes = try FileText.bytes(file, maximum: Self.fileBytesMax) else { return [] }
    do {
      return try format.candles(in: bytes, instrument: instrument.id, interval: interval, origin: .imported)
        .ascending().filter { $0.start >= from && $0.start < to }
    } catch {
      throw Fault(error.kind, "'\(file)': \(error.message)")
    }
  }
}

extension [Candle] {
  /// The same candles; a row that repeats the one before it is left out.
  ///
  /// - Throws: ``Fault`` of kind `badData` when they do not ascend in time.
  public func ascending() throws(Fault) -> [Candle] {
    var result: [Candle] = []
    result.reserveCapacity(count)
    for candle in self {
      if let previous = result.last {
        if candle == previous { continue }
        guard candle.start > previous.start else {
          throw Fault(
            .badData,
            "the candle at \(candle.start.rfc3339) follows one at \(previous.start.rfc3339); rows must ascend in time, and "
              + "each time has one candle")
        }
      }
      result.append(candle)
    }
    return result
  }
}
