//! `[connections.sync]`: defaults, values and errors.

use std::time::Duration;

use customer_gateway::{
    config::{Config, ConfigErrors},
    copies::SyncSettings,
    domain::query::Resource,
};
use insta::assert_snapshot;

use super::{ConfigDir, minimal};

/// Returns a file in which both connections have these sections `sync`.
fn with_sections(tolt: &str, corporation: &str) -> String {
    let key = "[paging]\ncursor_key = { file = \"secret\" }\n";
    let [affiliates, tax] = [("affiliates", tolt), ("tax", corporation)].map(|(name, section)| {
        let text = minimal();
        let connection = text.split_inclusive("[[connections]]\n").find(|text| text.contains(&format!("\"{name}\"")));
        let connection = connection.unwrap().replace("[[connections]]\n", "");
        format!("[[connections]]\n{connection}[connections.sync]\n{section}\n")
    });
    format!("{key}{affiliates}{tax}")
}

fn parse(tolt: &str, corporation: &str) -> Result<Config, ConfigErrors> {
    ConfigDir::new().parse(&with_sections(tolt, corporation))
}

/// Returns the error of a section of the Tolt connection, without the file.
fn error(section: &str) -> String {
    ConfigDir::new().error_for(&with_sections(section, ""))
}

/// Returns the error of a section of the corporation connection, without the file.
fn corporation_error(section: &str) -> String {
    ConfigDir::new().error_for(&with_sections("", section))
}

#[test]
fn lists_are_not_stored_by_default() {
    let config = ConfigDir::new().parse(&minimal()).unwrap();
    assert!(config.connections.iter().all(|connection| connection.sync.is_none()));
}

#[test]
fn empty_section_has_the_defaults() {
    let config = parse("", "").unwrap();
    let settings = SyncSettings {
        every: Duration::from_mins(15),
        newest: Some(Duration::from_secs(30)),
        budget: 0.5,
        max_age: Duration::from_hours(1),
        max_bytes: 512 << 20,
        resources: vec![Resource::Customers, Resource::Transactions],
        snapshot: None,
    };
    assert_eq!(config.connections[0].sync.as_ref(), Some(&settings));
    // The corporation vendor has no transactions, and promises no order.
    let other = SyncSettings { newest: None, resources: vec![Resource::Customers], ..settings };
    assert_eq!(config.connections[1].sync.as_ref(), Some(&other));
}

#[test]
fn all_keys_are_read() {
    let place = ConfigDir::new();
    let section = "every = \"1h\"\nnewest = \"2m\"\nbudget = 1\nmax_age = \"90m\"\nmax_bytes = \"1GiB\"\n\
                   resources = [\"transactions\"]\nsnapshot = \"lists\"";
    let config = place.parse(&with_sections(section, "budget = 0.25")).unwrap();
    let settings = SyncSettings {
        every: Duration::from_hours(1),
        newest: Some(Duration::from_mins(2)),
        budget: 1.0,
        max_age: Duration::from_mins(90),
        max_bytes: 1 << 30,
        resources: vec![Resource::Transactions],
        snapshot: Some(place.path("lists")),
    };
    assert_eq!(config.connections[0].sync.as_ref(), Some(&settings));
    assert_eq!(config.connections[1].sync.as_ref().map(|settings| settings.budget), Some(0.25));
}

#[test]
fn defaults_follow_a_changed_interval() {
    let settings = |every: &str| {
        let config = parse(&format!("every = \"{every}\""), "").unwrap();
        config.connections[0].sync.clone().unwrap()
    };
    let short = settings("10s");
    assert_eq!((short.newest, short.max_age), (Some(Duration::from_secs(10)), Duration::from_secs(40)));
    // A default is a value that a file may have.
    let longest = settings("876000h");
    assert_eq!(longest.max_age, longest.every);
}

#[test]
fn interval_is_positive() {
    for key in ["every", "newest", "max_age"] {
        let error = error(&format!("{key} = \"0s\""));
        assert!(error.contains(&format!("connections.affiliates.sync.{key}: a duration of zero")), "{error}");
    }
}

#[test]
fn walk_budget_is_a_part_of_the_limit() {
    for budget in ["0", "0.0", "1.5", "-0.5", "nan", "\"half\""] {
        let error = error(&format!("budget = {budget}"));
        assert!(error.contains("write a number above 0 and at most 1"), "{budget}: {error}");
    }
}

