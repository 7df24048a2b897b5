internal import ArgumentParser

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract:
      "Read archived ticks back in their order, in this process or on lanes of shared memory as if live.",
    discussion: """
      Without a verb, `tickring replay OPTIONS` is `tickring replay play OPTIONS`; `tickring replay play --help` lists \
      them. The other verbs steer a replay that runs under a feed's name.
      """,
    subcommands: [
      PlayCommand.self, ReplayStatusCommand.self, PauseCommand.self, ResumeCommand.self, StepCommand.self,
      SeekCommand.self, SpeedCommand.self, StopCommand.self,
    ],
    defaultSubcommand: PlayCommand.self)
}
