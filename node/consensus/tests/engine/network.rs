//! Routers on loopback.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ddt_consensus::{ConsensusConfig, ConsensusError, ConsensusKeys, Running, start};
use ddt_ledger::certificate::{Validator, ValidatorSet};
use ddt_ledger::{ChainId, Hash, Zone};
use tempfile::TempDir;

use crate::application::TestApplication;

pub const CHAIN: ChainId = ChainId(Hash([7; 32]));

pub fn keys(index: u8) -> ConsensusKeys {
    ConsensusKeys::new([index + 1; 32].into(), [index + 101; 32].into())
}

pub fn validators(count: u8) -> ValidatorSet {
    let validator = |index| {
        let key = keys(index).public_key();
        Validator { zone: Zone(index.into()), key, vrf_key: key }
    };
    ValidatorSet((0..count).map(validator).collect())
}

/// A router with everything that outlives its process.
pub struct Router {
    pub app: Arc<TestApplication>,
    pub config: ConsensusConfig,
    index: u8,
    running: Option<Running>,
    _home: TempDir,
}

impl Router {
    pub async fn start(&mut self) -> Result<(), ConsensusError> {
        let app = Arc::clone(&self.app);
        let running = start(self.config.clone(), keys(self.index), app).await?;
        self.running = Some(running);
        Ok(())
    }

    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.unwrap();
        }
    }

    pub async fn failed(&mut self) -> ConsensusError {
        let error = self.running.as_mut().unwrap().failed().await;
        self.running = None;
        error
    }

    pub fn verify(&self, heights: std::ops::RangeInclusive<u64>, set: &ValidatorSet) {
        for height in heights {
            let (body, certificate) = self.app.value(height);
            assert_eq!(certificate.height, height);
            assert_eq!(certificate.anchor, ddt_ledger::Domain::ANCHOR.hash(&[&body]));
            certificate.verify(CHAIN, set).unwrap();
        }
    }
}

/// Routers that know each other; `name` keeps the engines of one test process apart.
pub fn routers(name: &str, count: u8) -> Vec<Router> {
    let set = validators(count);
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<String> = listeners
        .iter()
        .map(|listener| format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port()))
        .collect();
    let router = |index: u8| {
        let home = TempDir::new().unwrap();
        let moniker = format!("{name}-{index}");
        let own = &addresses[usize::from(index)];
        let mut config = ConsensusConfig::new(CHAIN, &moniker, home.path().join("wal"), own);
        config.peers = addresses.iter().filter(|address| *address != own).cloned().collect();
        config.connections_per_ip_max = 64;
        config.reconnect_throttle = Duration::ZERO;
        let app = TestApplication::new(&moniker, &set);
        Router { app, config, index, running: None, _home: home }
    };
    (0..count).map(router).collect()
}

/// Runs a test on its own threads; a stall fails it instead of hanging the suite.
pub fn on_runtime(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let stalled = Duration::from_secs(120);
    runtime.block_on(async { tokio::time::timeout(stalled, test).await }).expect("stalled");
}
