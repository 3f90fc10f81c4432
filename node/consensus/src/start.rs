//! Starting the engine with our loop, and keeping their fates tied.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_malachitebft_app_channel as channel;
use arc_malachitebft_codec::Codec as _;
use arc_malachitebft_core_types::SigningScheme as _;
use arc_malachitebft_signing::Signer as _;
use channel::{
    Channels, ConsensusContext, EngineBuilder, EngineHandle, NetworkContext, NetworkIdentity,
    NetworkRequest, RequestContext, SyncContext, WalContext,
};
use ddt_ledger::certificate::ValidatorAddress;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};

use crate::application::Application;
use crate::codec::DdtCodec;
use crate::config::{self, ConsensusConfig, EngineConfig};
use crate::context::{Address, Ddt, Ed25519};
use crate::engine_loop::{Desk, EngineLoop};
use crate::error::ConsensusError;
#[cfg(debug_assertions)]
use crate::lying;
use crate::signing::{ConsensusKeys, Eye, Hand};
use crate::{talk, wal};

/// How long the engine may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take to listen: nothing is fetched or connected before.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);
const REQUESTS_MAX: usize = 100;

type LoopOutcome = Result<(), ConsensusError>;

/// Consensus under way.
pub struct Running {
    supervisor: Option<JoinHandle<LoopOutcome>>,
    shutdown: Option<oneshot::Sender<()>>,
    requests: mpsc::Sender<NetworkRequest>,
    under_way: Arc<AtomicU64>,
}

/// Starts taking part in consensus.
///
/// # Errors
///
/// When the configuration makes no sense, when the WAL does not fit the store (signing would
/// be unsafe), or when the engine does not start or cannot listen.
pub async fn start(
    config: ConsensusConfig,
    keys: ConsensusKeys,
    app: Arc<dyn Application>,
) -> Result<Running, ConsensusError> {
    let engine_config = config.for_engine()?;
    talk::begins();
    let desk = Desk(app);
    let checked = config.clone();
    desk.ask("opening the WAL", move |app| wal::check(&checked, app.committed_height())).await??;

    let hand = Hand::new(config.chain, keys.signing_key());
    let address = Address(ValidatorAddress::of(&keys.public_key()));
    let identity = identity(&config, &keys, &hand, address).await?;
    let signer = (address, hand.clone());
    let (channels, engine) = engine(&config, engine_config, identity, signer).await?;

    let Channels { consensus, network, events, requests: _, net_requests } = channels;
    let timeouts = config.timeouts.into();
    let mut engine_loop = EngineLoop::new(desk, config.chain, hand, address, timeouts, network);
    let (is_ready, ready) = oneshot::channel();
    engine_loop.is_ready = Some(is_ready);
    let under_way = engine_loop.under_way.clone();
    let engine_loop = tokio::spawn(engine_loop.run(consensus, events));
    let (shutdown, asked) = oneshot::channel();
    let supervisor = tokio::spawn(supervise(engine, engine_loop, asked, config.wal_path()));
    let running = Running {
        supervisor: Some(supervisor),
        shutdown: Some(shutdown),
        requests: net_requests,
        under_way,
    };
    // The engine only logs when it cannot listen, and then never asks us anything.
    match tokio::time::timeout(LISTEN_WITHIN, ready).await {
        Ok(Ok(())) => Ok(running),
        Ok(Err(_)) | Err(_) => {
            running.stop().await?;
            Err(ConsensusError::NotListening(config.listen))
        }
    }
}

/// The engine's parts, under way.
async fn engine(
    config: &ConsensusConfig,
    engine: EngineConfig,
    identity: NetworkIdentity,
    (address, hand): (Address, Hand),
) -> Result<(Channels<Ddt>, EngineHandle), ConsensusError> {
    let eye = Eye::new(config.chain);
    let votes_by = |hand| ConsensusContext::new_validator(address, Box::new(eye), hand);
    #[cfg(debug_assertions)]
    let liars_engine = engine.clone();
    let builder = EngineBuilder::new(Ddt, engine)
        .with_default_wal(WalContext::new(config.wal_path(), DdtCodec))
        .with_default_sync(SyncContext::new(DdtCodec))
        .with_default_request(RequestContext::new(REQUESTS_MAX));
    #[cfg(debug_assertions)]
    if config.votes_twice {
        let network = lying::network(&liars_engine, identity).await?;
        let hand = lying::TwoVotes::new(hand, network.0.clone());
        let builder = builder.with_default_consensus(votes_by(Box::new(hand)));
        return builder.with_custom_network(network.0, network.1).build().await.map_err(failed);
    }
    builder
        .with_default_consensus(votes_by(Box::new(hand)))
        .with_default_network(NetworkContext::new(identity, DdtCodec))
        .build()
        .await
        .map_err(failed)
}

pub(crate) fn failed(report: impl fmt::Display) -> ConsensusError {
    ConsensusError::Engine(format!("{report:#}"))
}

