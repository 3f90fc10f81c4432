//! Settings of commands and of a running node: a default, then the file, then the
//! environment, then flags; each later one wins.

mod check;
mod layers;
mod network;
mod settings;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ddt_api::{Limits, Rate, without_password};
use ddt_core::mempool::MempoolLimits;
use figment::Figment;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use layers::Layer;
pub use network::{NetworkConfig, Place};
pub use settings::{SETTINGS, Setting, unknown_variables};

/// The file in a data folder.
pub const FILE: &str = "config.toml";

/// Every setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Data folder of commands.
    pub home: PathBuf,
    /// URL of the node that commands ask.
    pub api: Option<String>,
    /// File with the keystore's password.
    pub password_file: Option<PathBuf>,
    /// Where a node's public API listens.
    pub listen: Option<SocketAddr>,
    /// Where its private API listens; on loopback.
    pub private_listen: SocketAddr,
    /// Its log.
    pub log: Log,
    /// Its place in the network.
    pub network: NetworkSettings,
    /// A router's place among routers.
    pub consensus: PlaceSettings,
    /// How much of what happened it keeps.
    pub history: HistorySettings,
    /// Its snapshots.
    pub snapshots: SnapshotSettings,
    /// What it begins with.
    pub sync: SyncSettings,
    /// Bounds of its public API.
    pub limits: LimitSettings,
    /// Bounds of its mempool.
    pub mempool: MempoolSettings,
}

/// A node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or directives.
    pub level: String,
    /// How it is written.
    pub format: LogFormat,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// A node's place in the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Where it listens, over TCP and QUIC.
    pub listen: SocketAddr,
    /// `host:port` as others see it.
    pub external: Option<String>,
    /// Multiaddrs of nodes to begin with, with commas between.
    pub peers: Option<String>,
    /// Multiaddrs of relays by which others reach it, with commas between.
    pub relays: Option<String>,
    /// Whether others may reach third nodes through it.
    pub relay: bool,
}

/// Where something listens, and how others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// `host:port` as others see it.
    pub external: Option<String>,
}

/// Where a node listens for others, unless told otherwise.
pub const NETWORK_PORT: u16 = 8410;
/// Where a router listens for other routers' consensus, unless told otherwise.
pub const CONSENSUS_PORT: u16 = 8420;

/// How much of what happened a node keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistorySettings {
    /// Whole epochs beside the present one; 0 keeps all.
    pub epochs: u64,
}

/// What a node keeps for others that join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSettings {
    /// Whether it makes any.
    pub make: bool,
    /// Bytes that a piece should have; nodes with another figure cut otherwise.
    pub piece_bytes: u64,
}

/// What a node begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncSettings {
    /// With a snapshot, if there is one, or with all history.
    pub from: SyncFrom,
    /// With a snapshot only where it saves so many anchors.
    pub ahead_min: u64,
}

/// What a node begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncFrom {
    /// The newest snapshot that is proven.
    Snapshot,
    /// All history.
    Genesis,
}

/// Bounds of the public API; see [`Limits`]. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the settings' table and ddt_api::Limits say it")]
pub struct LimitSettings {
    pub body_bytes_max: usize,
    pub head_bytes_max: usize,
    pub header_count_max: usize,
    pub head_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub wait_ms_max: u64,
    pub requests_max: usize,
    pub streams_max: usize,
    pub connections_max: usize,
    pub rate_burst: u32,
    pub rate_refill_ms: u64,
    pub rate_spares_loopback: bool,
    pub replay_anchors_max: u64,
}

/// Bounds of the mempool; see [`MempoolLimits`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the settings' table and MempoolLimits say it")]
pub struct MempoolSettings {
    pub events_max: usize,
    pub bytes_max: usize,
    pub per_key_max: usize,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Default for Config {
    fn default() -> Config {
        let limits = Limits::default();
        let rate = limits.rate.unwrap_or(Rate { burst: 0, refill: Duration::ZERO });
        Config {
            home: usual_home(),
            api: None,
            password_file: None,
            listen: None,
            private_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            log: Log { level: "warn".to_string(), format: LogFormat::Human },
            network: NetworkSettings {
                listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, NETWORK_PORT)),
                external: None,
                peers: None,
                relays: None,
                relay: false,
            },
            consensus: PlaceSettings {
                listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, CONSENSUS_PORT)),
                external: None,
            },
            history: HistorySettings { epochs: 0 },
            snapshots: SnapshotSettings { make: true, piece_bytes: ddt_ledger::state::PIECE_BYTES },
            sync: SyncSettings { from: SyncFrom::Snapshot, ahead_min: 1_000 },
            limits: LimitSettings {
                body_bytes_max: limits.body_bytes_max,
                head_bytes_max: limits.head_bytes_max,
                header_count_max: limits.header_count_max,
                head_timeout_ms: ms(limits.head_timeout),
                body_timeout_ms: ms(limits.body_timeout),
                request_timeout_ms: ms(limits.request_timeout),
                wait_ms_max: ms(limits.wait_max),
                requests_max: limits.requests_max,
                streams_max: limits.streams_max,
                connections_max: limits.connections_max,
                rate_burst: rate.burst,
                rate_refill_ms: ms(rate.refill),
                rate_spares_loopback: limits.is_loopback_spared,
                replay_anchors_max: limits.replay_anchors_max,
            },
            mempool: MempoolSettings {
                events_max: 100_000,
                bytes_max: 128 * 1024 * 1024,
                per_key_max: ddt_ledger::accounts::NONCES_MAX,
            },
        }
    }
}

