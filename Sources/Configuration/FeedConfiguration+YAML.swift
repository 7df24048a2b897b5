extension FeedConfiguration {
  /// The dotted names of all keys that hold a value, as in `recorder.block_ticks`, in the annotated example's order.
  public static var allKeys: [String] { dottedKeys }

  /// The configuration as YAML that ``parse(_:file:)`` reads back to an equal one.
  public var yamlText: String { text(withComments: false) }

  /// A configuration file of all keys with their defaults and a comment on each.
  public static var annotatedExample: String { FeedConfiguration().text(withComments: true) }

  private func text(withComments: Bool) -> String {
    var writer = ConfigurationWriter(withComments: withComments)
    writer.comment(
      "TickRing's configuration. Every key may be left out; its default is what stands here. Credentials never "
        + "stand in this file: they come from the environment, for Kite \(KiteSecrets.apiKeyVariable) and "
        + "\(KiteSecrets.accessTokenVariable) or `tickring login kite`; a start without them names what is missing."
    )
    writer.blankLine()
    for key in Self.keys { key.write(self, &writer) }
    return writer.text.hasSuffix("\n\n") ? String(writer.text.dropLast()) : writer.text
  }
}
