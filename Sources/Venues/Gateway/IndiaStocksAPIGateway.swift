/// The gateway that comes with TickRing: past candles of Angel One through the Python package `india-stocks-api`.
public enum IndiaStocksAPIGateway {
  /// The Python program.
  public static var script: String {
    String(decoding: PackageResources.india_stocks_api_gateway_py, as: UTF8.self)
  }

  /// What pip installs for it: the package in the version whose faults the program knows, the last pandas that it runs
  /// with, and what it forgets to ask for.
  public static let packages = ["india-stocks-api==1.0.0", "pandas<3", "pytz", "tqdm"]
}
