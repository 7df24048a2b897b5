internal import MarketData
internal import VenueSimulator

/// The configuration that the demo writes for its feed handler.
enum DemoConfiguration {
  /// What the simulated venue takes as credentials.
  static func credentials(_ vendor: SimulatedVenue.Vendor) -> [String: String] {
    switch vendor {
    case .kite: ["TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "demo"]
    case .angelone:
      [
        "TICKRING_ANGELONE_API_KEY": "demo", "TICKRING_ANGELONE_CLIENT_CODE": "DEMO",
        "TICKRING_ANGELONE_PIN": "0000",
        "TICKRING_ANGELONE_TOTP_SECRET": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
      ]
    }
  }

  /// Market seconds after a minute's end at which its candles are sealed, as by default.
  private static let graceMilliseconds = 3000

  /// The same for a back-test of what was recorded.
  static func backtest(feed: String, from: Timestamp, to: Timestamp) -> String {
    """
    # Written by `tickring demo`.
    feed: \(feed)
    data_directory: .
    mode: backtest
    backtest:
      from: \(from.rfc3339)
      to: \(to.rfc3339)
    candles:
      grace_milliseconds: \(graceMilliseconds)

    """
  }

  static func yaml(feed: String, vendor: SimulatedVenue.Vendor, port: Int, speed: Double) -> String {
    """
    # Written by `tickring demo`.
    feed: \(feed)
    data_directory: .
    mode: paper
    log_level: info
    source:
      venue: \(vendor.rawValue)
      websocket_url: ws://127.0.0.1:\(port)\(vendor.websocketPath)
      api_url: http://127.0.0.1:\(port)
      clock: simulator
    instruments: all
    history:
      sessions: 1
      requests_per_second: 0
    candles:
      grace_milliseconds: \(graceMilliseconds)
    recorder:
      seal_seconds: 2
    strategy:
      lane: crossing
    retry:
      first_delay_milliseconds: 100
      attempts_max: 3

    """
  }
}
