internal import GRDB
public import MarketData

/// A record that a quality rule rejected, with its reason.
public struct QuarantinedRecord: Sendable, Hashable {
  /// What was rejected.
  public enum Record: Int64, Sendable, Hashable {
    /// A tick.
    case tick = 0
    /// A candle.
    case candle = 1
  }

  /// The instrument, or ``InstrumentID/all``.
  public var instrument: InstrumentID
  /// What was rejected.
  public var record: Record
  /// Name of the rule.
  public var rule: String
  /// Why, in one sentence.
  public var reason: String
  /// When it was received; of a candle, when it was rejected.
  public var receiveTime: Timestamp
  /// Its exchange time; of a candle, its start.
  public var exchangeTime: Timestamp
  /// Its price; of a candle, its close.
  public var price: Price
  /// Its cumulative day volume; of a candle, its volume.
  public var volume: Int64
  /// The rest of the record as JSON, or empty.
  public var detail: String
  /// A tick's number in the feed, under which it is kept only once; nil for a candle.
  public var sequence: UInt64?

  /// Makes an entry from its fields.
  public init(
    instrument: InstrumentID, record: Record, rule: String, reason: String, receiveTime: Timestamp,
    exchangeTime: Timestamp, price: Price, volume: Int64, detail: String = "", sequence: UInt64? = nil
  ) {
    self.instrument = instrument
    self.record = record
    self.rule = rule
    self.reason = reason
    self.receiveTime = receiveTime
    self.exchangeTime = exchangeTime
    self.price = price
    self.volume = volume
    self.detail = detail
    self.sequence = sequence
  }
}

extension CandleStore {
  /// Keeps rejected records; all of them or none. One whose sequence is there already is passed over.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func quarantine(_ records: [QuarantinedRecord]) throws(Fault) {
    guard !records.isEmpty else { return }
    try write("quarantine records in") { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT OR IGNORE INTO quarantine
            (instrument_id, record, rule, reason, receive_time, exchange_time, price, volume, detail, sequence)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """)
      for record in records {
        try statement.execute(arguments: [
          Self.number(of: record.instrument), record.record.rawValue, record.rule, record.reason,
          record.receiveTime.nanoseconds, record.exchangeTime.nanoseconds, record.price.units, record.volume,
          record.detail, record.sequence.map(Int64.init(bitPattern:)),
        ])
      }
    }
  }

  /// Rejected records received in `[from, to)`, in the order in which they were rejected.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func quarantined(from: Timestamp, to: Timestamp) throws(Fault) -> [QuarantinedRecord] {
    let path = path
    return try read("read the quarantine of") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT instrument_id, record, rule, reason, receive_time, exchange_time, price, volume, detail,
            sequence
          FROM quarantine WHERE receive_time >= ? AND receive_time < ? ORDER BY id
          """, arguments: [from.nanoseconds, to.nanoseconds]
      ).map { row in
        guard let instrument = Self.instrument(numbered: try row.decode(Int64.self, atIndex: 0)),
          let record = QuarantinedRecord.Record(rawValue: try row.decode(Int64.self, atIndex: 1))
        else {
          throw Fault(.badData, "a quarantined record in '\(path)' has values out of range; delete that row")
        }
        return QuarantinedRecord(
          instrument: instrument, record: record, rule: try row.decode(String.self, atIndex: 2),
          reason: try row.decode(String.self, atIndex: 3),
          receiveTime: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 4)),
          exchangeTime: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 5)),
          price: Price(units: try row.decode(Int64.self, atIndex: 6)),
          volume: try row.decode(Int64.self, atIndex: 7), detail: try row.decode(String.self, atIndex: 8),
          sequence: try row.decode(Int64?.self, atIndex: 9).map(UInt64.init(bitPattern:)))
      }
    }
  }
}
