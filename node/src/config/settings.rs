//! The table of settings.

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Count,
    /// `true` or `false`.
    Flag,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// As in the file, with a dot between table and key.
    pub key: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// Its flag, if it has one.
    pub flag: Option<&'static str>,
    /// What its value is.
    pub kind: Kind,
    /// What it is for.
    pub doc: &'static str,
}

const fn text(key: &'static str, variable: &'static str, doc: &'static str) -> Setting {
    Setting { key, variable, flag: None, kind: Kind::Text, doc }
}

const fn count(key: &'static str, variable: &'static str, doc: &'static str) -> Setting {
    Setting { key, variable, flag: None, kind: Kind::Count, doc }
}

const fn by_flag(setting: Setting, flag: &'static str) -> Setting {
    Setting { flag: Some(flag), ..setting }
}

/// Every setting, in the order in which they are shown.
pub const SETTINGS: [Setting; 36] = [
    by_flag(text("home", "DDT_HOME", "data folder of commands"), "--home"),
    by_flag(text("api", "DDT_API", "the node that commands ask"), "--api"),
    by_flag(
        text("password_file", "DDT_PASSWORD_FILE", "file with the keystore's password"),
        "--password-file",
    ),
    by_flag(text("listen", "DDT_LISTEN", "where the public API listens"), "--listen"),
    text("private_listen", "DDT_PRIVATE_LISTEN", "where the private API listens, on loopback"),
    by_flag(text("log.level", "DDT_LOG_LEVEL", "how much is logged"), "--log"),
    by_flag(text("log.format", "DDT_LOG_FORMAT", "human or json"), "--log-format"),
    text("network.listen", "DDT_NETWORK_LISTEN", "where other nodes reach this one"),
    text("network.external", "DDT_NETWORK_EXTERNAL", "host:port as others see it, if it differs"),
    text("network.peers", "DDT_NETWORK_PEERS", "nodes to begin with: multiaddrs, comma between"),
    text("network.relays", "DDT_NETWORK_RELAYS", "relays that others reach it by, comma between"),
    Setting {
        key: "network.relay",
        variable: "DDT_NETWORK_RELAY",
        flag: None,
        kind: Kind::Flag,
        doc: "whether others may reach third nodes through this one",
    },
    text("consensus.listen", "DDT_CONSENSUS_LISTEN", "where other routers reach a router"),
    text("consensus.external", "DDT_CONSENSUS_EXTERNAL", "host:port as they see it"),
    Setting {
        key: "snapshots.make",
        variable: "DDT_SNAPSHOTS_MAKE",
        flag: None,
        kind: Kind::Flag,
        doc: "whether each epoch's last state is kept for nodes that join",
    },
    count("snapshots.piece_bytes", "DDT_SNAPSHOTS_PIECE_BYTES", "how large its pieces should be"),
    count("history.epochs", "DDT_HISTORY_EPOCHS", "whole epochs of history kept; 0 keeps all"),
    text("sync.from", "DDT_SYNC_FROM", "what a new node begins with: snapshot or genesis"),
    count("sync.ahead_min", "DDT_SYNC_AHEAD_MIN", "anchors that make a snapshot worth it"),
    count("limits.body_bytes_max", "DDT_LIMITS_BODY_BYTES_MAX", "longest body"),
    count("limits.head_bytes_max", "DDT_LIMITS_HEAD_BYTES_MAX", "longest request head"),
    count("limits.header_count_max", "DDT_LIMITS_HEADER_COUNT_MAX", "most header lines"),
    count("limits.head_timeout_ms", "DDT_LIMITS_HEAD_TIMEOUT_MS", "time for a head to arrive"),
    count("limits.body_timeout_ms", "DDT_LIMITS_BODY_TIMEOUT_MS", "time for a body to arrive"),
    count("limits.request_timeout_ms", "DDT_LIMITS_REQUEST_TIMEOUT_MS", "time for an answer"),
    count("limits.wait_ms_max", "DDT_LIMITS_WAIT_MS_MAX", "longest wait of a submission"),
    count("limits.requests_max", "DDT_LIMITS_REQUESTS_MAX", "requests at the same time"),
    count("limits.streams_max", "DDT_LIMITS_STREAMS_MAX", "live streams at the same time"),
    count("limits.connections_max", "DDT_LIMITS_CONNECTIONS_MAX", "open connections"),
    count("limits.rate_burst", "DDT_LIMITS_RATE_BURST", "requests of a client at once; 0: any"),
    count("limits.rate_refill_ms", "DDT_LIMITS_RATE_REFILL_MS", "time to earn one more request"),
    Setting {
        key: "limits.rate_spares_loopback",
        variable: "DDT_LIMITS_RATE_SPARES_LOOPBACK",
        flag: None,
        kind: Kind::Flag,
        doc: "whether clients of this machine are not rate-limited",
    },
    count("limits.replay_anchors_max", "DDT_LIMITS_REPLAY_ANCHORS_MAX", "anchors replayed"),
    count("mempool.events_max", "DDT_MEMPOOL_EVENTS_MAX", "events that may wait"),
    count("mempool.bytes_max", "DDT_MEMPOOL_BYTES_MAX", "bytes that may wait"),
    count("mempool.per_key_max", "DDT_MEMPOOL_PER_KEY_MAX", "events of one key that may wait"),
];

/// Variables that are no settings, but ours all the same.
const OTHER_VARIABLES: [&str; 5] =
    ["DDT_CONFIG", "DDT_CI_CACHE", "DDT_CRASH_ROUNDS", "DDT_REGENERATE", "DDT_WRITE_VECTORS"];

/// Variables of the environment that look like settings and are none: typing errors, usually.
pub fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_known = |name: &str| {
        OTHER_VARIABLES.contains(&name) || SETTINGS.iter().any(|setting| setting.variable == name)
    };
    names.filter(|name| name.starts_with("DDT_") && !is_known(name)).collect()
}

/// The setting most like this key, if one is.
pub fn nearest(key: &str) -> Option<&'static str> {
    let scored = SETTINGS.iter().map(|s| (strsim::jaro_winkler(key, s.key), s.key));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: a setting whose variable does not follow from its key, or two of one name.
    #[test]
    fn variables_follow_from_keys() {
        for (at, setting) in SETTINGS.iter().enumerate() {
            let wanted = format!("DDT_{}", setting.key.replace('.', "_").to_uppercase());
            assert_eq!(setting.variable, wanted);
            assert!(SETTINGS[..at].iter().all(|other| other.key != setting.key));
        }
    }
}