#[test]
fn newest_requires_a_list_with_newest_rows_first() {
    assert_snapshot!(error("newest = \"16m\""), @"gateway.toml:9: connections.affiliates.sync.newest: `newest` is above `every`; write a duration of at most `every`");
    assert_snapshot!(corporation_error("newest = \"30s\""), @r#"gateway.toml:16: connections.tax.sync.newest: vendor "corporation" does not list the newest rows first; remove the key"#);
}

#[test]
fn max_age_is_at_least_the_interval() {
    assert_snapshot!(error("max_age = \"14m\""), @"gateway.toml:9: connections.affiliates.sync.max_age: `max_age` is below `every`, and each list would be too old before its next walk; write a duration of at least `every`, or remove the key");
    assert!(parse("max_age = \"15m\"", "").is_ok());
}

#[test]
fn stored_list_has_some_memory() {
    assert_snapshot!(error("max_bytes = 0"), @r#"gateway.toml:9: connections.affiliates.sync.max_bytes: invalid size; write a number of bytes, such as "256MiB""#);
    assert_snapshot!(error("max_bytes = \"0B\""), @r#"gateway.toml:9: connections.affiliates.sync.max_bytes: the size is zero; write a size such as "512MiB", or remove the section"#);
}

#[test]
fn resources_are_lists_of_the_vendor() {
    assert_snapshot!(error("resources = []"), @"gateway.toml:9: connections.affiliates.sync.resources: the list of resources is empty; write at least one, or remove the section");
    assert_snapshot!(error("resources = [\"customers\", \"invoices\"]"), @r#"gateway.toml:9: connections.affiliates.sync.resources: invalid list; write "customers" or "transactions""#);
    assert_snapshot!(error("resources = [\"customers\", \"customers\"]"), @r#"gateway.toml:9: connections.affiliates.sync.resources.1: duplicate resource "customers"; write each resource once"#);
    assert_snapshot!(corporation_error("resources = [\"customers\", \"transactions\"]"), @r#"gateway.toml:16: connections.tax.sync.resources.1: vendor "corporation" has no transactions; remove "transactions""#);
}

#[test]
fn snapshot_can_be_written() {
    assert_snapshot!(error("snapshot = \"missing/lists\""), @"gateway.toml:9: connections.affiliates.sync.snapshot: the file missing/lists is not in an existing directory; create the directory, or write another path");
    assert_snapshot!(error("snapshot = \"/dev/null\""), @"gateway.toml:9: connections.affiliates.sync.snapshot: the file /dev/null is not a regular file; write the path of a file");
    assert_snapshot!(error("snapshot = \"secret/lists\""), @"gateway.toml:9: connections.affiliates.sync.snapshot: the file secret/lists is not in an existing directory; create the directory, or write another path");
    let directory = ConfigDir::new();
    let error = directory.error_for(&with_sections(&format!("snapshot = \"{}\"", directory.path("").display()), ""));
    assert!(error.contains("is not a regular file"), "{error}");
}

#[test]
fn snapshot_belongs_to_one_connection() {
    let both = with_sections("snapshot = \"lists\"", "snapshot = \"lists\"");
    assert_snapshot!(ConfigDir::new().error_for(&both), @"gateway.toml:16: connections.tax.sync.snapshot: the connections affiliates and tax have one snapshot; write another path for each connection");
}

#[test]
fn snapshot_requires_a_lasting_key() {
    let text = with_sections("snapshot = \"lists\"", "").replacen("cursor_key = { file = \"secret\" }\n", "", 1);
    assert_snapshot!(ConfigDir::new().error_for(&text), @r#"gateway.toml:8: connections.affiliates.sync.snapshot: a snapshot requires `paging.cursor_key`; write cursor_key = { env = "VARIABLE" } or { file = "path" } into [paging]"#);
    // An unreadable key is reported alone.
    let text = with_sections("snapshot = \"lists\"", "").replacen("{ file = \"secret\" }", "\"inline\"", 1);
    let error = ConfigDir::new().error_for(&text);
    assert!(error.contains("paging.cursor_key: secrets") && error.lines().count() == 1, "{error}");
}

#[test]
fn snapshot_is_rejected_with_replicas() {
    let text = with_sections("snapshot = \"lists\"", "") + "[shared]\nurl = { file = \"secret\" }\n";
    let error = ConfigDir::new().error_for(&text);
    assert!(error.contains("sync.snapshot: with [shared], the lists outlast restarts"), "{error}");
    assert!(error.contains("; remove the key"), "{error}");
}

#[test]
fn unknown_key_of_the_section_is_named() {
    assert_snapshot!(error("interval = \"15m\""), @"gateway.toml:9: connections.affiliates.sync.interval: unknown field `interval`, expected one of `every`, `newest`, `budget`, `max_age`, `max_bytes`, `resources`, `snapshot`");
    let section = "sync = true\nprogram_id";
    assert_snapshot!(ConfigDir::new().error_for(&minimal().replacen("program_id", section, 1)), @"gateway.toml:5: connections.affiliates.sync: invalid type: boolean `true`, expected a section [connections.sync]");
}

#[test]
fn printed_section_has_each_value() {
    let place = ConfigDir::new();
    let text = with_sections("snapshot = \"lists\"", "");
    let printed = Config::effective(&text, &place.path("gateway.toml")).unwrap();
    let sections: Vec<_> =
        printed.split("[connections.sync]\n").skip(1).map(|it| it.split("\n\n").next().unwrap()).collect();
    assert_eq!(sections.len(), 2, "{printed}");
    assert_snapshot!(sections[0], @r#"
    every = "15m"
    newest = "30s"
    budget = 0.5
    max_age = "1h"
    max_bytes = "512MiB"
    resources = ["customers", "transactions"]
    snapshot = "lists"
    "#);
    assert_snapshot!(sections[1], @r#"
    every = "15m"
    budget = 0.5
    max_age = "1h"
    max_bytes = "512MiB"
    resources = ["customers"]
    "#);
    let read = |text: &str| place.parse(text).unwrap().connections;
    assert_eq!(read(&printed), read(&text));
}