/// Our face on the mesh: a transport key, bound by a signed proof to the key we vote with.
async fn identity(
    config: &ConsensusConfig,
    keys: &ConsensusKeys,
    hand: &Hand,
    address: Address,
) -> Result<NetworkIdentity, ConsensusError> {
    let keypair = keys
        .keypair()
        .ok_or_else(|| ConsensusError::Config("the transport key is unusable".into()))?;
    let key = Ed25519::encode_public_key(&keys.public_key());
    let peer = keypair.public().to_peer_id().to_bytes();
    let engine_error = |error: String| ConsensusError::Engine(error);
    let proof = hand
        .sign_validator_proof(key, peer)
        .await
        .map_err(|error| engine_error(error.to_string()))?;
    let proof = DdtCodec.encode(&proof).map_err(|error| engine_error(error.to_string()))?;
    let (moniker, address) = (config.moniker.clone(), address.to_string());
    Ok(NetworkIdentity::new_validator(moniker, keypair, address, proof))
}

/// Ends the engine when the loop ends, and the loop when the engine ends: the engine alone
/// would only log that nobody answers.
async fn supervise(
    mut engine: EngineHandle,
    mut engine_loop: JoinHandle<LoopOutcome>,
    shutdown: oneshot::Receiver<()>,
    wal: PathBuf,
) -> Result<(), ConsensusError> {
    enum End {
        Loop(ConsensusError),
        Engine,
        Asked,
    }
    let end = tokio::select! {
        outcome = &mut engine_loop => {
            End::Loop(of_loop(outcome).err().unwrap_or(ConsensusError::EngineStopped))
        }
        _ = &mut engine.handle => End::Engine,
        // A dropped `Running` asks too.
        _ = shutdown => End::Asked,
    };
    talk::ends();
    let reason = Some("consensus ends".to_owned());
    if engine.actor.stop_and_wait(reason, Some(STOP_WITHIN)).await.is_err() {
        // It hangs on purpose after a WAL failure.
        tracing::warn!("the consensus engine did not end in time, and was cut off");
        engine.actor.kill();
    }
    let outcome = match end {
        End::Loop(error) => Err(error),
        End::Engine => finish(engine_loop).await.and(Err(ConsensusError::EngineStopped)),
        End::Asked => finish(engine_loop).await,
    };
    if !wal::released(&wal).await {
        tracing::warn!("the engine has stopped, but still holds its WAL");
    }
    outcome
}

/// The engine's channel is closed, so the loop ends after the commit under way.
async fn finish(mut engine_loop: JoinHandle<LoopOutcome>) -> LoopOutcome {
    match tokio::time::timeout(STOP_WITHIN, &mut engine_loop).await {
        Ok(outcome) => of_loop(outcome),
        Err(_) => {
            engine_loop.abort();
            Err(ConsensusError::EngineStopped)
        }
    }
}

fn of_loop(outcome: Result<LoopOutcome, JoinError>) -> LoopOutcome {
    outcome.unwrap_or(Err(ConsensusError::Panicked { during: "waiting for work" }))
}

impl Running {
    /// Stops in order: nothing is lost, and starting again goes on where this ended.
    pub async fn stop(mut self) -> Result<(), ConsensusError> {
        drop(self.shutdown.take());
        match self.supervisor.take() {
            Some(supervisor) => of_loop(supervisor.await),
            None => Ok(()),
        }
    }

    /// Resolves when consensus ended by itself. The process must then exit.
    pub async fn failed(&mut self) -> ConsensusError {
        let Some(supervisor) = &mut self.supervisor else { return ConsensusError::EngineStopped };
        let outcome = of_loop(supervisor.await);
        self.supervisor = None;
        outcome.err().unwrap_or(ConsensusError::EngineStopped)
    }

    /// What says where the engine is, from any task.
    pub fn under_way(&self) -> UnderWay {
        UnderWay(self.under_way.clone())
    }

    /// What tells the engine of more routers, from any task.
    pub fn introducer(&self) -> Introducer {
        Introducer(self.requests.clone())
    }
}

/// Which height the engine works at.
#[derive(Clone)]
pub struct UnderWay(Arc<AtomicU64>);

impl UnderWay {
    /// The height that is not decided yet; none while the engine waits for the next one's work.
    /// If the application has committed it by other means, and nobody is left who sends the
    /// decision, the engine stays there until it is started again.
    pub fn height(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|height| *height > 0)
    }
}

/// Tells the engine of more routers.
#[derive(Clone)]
pub struct Introducer(mpsc::Sender<NetworkRequest>);

impl Introducer {
    /// Keeps a connection to one more router from now on.
    ///
    /// # Errors
    ///
    /// When the address makes no sense, or consensus has ended.
    pub async fn add_peer(&self, address: &str) -> Result<(), ConsensusError> {
        let added = NetworkRequest::add_persistent_peer(&self.0, config::address(address)?);
        match added.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ConsensusError::Config(format!("{address}: {error}"))),
            Err(_) => Err(ConsensusError::EngineStopped),
        }
    }
}
