//! Bodies on their way to a decision: made here, received from a proposer, or synced.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_malachitebft_app_channel::{NetworkMsg, Reply};
use arc_malachitebft_core_types::{Round, ValidatorSet as _, Validity};
use arc_malachitebft_engine::host::{LocallyProposedValue, ProposedValue, SyncedValueOutcome};
use arc_malachitebft_engine::util::streaming::{StreamContent, StreamId, StreamMessage};
use bytes::Bytes;
use ddt_ledger::Hash;

use crate::application::{BODY_BYTES_MAX, StoredProposal, Verdict};
use crate::context::{Address, Anchor, Ddt, Height, Part};
use crate::engine_loop::EngineLoop;
use crate::error::ConsensusError;
use crate::proposals::{Admission, ROUNDS_AHEAD_MAX};

fn proposed(
    height: u64,
    round: u32,
    proposer: Address,
    anchor: Hash,
    valid: bool,
) -> ProposedValue<Ddt> {
    ProposedValue {
        height: Height(height),
        round: Round::new(round),
        valid_round: Round::Nil,
        proposer,
        value: Anchor(anchor),
        validity: Validity::from_bool(valid),
    }
}

impl EngineLoop {
    /// Offers every kept proposal of the height on which the engine has no verdict yet.
    pub(crate) async fn started_round(
        &mut self,
        height: u64,
        round: u32,
    ) -> Result<Vec<ProposedValue<Ddt>>, ConsensusError> {
        if height != self.height {
            self.begin(height).await?;
        }
        self.round = round;
        let kept = self.desk.need("proposals", move |app| app.proposals(height)).await?;
        let mut offered = Vec::new();
        for proposal in kept {
            let (of_round, anchor) = (proposal.round, proposal.anchor());
            let proposer = Address(proposal.proposer);
            self.proposals.kept(height, of_round, anchor);
            if of_round == round && proposer == self.address {
                // Saved before a crash, perhaps never sent.
                self.publish_own(&proposal).await?;
            }
            if self.proposals.is_told(height, of_round, anchor) {
                continue;
            }
            if let Some(valid) = self.judge(height, Arc::new(proposal.body)).await? {
                self.proposals.told(height, of_round, anchor);
                offered.push(proposed(height, of_round, proposer, anchor, valid));
            }
        }
        Ok(offered)
    }

    /// Answers one height and round with one value for ever: it is saved before it is told.
    pub(crate) async fn get_value(
        &mut self,
        height: u64,
        round: u32,
        reply: Reply<LocallyProposedValue<Ddt>>,
    ) -> Result<(), ConsensusError> {
        let kept = self.desk.need("proposals", move |app| app.proposals(height)).await?;
        let own = |kept: &StoredProposal| kept.round == round && kept.proposer == self.address.0;
        let proposal = match kept.into_iter().find(own) {
            Some(proposal) => proposal,
            None => match self.make(height, round).await? {
                Some(proposal) => proposal,
                // No answer is the answer: the propose timeout gives the turn to the next.
                None => return Ok(()),
            },
        };
        let anchor = proposal.anchor();
        self.proposals.told(height, round, anchor);
        let value = LocallyProposedValue::new(Height(height), Round::new(round), Anchor(anchor));
        let _ = reply.send(value);
        self.publish_own(&proposal).await
    }

    async fn make(
        &mut self,
        height: u64,
        round: u32,
    ) -> Result<Option<StoredProposal>, ConsensusError> {
        if self.proposals.is_full(height) {
            tracing::warn!(height, round, "too many proposals of one height: turn skipped");
            return Ok(None);
        }
        let body = match self.desk.ask("propose", move |app| app.propose(height, round)).await? {
            Ok(body) if body.len() <= BODY_BYTES_MAX => body,
            Ok(body) => {
                tracing::error!(height, bytes = body.len(), "own anchor body is too long");
                return Ok(None);
            }
            Err(fault) => {
                tracing::warn!(height, round, %fault, "no anchor to propose: turn skipped");
                return Ok(None);
            }
        };
        let signature = Some(self.hand.sign_part(height, round, self.address, &body));
        let proposer = self.address.0;
        let proposal = StoredProposal { height, round, proposer, body, signature };
        self.save(proposal.clone()).await?;
        Ok(Some(proposal))
    }

    /// Sends out a body again, for those who lack it while it is voted on once more. In its own
    /// turn a node sends it in its own name: who made it may have filled its round elsewhere
    /// with other bodies, and nobody keeps more than a few of one round.
    pub(crate) async fn restream(
        &mut self,
        height: u64,
        anchor: Hash,
    ) -> Result<(), ConsensusError> {
        let kept = self.desk.need("proposals", move |app| app.proposals(height)).await?;
        let (round, members) = (self.round, self.members_of(height).await?);
        let is_our_turn = members.proposer(height, round).address == self.address;
        let is_fit = |kept: &StoredProposal| is_our_turn || kept.signature.is_some();
        let found = kept.into_iter().find(|kept| is_fit(kept) && kept.anchor() == anchor);
        let Some(mut proposal) = found else {
            tracing::warn!(height, %anchor, "asked to send a body that is not kept here");
            return Ok(());
        };
        if is_our_turn {
            let signature = self.hand.sign_part(height, round, self.address, &proposal.body);
            (proposal.round, proposal.proposer) = (round, self.address.0);
            proposal.signature = Some(signature);
        }
        self.publish(&proposal).await
    }

