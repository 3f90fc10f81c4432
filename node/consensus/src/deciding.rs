//! From a decision to the next height: commit it, serve it, and stay idle until there is work.

use std::future::pending;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;

use arc_malachitebft_app_channel::Reply;
use arc_malachitebft_app_channel::app::types::MisbehaviorEvidence;
use arc_malachitebft_app_channel::app::types::sync::RawDecidedValue;
use arc_malachitebft_core_types as engine;
use arc_malachitebft_engine::host::Next;
use ddt_ledger::certificate::{Certificate, CertificateSignature, ValidatorAddress, ValidatorSet};
use ddt_ledger::{ChainId, Hash};
use engine::Round;
use tokio::task::{JoinError, JoinHandle};

use crate::application::Application;
use crate::codec::SYNC_BODIES_BYTES_MAX;
use crate::context::{Address, Ddt, Height};
use crate::engine_loop::EngineLoop;
use crate::error::{ConsensusError, Fault};
use crate::evidence::double_votes;
use crate::watchdog::Owed;
use crate::wire::SYNC_VALUES_MAX;

const DECIDED: &str = "committing a decision";

/// A decision being executed and committed on a thread of its own.
pub(crate) struct Commit {
    task: JoinHandle<Result<(), Fault>>,
    reply: Reply<()>,
    _owed: Owed,
}

/// The engine's question what to do after a height.
pub(crate) struct Finalized {
    height: u64,
    reply: Reply<Next<Ddt>>,
}

type Outcome = Result<Result<(), Fault>, JoinError>;

/// Waits for the commit under way, or for ever when there is none.
pub(crate) async fn committed(commit: &mut Option<Commit>) -> Outcome {
    match commit {
        Some(commit) => (&mut commit.task).await,
        None => pending().await,
    }
}

impl EngineLoop {
    pub(crate) async fn on_decided(
        &mut self,
        certificate: engine::CommitCertificate<Ddt>,
        reply: Reply<()>,
        owed: Owed,
    ) -> Result<(), ConsensusError> {
        if self.commit.is_some() {
            let outcome = committed(&mut self.commit).await;
            self.on_committed(outcome).await?;
        }
        self.is_decided = true;
        self.under_way.store(0, Ordering::Relaxed);
        let (app, chain) = (self.desk.0.clone(), self.chain);
        let task = tokio::task::spawn_blocking(move || commit(&*app, chain, &certificate));
        self.commit = Some(Commit { task, reply, _owed: owed });
        Ok(())
    }

    pub(crate) async fn on_committed(&mut self, outcome: Outcome) -> Result<(), ConsensusError> {
        let Some(commit) = self.commit.take() else { return Ok(()) };
        outcome
            .map_err(|_| ConsensusError::Panicked { during: DECIDED })?
            .map_err(|fault| ConsensusError::Application { during: DECIDED, fault })?;
        let _ = commit.reply.send(());
        self.stay_idle().await
    }

    pub(crate) async fn on_finalized(
        &mut self,
        height: u64,
        evidence: &MisbehaviorEvidence<Ddt>,
        reply: Reply<Next<Ddt>>,
    ) -> Result<(), ConsensusError> {
        if !evidence.is_empty() {
            tracing::warn!(height, ?evidence, "validators signed two ways");
            let members = self.members_of(height).await?;
            let votes = double_votes(self.chain, evidence, &members);
            self.desk.need("evidence", move |app| app.double_voted(&votes)).await?;
        }
        self.finalized = Some(Finalized { height, reply });
        if self.commit.is_none() { self.stay_idle().await } else { Ok(()) }
    }

    /// Holds the engine's question until the next height has something to decide.
    async fn stay_idle(&mut self) -> Result<(), ConsensusError> {
        let Some(finalized) = &self.finalized else { return Ok(()) };
        let next = finalized.height.saturating_add(1);
        if self.synced == Some(finalized.height) {
            return self.start_next().await;
        }
        self.work = Some(self.desk.0.wait_for_work(next));
        self.start_if_called().await
    }

