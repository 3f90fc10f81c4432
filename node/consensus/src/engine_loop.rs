//! The loop between engine and application: one message at a time, every one answered.
//!
//! Nothing here may wait for the network or for work to come: a reply held back stops votes
//! and timers behind it. Only `Decided` and `Finalized` may be answered late, which
//! [`crate::deciding`] uses to execute and to stay idle.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_malachitebft_app_channel::app::events::TxEvent;
use arc_malachitebft_app_channel::app::types::core::{LinearTimeouts, VoteType};
use arc_malachitebft_app_channel::{AppMsg, NetworkMsg};
use arc_malachitebft_core_consensus::{SignedConsensusMsg, VoteExtensionError};
use arc_malachitebft_core_types::ValidatorSet as _;
use arc_malachitebft_engine::host::HeightParams;
use arc_malachitebft_engine::util::events::Event;
use ddt_ledger::ChainId;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};

use crate::application::{Application, BoxFuture};
use crate::callers::Callers;
use crate::context::{Address, Ddt, Height};
use crate::deciding::{Commit, Finalized, committed};
use crate::error::{ConsensusError, Fault};
use crate::members::Members;
use crate::proposals::Proposals;
use crate::signing::{Eye, Hand};
use crate::watchdog::Watchdog;

/// The application, asked on threads made for blocking.
#[derive(Clone)]
pub(crate) struct Desk(pub Arc<dyn Application>);

impl Desk {
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        during: &'static str,
        question: impl FnOnce(&dyn Application) -> T + Send + 'static,
    ) -> Result<T, ConsensusError> {
        let app = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || question(&*app))
            .await
            .map_err(|_| ConsensusError::Panicked { during })
    }

    /// Like [`Desk::ask`], where consensus cannot go on after a fault.
    pub(crate) async fn need<T: Send + 'static>(
        &self,
        during: &'static str,
        question: impl FnOnce(&dyn Application) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ConsensusError> {
        self.ask(during, question)
            .await?
            .map_err(|fault| ConsensusError::Application { during, fault })
    }
}

/// Everything the loop knows.
pub(crate) struct EngineLoop {
    pub desk: Desk,
    pub chain: ChainId,
    pub hand: Hand,
    pub eye: Eye,
    pub address: Address,
    pub timeouts: LinearTimeouts,
    pub mesh: mpsc::Sender<NetworkMsg<Ddt>>,
    pub watchdog: Watchdog,
    /// Told when the engine is ready to begin.
    pub is_ready: Option<oneshot::Sender<()>>,
    /// The height the engine works at, and its round.
    pub height: u64,
    pub round: u32,
    /// Whether `height` is decided: then the engine waits for us to begin the next.
    pub is_decided: bool,
    /// `height` for others to see; 0 once it is decided.
    pub under_way: Arc<AtomicU64>,
    /// A height whose value came from a peer that had decided it: we are behind.
    pub synced: Option<u64>,
    pub members: BTreeMap<u64, Members>,
    pub proposals: Proposals,
    /// Rounds of `height` whose own proposal was sent out since this process began.
    pub published: BTreeSet<u32>,
    pub callers: Callers,
    pub commit: Option<Commit>,
    pub finalized: Option<Finalized>,
    pub work: Option<BoxFuture<'static, ()>>,
}

impl EngineLoop {
    pub(crate) fn new(
        desk: Desk,
        chain: ChainId,
        hand: Hand,
        address: Address,
        timeouts: LinearTimeouts,
        mesh: mpsc::Sender<NetworkMsg<Ddt>>,
    ) -> EngineLoop {
        EngineLoop {
            desk,
            chain,
            hand,
            eye: Eye::new(chain),
            address,
            timeouts,
            mesh,
            watchdog: Watchdog::spawn(),
            is_ready: None,
            height: 0,
            round: 0,
            is_decided: false,
            under_way: Arc::default(),
            synced: None,
            members: BTreeMap::new(),
            proposals: Proposals::default(),
            published: BTreeSet::new(),
            callers: Callers::default(),
            commit: None,
            finalized: None,
            work: None,
        }
    }

