import Foundation

/// Kite's page where a person signs in, as the simulated venue serves it.
enum KiteLoginPage {
  /// Where it sends the browser of somebody who has signed in: the address that `tickring login kite` takes.
  static func answer(port: Int) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      "-c",
      """
      import http.client, sys
      connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
      connection.request("GET", "/connect/login?api_key=demo&v=3")
      print(connection.getresponse().getheader("Location"))
      """, "\(port)",
    ]
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
