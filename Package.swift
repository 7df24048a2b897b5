// swift-tools-version: 6.2
import PackageDescription

// Every Swift target is held to the same rules: language mode 6, explicit existentials and imports, no warning.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]
let strictC: [CSetting] = [
  .define("_GNU_SOURCE"),
  .enableWarning("all"),
  .enableWarning("extra"),
  .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "TickRing",
  products: [
    .library(name: "TickRing", targets: ["TickRing"]),
    .executable(name: "tickring", targets: ["TickRingCLI"]),
    .executable(name: "tickring-example-strategy", targets: ["ExampleStrategy"]),
    .executable(name: "tickring-example-crossing", targets: ["MovingAverageCrossing"]),
    .executable(name: "tickring-bench", targets: ["Benchmarks"]),
    .executable(name: "ring-trial", targets: ["RingTrial"]),
  ],
  dependencies: [
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", exact: "0.2.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox.git", exact: "0.27.1"),
  ],
  targets: [
    // C that Swift cannot express: shared layouts, Linux calls, system libraries.
    .target(name: "CAllocationCounter", path: "CShims/CAllocationCounter", cSettings: strictC),
    .target(name: "CLinux", path: "CShims/CLinux", cSettings: strictC),
    .target(name: "CRingBenchmark", path: "CShims/CRingBenchmark", cSettings: strictC),
    .target(
      name: "CSharedRing", path: "CShims/CSharedRing", exclude: ["examples"], cSettings: strictC),
    .target(name: "CTickCodec", path: "CShims/CTickCodec", cSettings: strictC),
    .systemLibrary(
      name: "CCrypto", path: "CShims/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCurl", path: "CShims/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
      name: "CLZ4", path: "CShims/CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CWslay", path: "CShims/CWslay", providers: [.apt(["libwslay-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "CShims/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // The stages of the data's path.
    .target(name: "MarketData", swiftSettings: strict),
    .target(
      name: "SharedRing", dependencies: ["MarketData", "CSharedRing", "CLinux"], swiftSettings: strict),
    .target(
      name: "Venues", dependencies: ["MarketData", "CCrypto", "CCurl", "CLinux", "CWslay"],
      resources: [.embedInCode("Resources/india_stocks_api_gateway.py")], swiftSettings: strict),
    .target(
      name: "TradingCalendar", dependencies: ["MarketData"],
      resources: [.embedInCode("Resources/india.csv")], swiftSettings: strict),
    .target(name: "TickQuality", dependencies: ["MarketData"], swiftSettings: strict),
    .target(name: "CandleBuilding", dependencies: ["MarketData"], swiftSettings: strict),
    .target(name: "CandleStore", dependencies: ["MarketData", grdb, grdbSQLite], swiftSettings: strict),
    .target(name: "TimeSeries", dependencies: ["MarketData"], swiftSettings: strict),
    .target(
      name: "TickArchive", dependencies: ["MarketData", "CLZ4", "CLinux", "CTickCodec"], swiftSettings: strict
    ),
    .target(
      name: "VenueSimulator", dependencies: ["MarketData", "CCrypto", "CZlib", flyingFox],
      swiftSettings: strict),
    .target(
      name: "Configuration", dependencies: ["MarketData", "TickQuality", "Yams"], swiftSettings: strict),

    // What ties the stages together.
    .target(name: "ProcessControl", dependencies: ["MarketData"], swiftSettings: strict),
    .target(name: "FeedControl", dependencies: ["MarketData", "Venues"], swiftSettings: strict),
    .target(
      name: "FeedHandler",
      dependencies: [
        "MarketData", "SharedRing", "Venues", "TickQuality", "CandleBuilding", "CandleStore", "TickArchive",
        "TradingCalendar", "Configuration", "FeedControl", "CLinux", flyingFox, flyingSocks, logging,
      ], swiftSettings: strict),
    .target(
      name: "TickRing",
      dependencies: [
        "MarketData", "SharedRing", "CandleBuilding", "CandleStore", "FeedControl", "TickArchive",
        "TimeSeries", "TradingCalendar", "Configuration",
      ], swiftSettings: strict),
    .executableTarget(
      name: "TickRingCLI",
      dependencies: [
        "MarketData", "SharedRing", "Venues", "TickQuality", "CandleBuilding", "CandleStore", "TickArchive",
        "Configuration", "FeedControl", "FeedHandler", "ProcessControl", "TickRing", "TimeSeries",
        "TradingCalendar", "VenueSimulator", argumentParser, logging,
      ], resources: [.embedInCode("Resources/write_columns.py")], swiftSettings: strict),
    .executableTarget(
      name: "ExampleStrategy", dependencies: ["TickRing", histogram], swiftSettings: strict),
    .executableTarget(name: "MovingAverageCrossing", dependencies: ["TickRing"], swiftSettings: strict),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "MarketData", "SharedRing", "Venues", "TickQuality", "CandleBuilding", "TickArchive", "FeedControl",
        "FeedHandler", "TradingCalendar",
        "ProcessControl", "CAllocationCounter", "CLinux", "CRingBenchmark", "CandleStore", "TimeSeries",
        "TickRing",
        "Configuration", argumentParser, grdbSQLite, logging,
      ], path: "Benchmarks", exclude: ["RingPeers"],
      resources: [.embedInCode("Archive/archive_peers.py")], swiftSettings: strict),

    // What tests start as processes of their own.
    .executableTarget(
      name: "RingTrial", dependencies: ["MarketData", "SharedRing", "CSharedRing"], path: "Tests/RingTrial",
      swiftSettings: strict),

    .testTarget(name: "MarketDataTests", dependencies: ["MarketData"], swiftSettings: strict),
    .testTarget(
      name: "SharedRingTests", dependencies: ["SharedRing", "MarketData", "CSharedRing"],
      swiftSettings: strict),
    .testTarget(
      name: "VenuesTests", dependencies: ["Venues", "VenueSimulator", "MarketData", flyingFox],
      resources: [.copy("Resources")], swiftSettings: strict),
    .testTarget(
      name: "TickQualityTests", dependencies: ["TickQuality", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "TradingCalendarTests", dependencies: ["TradingCalendar", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "CandleBuildingTests", dependencies: ["CandleBuilding", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "CandleStoreTests", dependencies: ["CandleStore", "MarketData", grdb],
      resources: [.copy("Resources")], swiftSettings: strict),
    .testTarget(
      name: "TimeSeriesTests", dependencies: ["TimeSeries", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "TickArchiveTests", dependencies: ["TickArchive", "MarketData", "CTickCodec"],
      resources: [.copy("Resources")], swiftSettings: strict),
    .testTarget(
      name: "VenueSimulatorTests", dependencies: ["VenueSimulator", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "MarketData", "TickQuality"],
      swiftSettings: strict),
    .testTarget(
      name: "FeedHandlerTests",
      dependencies: [
        "FeedHandler", "FeedControl", "MarketData", "SharedRing", "CandleStore", "Configuration",
        "TickQuality", "TradingCalendar", logging,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TickRingTests",
      dependencies: [
        "TickRing", "MarketData", "TimeSeries", "CandleStore", "TickArchive", "Configuration", "SharedRing",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "MarketData", "TickArchive", "TickRing", "TickRingCLI", "ExampleStrategy", "MovingAverageCrossing",
        "Benchmarks", "SharedRing", "CandleBuilding", "CandleStore", "Venues",
      ],
      exclude: ["Resources"], swiftSettings: strict),
  ],
  cLanguageStandard: .c17
)

// The fuzzer needs a runtime of its own, which nothing else should carry: `make fuzz` asks for it.
if Context.environment["TICKRING_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "ArchiveFuzzer", dependencies: ["TickArchive", "MarketData", "CTickCodec", "CLZ4"],
      path: "Tests/ArchiveFuzzer",
      swiftSettings: [.swiftLanguageMode(.v5)],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
  package.targets.append(
    .executableTarget(
      name: "VenueFuzzer", dependencies: ["Venues", "MarketData"], path: "Tests/VenueFuzzer",
      exclude: ["fuzz-target.sh"],
      swiftSettings: [.swiftLanguageMode(.v5)],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