    /// Ends idleness when others have begun the next height.
    pub(crate) async fn start_if_called(&mut self) -> Result<(), ConsensusError> {
        if self.work.is_none() {
            return Ok(());
        }
        let next = self.height.saturating_add(1);
        let one_honest = self.members_of(next).await?.one_honest();
        if self.callers.called_to(one_honest) >= next { self.start_next().await } else { Ok(()) }
    }

    /// Lets the engine go on.
    pub(crate) async fn start_next(&mut self) -> Result<(), ConsensusError> {
        self.work = None;
        let Some(finalized) = self.finalized.take() else { return Ok(()) };
        let committed = self.desk.ask("committed height", |app| app.committed_height()).await?;
        // Never `Next::Restart`: it empties the WAL of a height we may have voted in.
        let next = finalized.height.max(committed).saturating_add(1);
        let (height, params) = self.begin(next).await?;
        let _ = finalized.reply.send(Next::Start(height, params));
        Ok(())
    }

    /// Committed values for a peer that is behind; fewer than asked when they are many.
    pub(crate) async fn decided_values(
        &mut self,
        range: RangeInclusive<Height>,
    ) -> Result<Vec<RawDecidedValue<Ddt>>, ConsensusError> {
        self.desk
            .ask("decided values", move |app| {
                let (mut values, mut bytes) = (Vec::new(), 0usize);
                for height in (range.start().0..=range.end().0).take(SYNC_VALUES_MAX) {
                    match app.decided_value(height) {
                        Ok(Some((body, certificate))) => {
                            bytes = bytes.saturating_add(body.len());
                            if bytes > SYNC_BODIES_BYTES_MAX {
                                break;
                            }
                            values.push(raw(body, &certificate));
                        }
                        Ok(None) => break,
                        Err(fault) => {
                            tracing::error!(height, %fault, "a decided value cannot be read");
                            break;
                        }
                    }
                }
                values
            })
            .await
    }
}

/// Executes and commits what was decided, on a thread made for blocking.
fn commit(
    app: &dyn Application,
    chain: ChainId,
    decided: &engine::CommitCertificate<Ddt>,
) -> Result<(), Fault> {
    let height = decided.height.0;
    let set = app.validators(height)?;
    let certificate = certificate(decided, &set)?;
    certificate.verify(chain, &set).map_err(Fault::new)?;
    app.decided(&body_of(app, height, decided.value_id)?, &certificate)
}

fn body_of(app: &dyn Application, height: u64, anchor: Hash) -> Result<Vec<u8>, Fault> {
    let kept = app.proposals(height)?;
    if let Some(proposal) = kept.into_iter().find(|kept| kept.anchor() == anchor) {
        return Ok(proposal.body);
    }
    // Committed before a crash, and its proposals already deleted.
    match app.decided_value(height)? {
        Some((body, certificate)) if certificate.anchor == anchor => Ok(body),
        _ => Err(Fault::new(format!("the body of anchor {anchor} was not kept"))),
    }
}

fn certificate(
    decided: &engine::CommitCertificate<Ddt>,
    set: &ValidatorSet,
) -> Result<Certificate, Fault> {
    let keys: std::collections::BTreeMap<ValidatorAddress, _> =
        set.0.iter().map(|validator| (validator.address(), validator.key)).collect();
    let signatures = decided.commit_signatures.iter().map(|signed| {
        let key = *keys.get(&signed.address.0)?;
        Some(CertificateSignature { key, signature: signed.signature })
    });
    Ok(Certificate {
        height: decided.height.0,
        round: decided.round.as_u32().ok_or_else(|| Fault::new("decided in no round"))?,
        anchor: decided.value_id,
        signatures: signatures
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Fault::new("a signer of the decision is not in the validator set"))?,
    })
}

fn raw(body: Vec<u8>, certificate: &Certificate) -> RawDecidedValue<Ddt> {
    let signatures = certificate.signatures.iter().map(|signed| {
        let address = Address(ValidatorAddress::of(&signed.key));
        engine::ExtendedCommitSignature::new(address, signed.signature, None)
    });
    let certificate = engine::ExtendedCommitCertificate {
        height: Height(certificate.height),
        round: Round::new(certificate.round),
        value_id: certificate.anchor,
        commit_signatures: signatures.collect(),
    };
    RawDecidedValue::new(body.into(), certificate)
}
