//! What kinds alone do not say of settings.

use super::{Config, Origin, SETTINGS, Settings};
use crate::failure::{Failure, FailureKind};

/// Most events of one key: the ledger remembers so many nonces.
const PER_KEY_MAX: usize = ddt_ledger::accounts::NONCES_MAX;
/// hyper takes no less.
const HEAD_BYTES_MIN: usize = 8 * 1024;

/// Bytes that a piece should have, at least and at most.
const PIECE_BYTES_MIN: u64 = 128;
const PIECE_BYTES_MOST: u64 = 2 * ddt_ledger::state::PIECE_BYTES;

type Rule = (&'static str, bool, &'static str);

fn rules(config: &Config) -> Vec<Rule> {
    let (limits, mempool) = (&config.limits, &config.mempool);
    let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.level);
    let is_place = |external: &Option<String>| {
        let parts = external.as_deref().map(|text| text.rsplit_once(':'));
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        parts
            .is_none_or(|parts| parts.is_some_and(|(host, port)| !host.is_empty() && is_port(port)))
    };
    let mut rules = vec![
        (
            "network.external",
            is_place(&config.network.external),
            "must be host:port, such as node.example.org:8410",
        ),
        (
            "consensus.external",
            is_place(&config.consensus.external),
            "must be host:port, such as node.example.org:8420",
        ),
        (
            "private_listen",
            config.private_listen.ip().is_loopback(),
            "must be an address of loopback, such as 127.0.0.1:0",
        ),
        ("log.level", filter.is_ok(), "must be error, warn, info, debug, or directives"),
        (
            "snapshots.piece_bytes",
            (PIECE_BYTES_MIN..=PIECE_BYTES_MOST).contains(&config.snapshots.piece_bytes),
            "must be 128 to 2097152: a piece may be 4 MiB, and they differ",
        ),
        ("mempool.events_max", mempool.events_max >= 1, "must be at least 1"),
        (
            "mempool.bytes_max",
            mempool.bytes_max >= ddt_ledger::lane::BLOCK_BYTES_MAX,
            "must have room for a block, 4194304",
        ),
        (
            "mempool.per_key_max",
            (1..=PER_KEY_MAX).contains(&mempool.per_key_max),
            "must be 1 to 32: the ledger remembers 32 nonces of a key",
        ),
        ("limits.head_bytes_max", limits.head_bytes_max >= HEAD_BYTES_MIN, "must be 8192 or more"),
        (
            "limits.rate_refill_ms",
            limits.rate_burst == 0 || limits.rate_refill_ms > 0,
            "must be at least 1 while limits.rate_burst is not 0",
        ),
    ];
    let at_least_one = [
        ("limits.body_bytes_max", limits.body_bytes_max > 0),
        ("limits.header_count_max", limits.header_count_max > 0),
        ("limits.head_timeout_ms", limits.head_timeout_ms > 0),
        ("limits.body_timeout_ms", limits.body_timeout_ms > 0),
        ("limits.request_timeout_ms", limits.request_timeout_ms > 0),
        ("limits.requests_max", limits.requests_max > 0),
        ("limits.connections_max", limits.connections_max > 0),
    ];
    rules.extend(at_least_one.map(|(key, holds)| (key, holds, "must be at least 1")));
    let api = config.api.as_ref().is_none_or(is_url);
    rules.push(("api", api, "must begin with http:// or https://"));
    rules
}

impl Settings {
    /// Refuses what a node could not run with.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (key, holds, words) in rules(&self.config) {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
                continue;
            };
            let place = match self.origin(setting) {
                Origin::File(path) => path.display().to_string(),
                Origin::Environment(name) => name.to_string(),
                Origin::Flag(name) => name.to_string(),
                Origin::Default => "the default".to_string(),
            };
            // A flag's URL has its own error, of whoever connects.
            let is_old = key == "api" && !matches!(self.origin(setting), Origin::File(_));
            if !holds && !is_old {
                let failure =
                    Failure::new(FailureKind::Usage, "config", format!("{place}: {words}"));
                return Err(Failure { field: Some(key.to_string()), ..failure });
            }
        }
        Ok(())
    }
}