    /// Runs until the engine closes its channel or something fails.
    pub(crate) async fn run(
        mut self,
        mut consensus: mpsc::Receiver<AppMsg<Ddt>>,
        events: TxEvent<Ddt>,
    ) -> Result<(), ConsensusError> {
        let mut overheard = events.subscribe();
        loop {
            tokio::select! {
                message = consensus.recv() => match message {
                    Some(message) => self.answer(message).await?,
                    None => break,
                },
                outcome = committed(&mut self.commit) => self.on_committed(outcome).await?,
                () = comes(&mut self.work) => self.start_next().await?,
                event = overheard.recv() => match event {
                    Ok(event) => self.overhear(event).await?,
                    // Lagging only delays waking up. The channel cannot close: we hold it.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => {}
                },
            }
        }
        // An execution under way must end before anybody closes the store.
        if self.commit.is_some() {
            let outcome = committed(&mut self.commit).await;
            self.on_committed(outcome).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, message: AppMsg<Ddt>) -> Result<(), ConsensusError> {
        let watchdog = Watchdog::clone(&self.watchdog);
        let owe = |reply| watchdog.owe(reply, self.height);
        // A reply's receiver is gone only when the engine is stopping.
        match message {
            AppMsg::ConsensusReady { reply } => {
                let _owed = owe("ConsensusReady");
                let _ = reply.send(self.ready().await?);
            }
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                let _owed = owe("StartedRound");
                let round = round.as_u32().unwrap_or(0);
                let _ = reply_value.send(self.started_round(height.0, round).await?);
            }
            AppMsg::GetValue { height, round, reply, .. } => {
                let _owed = owe("GetValue");
                self.get_value(height.0, round.as_u32().unwrap_or(0), reply).await?;
            }
            AppMsg::RestreamProposal { height, value_id, .. } => {
                self.restream(height.0, value_id).await?;
            }
            AppMsg::ReceivedProposalPart { part, reply, .. } => {
                let _owed = owe("ReceivedProposalPart");
                let _ = reply.send(self.received_part(part.content.into_data()).await?);
                self.start_if_called().await?;
            }
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                let _owed = owe("ProcessSyncedValue");
                let round = round.as_u32().unwrap_or(0);
                let outcome = self.synced(height.0, round, proposer, value_bytes).await?;
                let _ = reply.send(outcome);
            }
            AppMsg::Decided { certificate, reply, .. } => {
                let owed = owe("Decided");
                self.on_decided(certificate, reply, owed).await?;
            }
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                self.on_finalized(certificate.height.0, &evidence, reply).await?;
            }
            AppMsg::GetDecidedValues { range, reply } => {
                let _owed = owe("GetDecidedValues");
                let _ = reply.send(self.decided_values(range).await?);
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                let _owed = owe("GetHistoryMinHeight");
                let lowest = self.desk.ask("history", |app| app.history_min_height()).await?;
                let _ = reply.send(Height(lowest.max(1)));
            }
            // Vote extensions are disabled by policy; nobody may bring one.
            AppMsg::ExtendVote { reply, .. } => {
                let _ = reply.send(None);
            }
            AppMsg::VerifyVoteExtensions { extensions, reply, .. } => {
                let refuse = |(who, ())| (who, Err(VoteExtensionError::InvalidVoteExtension));
                let _ = reply.send(extensions.into_iter().map(refuse).collect());
            }
        }
        Ok(())
    }

    async fn ready(&mut self) -> Result<(Height, HeightParams<Ddt>), ConsensusError> {
        let committed = self.desk.ask("committed height", |app| app.committed_height()).await?;
        if let Some(is_ready) = self.is_ready.take() {
            let _ = is_ready.send(());
        }
        self.begin(committed.saturating_add(1)).await
    }

    /// Enters a height: what the engine must know to work at it.
    pub(crate) async fn begin(
        &mut self,
        height: u64,
    ) -> Result<(Height, HeightParams<Ddt>), ConsensusError> {
        self.height = height;
        self.round = 0;
        self.is_decided = false;
        self.under_way.store(height, Ordering::Relaxed);
        self.published.clear();
        self.proposals.begin(height);
        self.members.retain(|h, _| *h >= height);
        let members = self.members_of(height).await?;
        self.callers.retain(|voter| members.get_by_address(voter).is_some());
        // No target time: how long to stay idle is decided while `Finalized` is held.
        Ok((Height(height), HeightParams::new(members, self.timeouts, None)))
    }

    pub(crate) async fn members_of(&mut self, height: u64) -> Result<Members, ConsensusError> {
        if let Some(members) = self.members.get(&height) {
            return Ok(members.clone());
        }
        let members =
            self.desk.need("validators", move |app| Members::new(&app.validators(height)?)).await?;
        self.members.insert(height, members.clone());
        Ok(members)
    }

    /// A vote for a later height means that others go on without us.
    async fn overhear(&mut self, event: Event<Ddt>) -> Result<(), ConsensusError> {
        let Event::Received(SignedConsensusMsg::Vote(signed)) = event else { return Ok(()) };
        let (vote, height) = (&signed.message, signed.message.height.0);
        let prevote = vote.kind == VoteType::Prevote;
        let next = self.height.saturating_add(1);
        if height < next || !prevote || !self.callers.is_news(&vote.voter, next) {
            return Ok(());
        }
        let members = self.members_of(next).await?;
        let Some(member) = members.get_by_address(&vote.voter) else { return Ok(()) };
        if self.eye.vote_is_signed(vote, &signed.signature, &member.key) {
            self.callers.voted(vote.voter, next);
            self.start_if_called().await?;
        }
        Ok(())
    }
}

/// Waits for work, or for ever when nobody awaits any.
async fn comes(work: &mut Option<BoxFuture<'static, ()>>) {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