    /// Checks a body from the mesh. None when there is no verdict (yet).
    pub(crate) async fn received_part(
        &mut self,
        part: Option<Part>,
    ) -> Result<Option<ProposedValue<Ddt>>, ConsensusError> {
        let Some(part) = part else { return Ok(None) };
        let (height, round, anchor) = (part.height.0, part.round, Anchor::of(&part.body).0);
        let is_current = height == self.height && !self.is_decided;
        let is_next = height == self.height.saturating_add(1);
        let rounds = if is_current { self.round } else { 0 };
        let admission = self.proposals.admission(height, round, anchor);
        if !(is_current || is_next)
            || round > rounds.saturating_add(ROUNDS_AHEAD_MAX)
            || part.body.len() > BODY_BYTES_MAX
            // What is kept is judged again when a round begins, not for each copy.
            || admission != Admission::New
        {
            return Ok(None);
        }
        let members = self.members_of(height).await?;
        let proposer = members.proposer(height, round);
        if proposer.address != part.proposer || !self.eye.part_is_signed(&part, &proposer.key) {
            // Whoever is on the mesh can send these: no line in the log for each.
            tracing::debug!(height, round, proposer = %part.proposer, "a body not by its proposer");
            return Ok(None);
        }
        if is_next {
            self.callers.voted(part.proposer, height);
            self.keep(part, anchor).await?;
            return Ok(None);
        }
        let proposer = part.proposer;
        let Some(valid) = self.judge(height, Arc::clone(&part.body)).await? else {
            self.keep(part, anchor).await?;
            return Ok(None);
        };
        if valid {
            self.keep(part, anchor).await?;
        }
        self.proposals.told(height, round, anchor);
        Ok(Some(proposed(height, round, proposer, anchor, valid)))
    }

    /// Takes a value whose certificate the engine has already checked.
    pub(crate) async fn synced(
        &mut self,
        height: u64,
        round: u32,
        proposer: Address,
        body: Bytes,
    ) -> Result<SyncedValueOutcome<Ddt>, ConsensusError> {
        if body.len() > BODY_BYTES_MAX {
            return Ok(SyncedValueOutcome::PeerFault);
        }
        let body = Arc::new(body.to_vec());
        let anchor = Anchor::of(&body).0;
        // The engine compares this id, computed from the bytes, with the certificate's, and
        // blames the peer when they differ. So Invalid blocks the height only if 2f+1 others
        // found valid what we do not.
        let Some(valid) = self.judge(height, Arc::clone(&body)).await? else {
            return Ok(SyncedValueOutcome::LocalTransientError);
        };
        if valid {
            let body = body.to_vec();
            let proposer = proposer.0;
            self.save(StoredProposal { height, round, proposer, body, signature: None }).await?;
            self.synced = Some(height);
        }
        Ok(SyncedValueOutcome::Verdict(proposed(height, round, proposer, anchor, valid)))
    }

    /// Whether a body is valid; None while that cannot be told.
    async fn judge(
        &mut self,
        height: u64,
        body: Arc<Vec<u8>>,
    ) -> Result<Option<bool>, ConsensusError> {
        let verdict = self
            .desk
            .ask("check", move |app| {
                if app.committed_height() < height {
                    return app.check(height, &body);
                }
                // The node got ahead of the engine by following others.
                match app.decided_value(height) {
                    Ok(Some((decided, _))) if decided == *body => Verdict::Valid,
                    Ok(Some(_)) => Verdict::Invalid("another anchor was decided".into()),
                    Ok(None) | Err(_) => Verdict::Missing,
                }
            })
            .await?;
        Ok(match verdict {
            Verdict::Valid => Some(true),
            Verdict::Invalid(reason) => {
                tracing::warn!(height, reason, "an invalid anchor body");
                Some(false)
            }
            Verdict::Missing => None,
        })
    }

    async fn keep(&mut self, part: Part, anchor: Hash) -> Result<(), ConsensusError> {
        let (height, round) = (part.height.0, part.round);
        if self.proposals.admission(height, round, anchor) == Admission::New {
            let proposal = StoredProposal {
                height,
                round,
                proposer: part.proposer.0,
                body: Arc::unwrap_or_clone(part.body),
                signature: Some(part.signature),
            };
            self.save(proposal).await?;
        }
        Ok(())
    }

    async fn save(&mut self, proposal: StoredProposal) -> Result<(), ConsensusError> {
        self.proposals.kept(proposal.height, proposal.round, proposal.anchor());
        self.desk.need("saving a proposal", move |app| app.save_proposal(&proposal)).await
    }

    async fn publish_own(&mut self, proposal: &StoredProposal) -> Result<(), ConsensusError> {
        if self.published.insert(proposal.round) { self.publish(proposal).await } else { Ok(()) }
    }

    async fn publish(&mut self, proposal: &StoredProposal) -> Result<(), ConsensusError> {
        let Some(signature) = proposal.signature else { return Ok(()) };
        if self.members_of(proposal.height).await?.count() == 1 {
            // Nobody votes but us, and the mesh would complain that nobody listens.
            return Ok(());
        }
        // The mesh drops a message it has carried before, so a body sent in a later round
        // needs another stream.
        let mut id = proposal.height.to_be_bytes().to_vec();
        id.extend(self.round.to_be_bytes());
        id.extend(self.address.0.0);
        let part = Part {
            height: Height(proposal.height),
            round: proposal.round,
            proposer: Address(proposal.proposer),
            body: Arc::new(proposal.body.clone()),
            signature,
        };
        let message = StreamMessage::new(StreamId::new(id.into()), 0, StreamContent::Data(part));
        // Fails only when the engine is stopping.
        let _ = self.mesh.send(NetworkMsg::PublishProposalPart(message)).await;
        Ok(())
    }
}
