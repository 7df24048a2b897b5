internal import GRDB
public import MarketData

/// What one instrument traded while its feed was down, which belongs to no candle (candle rule 6).
public struct WithheldVolume: Sendable, Hashable {
  /// The instrument.
  public var instrument: InstrumentID
  /// Receipt of the last snapshot before the outage.
  public var since: Timestamp
  /// Receipt of the first live one behind it.
  public var back: Timestamp
  /// Quantity traded in between.
  public var volume: Int64

  /// Makes a record.
  public init(instrument: InstrumentID, since: Timestamp, back: Timestamp, volume: Int64) {
    self.instrument = instrument
    self.since = since
    self.back = back
    self.volume = volume
  }
}

extension CandleStore {
  /// Keeps what outages withheld; recording it again changes nothing.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func recordWithheld(_ volumes: [WithheldVolume]) throws(Fault) {
    guard !volumes.isEmpty else { return }
    try write("record withheld volume in") { database in
      let statement = try database.cachedStatement(
        sql:
          "INSERT OR REPLACE INTO withheld_volumes (instrument_id, back, since, volume) VALUES (?, ?, ?, ?)")
      for volume in volumes {
        try statement.execute(arguments: [
          Int64(volume.instrument.rawValue), volume.back.nanoseconds, volume.since.nanoseconds, volume.volume,
        ])
      }
    }
  }

  /// By instrument, what outages withheld that ended in `[from, to)`.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func withheldVolumes(from: Timestamp, to: Timestamp) throws(Fault) -> [InstrumentID: Int64] {
    try read("read withheld volume from") { database in
      var volumes: [InstrumentID: Int64] = [:]
      for row in try Row.fetchAll(
        database,
        sql: """
          SELECT instrument_id, sum(volume) FROM withheld_volumes WHERE back >= ? AND back < ?
          GROUP BY instrument_id
          """, arguments: [from.nanoseconds, to.nanoseconds])
      {
        guard let instrument = Self.instrument(numbered: try row.decode(Int64.self, atIndex: 0)) else {
          continue
        }
        volumes[instrument] = try row.decode(Int64.self, atIndex: 1)
      }
      return volumes
    }
  }
}
