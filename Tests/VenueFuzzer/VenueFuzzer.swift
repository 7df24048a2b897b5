import Foundation
import MarketData

@testable import Venues

// Feeds mutated bytes to everything that reads what a venue sends: `make fuzz-venues`. Whatever the bytes, a reader must
// come back with an answer or a typed fault; a trap, a sanitizer's complaint, a broken promise (each target checks some)
// or a memory beyond the limit is a finding.
//
// Every target has its own corpus. TICKRING_FUZZ_TARGET names it, TICKRING_FUZZ_SEEDED_BUG puts a bug into it: the
// control, which must be found.

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ argumentCount: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> Int32
) -> Int32

/// One reader under test.
protocol FuzzTarget {
  static var name: String { get }
  /// Good inputs, from which the corpus is made.
  static func seeds() -> [[UInt8]]
  init()
  mutating func read(_ input: [UInt8])
}

/// The targets, each with the inputs that a counted search takes: a minute's work.
let targets: [(type: any FuzzTarget.Type, inputs: Int)] = [
  (KiteFrames.self, 650_000), (AngelOneFrames.self, 2_000_000), (OpenAlgoMessages.self, 2_000_000),
  (GatewayLines.self, 900_000), (WebSocketFrames.self, 2_200_000), (WebSocketAnswer.self, 1_800_000),
  (HTTPAnswers.self, 650_000), (KiteCandleAnswers.self, 1_800_000), (AngelOneCandleAnswers.self, 1_900_000),
  (OpenAlgoAnswers.self, 1_800_000), (MasterAnswers.self, 2_600_000), (InstrumentLists.self, 2_400_000),
  (LoginAnswers.self, 850_000), (VenueTexts.self, 1_700_000),
]

let hasSeededBug = getenv("TICKRING_FUZZ_SEEDED_BUG") != nil

/// The control: a table too short for what the input holds.
func seededBug(_ value: some BinaryInteger) {
  guard hasSeededBug else { return }
  let table = [UInt8](repeating: 0, count: 200)
  precondition(table[Int(truncatingIfNeeded: value) & 0xFF] == 0)
}

/// What goes to people and into logs is a sentence on one line: no sender can put a control character into it, or
/// flood it.
func checkSentence(_ text: String) {
  precondition(!text.isEmpty && text.utf8.count <= Fault.messageBytesMax)
  precondition(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
}

/// What throws on nonsense only, which this is not.
func good<Value>(_ body: () throws -> Value) -> Value {
  do { return try body() } catch { fatalError("\(error)") }
}

let sampleSymbol = good { try Symbol("NSE:RELIANCE") }

/// A session of Angel One that has not logged in, and whose login gets `answer`.
func angelOneSession(_ answer: @escaping @Sendable () -> HTTPResponse) -> AngelOneSession {
  AngelOneSession(
    credentials: { angelOneCredentials }, budget: RequestBudget([]), now: { Timestamp(seconds: 1) }
  ) { _ in
    answer()
  }
}

private let angelOneCredentials = good {
  try AngelOneCredentials(apiKey: "key", clientCode: "A1", pin: "1", totpSecret: "GEZDGNBV")
}

nonisolated(unsafe) var target: any FuzzTarget = KiteFrames()

func test(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  target.read(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

/// The fuzzer's entry for one input, by the name that its runtime looks for.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 { test(start, count) }

@main
enum VenueFuzzer {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 2, arguments[1] == "list-targets" {
      for target in targets { print(target.type.name, target.inputs) }
      return
    }
    let name = ProcessInfo.processInfo.environment["TICKRING_FUZZ_TARGET"] ?? ""
    guard let type = targets.first(where: { $0.type.name == name })?.type else {
      print(
        "TICKRING_FUZZ_TARGET is '\(name)'; it must be one of \(targets.map { $0.type.name }.joined(separator: ", "))"
      )
      exit(64)
    }
    if arguments.count == 3, arguments[1] == "make-corpus" { return try makeCorpus(type, in: arguments[2]) }
    target = type.init()
    var argumentCount = CommandLine.argc
    var argumentVector = CommandLine.unsafeArgv
    exit(runFuzzer(&argumentCount, &argumentVector, test))
  }

  static func makeCorpus(_ type: any FuzzTarget.Type, in directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (number, seed) in type.seeds().enumerated() {
      try Data(seed).write(to: URL(fileURLWithPath: "\(directory)/seed-\(number)"))
    }
  }
}
