extension DecodingError {
  /// What is wrong with a request's JSON and where, in words for whoever wrote it.
  var sentence: String {
    switch self {
    case .keyNotFound(let key, let context): "\(Self.place(context.codingPath)) has no '\(key.stringValue)'"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(Self.place(context.codingPath)) is not \(Self.words(for: type))"
    case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is no JSON"
    case .dataCorrupted(let context): "\(Self.place(context.codingPath)) has a value that is not allowed"
    @unknown default: "it cannot be read"
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    if path.isEmpty { return "it" }
    return "its '\(path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."))'"
  }

  private static func words(for type: Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is any JSONObject.Type: "an object"
    case is any Collection.Type: "a list"
    default: "an object"
    }
  }
}

/// What the decoder calls an object's type: a dictionary of values of its own.
private protocol JSONObject {}

extension Dictionary: JSONObject {}