impl Config {
    /// The public listener's bounds.
    pub fn limits(&self) -> Limits {
        let limits = &self.limits;
        let refill = Duration::from_millis(limits.rate_refill_ms);
        let rate = Rate { burst: limits.rate_burst, refill };
        Limits {
            body_bytes_max: limits.body_bytes_max,
            head_bytes_max: limits.head_bytes_max,
            header_count_max: limits.header_count_max,
            head_timeout: Duration::from_millis(limits.head_timeout_ms),
            body_timeout: Duration::from_millis(limits.body_timeout_ms),
            request_timeout: Duration::from_millis(limits.request_timeout_ms),
            wait_max: Duration::from_millis(limits.wait_ms_max),
            requests_max: limits.requests_max,
            streams_max: limits.streams_max,
            connections_max: limits.connections_max,
            rate: (limits.rate_burst > 0).then_some(rate),
            is_loopback_spared: limits.rate_spares_loopback,
            replay_anchors_max: limits.replay_anchors_max,
        }
    }

    /// How a node takes part in its network.
    pub fn network(&self) -> NetworkConfig {
        let NetworkSettings { listen, external, peers, relays, relay } = self.network.clone();
        let list = |texts: Option<String>| {
            let texts = texts.unwrap_or_default();
            let texts = texts.split(',').map(str::trim).filter(|text| !text.is_empty());
            texts.map(str::to_string).collect()
        };
        let PlaceSettings { listen: consensus, external: as_router } = self.consensus.clone();
        NetworkConfig {
            network: Place { listen, external },
            consensus: Place { listen: consensus, external: as_router },
            peers: list(peers),
            relays: list(relays),
            is_relay: relay,
        }
    }

    /// Whole epochs of history that it keeps beside the present one; none if it keeps all.
    pub fn history_epochs(&self) -> Option<u64> {
        (self.history.epochs > 0).then_some(self.history.epochs)
    }

    /// How large the pieces of its snapshots are; none if it makes none.
    pub fn piece_bytes(&self) -> Option<u64> {
        self.snapshots.make.then_some(self.snapshots.piece_bytes)
    }

    /// The mempool's bounds.
    pub fn mempool(&self) -> MempoolLimits {
        let MempoolSettings { events_max, bytes_max, per_key_max } = self.mempool;
        let limits = MempoolLimits::default();
        MempoolLimits { events_max, bytes_max, per_author_max: per_key_max, ..limits }
    }
}

/// The system's usual place for the data folder.
fn usual_home() -> PathBuf {
    use etcetera::BaseStrategy;
    let usual = etcetera::choose_base_strategy().map(|strategy| strategy.data_dir());
    usual.unwrap_or_else(|_| PathBuf::from(".")).join("ddt")
}

/// Who gave a value on the command line's behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// A flag.
    Flag,
    /// The flag's environment variable.
    Environment,
}

/// What the command line gave: key, value as text, and who.
pub type Given = Vec<(&'static str, String, Giver)>;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(&'static str),
    /// This flag.
    Flag(&'static str),
}

/// The settings in force, and where each came from.
pub struct Settings {
    /// The settings.
    pub config: Config,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    figment: Figment,
}

impl Settings {
    /// Reads all layers. `file` is the one named by the user, who expects it to be there;
    /// without it, `config.toml` of the data folder is read where there is one.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, a value of the wrong kind or outside its bounds;
    /// each names its file or variable and its key.
    pub fn load(given: &Given, file: Option<&Path>) -> Result<Settings, Failure> {
        let home = given.iter().find(|(key, ..)| *key == "home");
        let home = home.map_or_else(usual_home, |(_, home, _)| PathBuf::from(home));
        let beside = home.join(FILE);
        let (path, is_beside) = (file.unwrap_or(&beside), file.is_none());
        let in_file = layers::file(path, is_beside)?;
        let file = in_file.as_ref().map(|_| path.to_path_buf());
        let mut figment = Figment::from(Layer::defaults(&Config::default())?);
        if let Some(layer) = in_file {
            figment = figment.merge(layer);
        }
        figment = figment.merge(layers::environment(given));
        figment = figment.merge(layers::flags(given));
        let extracted = figment.extract::<Config>();
        let config = extracted.map_err(|error| layers::failure(&figment, &error))?;
        let settings = Settings { config, file, figment };
        settings.check()?;
        Ok(settings)
    }

    /// The defaults alone.
    pub fn usual() -> Result<Settings, Failure> {
        let config = Config::default();
        let figment = Figment::from(Layer::defaults(&config)?);
        Ok(Settings { config, file: None, figment })
    }

    /// Where a setting's value came from.
    pub fn origin(&self, setting: &Setting) -> Origin {
        layers::origin(&self.figment, setting)
    }

    /// A setting's value as text, without anything secret in it; `None` where it has none.
    pub fn shown(&self, setting: &Setting) -> Option<String> {
        let value = self.figment.find_value(setting.key).ok()?;
        layers::text(&value).map(|text| without_password(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: a default here that is another one there, or a setting without effect.
    #[test]
    fn defaults_are_what_a_node_has_always_used() {
        let mut config = Config::default();
        assert_eq!(config.limits(), Limits::default());
        let mempool = MempoolLimits {
            events_max: 100_000,
            bytes_max: 134_217_728,
            per_author_max: 32,
            author_bytes_max: 65_536,
            lead_ms: ddt_ledger::Millis(45_000),
        };
        assert_eq!(config.mempool(), mempool);
        config.limits.rate_burst = 0;
        config.mempool.per_key_max = 5;
        assert_eq!((config.limits().rate, config.mempool().per_author_max), (None, 5));
    }
}
