internal import GRDB
internal import MarketData

/// The tables and views of a candle store, as a sequence of migrations: a store of any released version is brought
/// forward by those that it lacks. A migration that was released is never changed; a new version adds one.
///
/// What the tables mean is written in the article <doc:Schema>.
enum Schema {
  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration(SchemaVersion1.identifier) { try SchemaVersion1.make($0) }
    migrator.registerMigration(SchemaVersion2.identifier) { try SchemaVersion2.make($0) }
    migrator.registerMigration(SchemaVersion3.identifier) { try SchemaVersion3.make($0) }
    migrator.registerMigration(SchemaVersion4.identifier) { try SchemaVersion4.make($0) }
    migrator.registerMigration(SchemaVersion5.identifier) { try SchemaVersion5.make($0) }
    return migrator
  }()
}
