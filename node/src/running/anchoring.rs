//! The router as consensus sees it: proposes, judges, executes and commits anchors.

use std::sync::Arc;
use std::time::Duration;

use ddt_consensus::{Application, BoxFuture, DoubleVote, Fault, StoredProposal, Verdict};
use ddt_contracts::zones::Evidence;
use ddt_core::availability::Input;
use ddt_ledger::anchor::{
    ANCHOR_VERSION, AnchorBody, AnchorError, TIPS_MAX, Tip, check_blocks, check_body,
};
use ddt_ledger::certificate::{Certificate, ValidatorAddress, ValidatorSet};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::execute::may_follow;
use ddt_ledger::schema::List;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, Lane, Validators, params};

use super::blocks::SpanError;
use super::core::Core;
use super::{chain_of, gathering, timing};
use crate::failure::Failure;

/// How long a proposer waits for the others' time statements: well below the time in which
/// its proposal must reach them.
const STATEMENTS_PATIENCE: Duration = Duration::from_millis(600);

/// Longest stored proposal, in bytes.
const PROPOSAL_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The router as consensus sees it.
pub struct Anchoring(pub Arc<Core>);

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::new(error)
}

impl Anchoring {
    /// Ends the node as soon as it fails, before consensus has wound up: meanwhile other parts
    /// meet what follows from the fault, and the first to speak names the cause.
    fn ends<T>(
        &self,
        done: Result<T, impl std::error::Error + Send + Sync + 'static>,
    ) -> Result<T, Fault> {
        done.map_err(|error| {
            self.0.end(Failure::fault(chain_of(&error)));
            fault(error)
        })
    }

    /// The body of the next anchor, over everything that may be anchored (spec ANC-1 …).
    fn body(&self, height: u64) -> Result<AnchorBody, Fault> {
        let core = &self.0;
        let (head, roots) = core.book.head();
        if head.height.checked_add(1) != Some(height) {
            return Err(Fault::new(format!("asked for anchor {height} after {}", head.height)));
        }
        let snapshot = core.book.snapshot().map_err(fault)?;
        let validators = Validators::read(&snapshot);
        let validators = validators.ok_or_else(|| Fault::new("the state has no validators"))?;
        timing::state(core, (height, head.anchor));
        let at = (height, &head.anchor);
        let statements = core.times.gather(at, &validators.next, STATEMENTS_PATIENCE);
        let (there, quorum) = (statements.len(), validators.next.quorum());
        if there < quorum {
            return Err(Fault::new(format!("only {there} of {quorum} time statements came")));
        }
        let body = AnchorBody {
            version: ANCHOR_VERSION,
            chain: core.book.chain(),
            height,
            previous: head.anchor,
            statements: List::new(statements).unwrap_or_default(),
            tips: List::new(self.tips(&snapshot, height)?).unwrap_or_default(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: validators.after_next.hash(),
            maker: ValidatorAddress::of(&core.keys.router_public()),
            vrf: core.vrf.prove(&head.anchor, height),
        };
        self.knows_rules(&snapshot, &body)?;
        #[cfg(debug_assertions)]
        let body = super::treason::body(body);
        Ok(body)
    }

    /// Whether this release knows the rules of an anchor; if not, the node ends before it.
    fn knows_rules(&self, snapshot: &Snapshot, body: &AnchorBody) -> Result<(), Fault> {
        let known = may_follow(snapshot, body);
        match snapshot.fault() {
            Some(failed) => Err(fault(failed)),
            None => self.ends(known),
        }
    }

    /// Every lane as far as a quorum has it, sharing the anchor's limits fairly. A lane whose
    /// first block does not fit any more waits; who comes first changes by height.
    fn tips(&self, snapshot: &Snapshot, height: u64) -> Result<Vec<Tip>, Fault> {
        let mut lanes = Lane::scan(snapshot, None, TIPS_MAX);
        let params = params(snapshot);
        let sharers = u64::try_from(lanes.len()).unwrap_or(u64::MAX).max(1);
        let (bytes_share, work_share) =
            (params.anchor_bytes_max / sharers, params.anchor_work_max / sharers);
        let turn = usize::try_from(height % sharers).unwrap_or_default();
        lanes.rotate_left(turn);
        let (mut bytes, mut work, mut tips) = (0u64, 0u64, Vec::new());
        for (zone, lane) in lanes {
            let shares = (bytes_share, work_share);
            let core = &self.0;
            let reach = core.blocks.after((zone, &lane), height, &core.lanes, shares);
            let reach = reach.map_err(fault)?;
            let Some(reach) = reach else { continue };
            let sum = (bytes.saturating_add(reach.bytes), work.saturating_add(reach.work));
            let fits = sum.0 <= params.anchor_bytes_max && sum.1 <= params.anchor_work_max;
            if !fits && !tips.is_empty() {
                continue;
            }
            (bytes, work) = sum;
            tips.push(Tip { zone, term: lane.term, height: reach.height, block: reach.block });
        }
        tips.sort_unstable_by_key(|tip| tip.zone);
        Ok(tips)
    }

    fn judge(&self, height: u64, bytes: &[u8]) -> Result<(), Verdict> {
        let core = &self.0;
        let invalid = |words: String| Verdict::Invalid(words);
        let body = AnchorBody::decode(bytes).map_err(|error| invalid(error.to_string()))?;
        if body.height != height {
            return Err(invalid("another height".to_string()));
        }
        let (head, roots) = core.book.head();
        let snapshot = core.book.snapshot().map_err(|_| Verdict::Missing)?;
        // The follower may commit meanwhile: then nothing can be said of the body.
        let is_next = |head: Head| head.height.checked_add(1) == Some(height);
        if !is_next(head) || !Head::read(&snapshot).is_some_and(is_next) {
            return Err(Verdict::Missing);
        }
        // What is wrong without any block is worth none being asked for.
        let sound = check_body(&snapshot, core.book.chain(), &roots, &body);
        judged(&snapshot, sound)?;
        // It may be good by rules that are not known here: this release must not say.
        self.knows_rules(&snapshot, &body).map_err(|fault| {
            tracing::error!("{fault}");
            Verdict::Missing
        })?;
        let spans = core.blocks.spans(&snapshot, &core.lanes, body.tips.items());
        let spans = spans.map_err(|error| match error {
            SpanError::Missing => {
                // Fetched beside consensus; the body is judged again in the next round.
                tracing::info!(height, "an anchor names blocks that are not here: asking for them");
                let tips = body.tips.items().to_vec();
                core.gather.put(gathering::Order::Input(Input::Need(tips)));
                Verdict::Missing
            }
            SpanError::Invalid(words) => invalid(words),
            SpanError::Fault(fault) => {
                tracing::error!("{fault}");
                Verdict::Missing
            }
        })?;
        let checked = check_blocks(&snapshot, &body, &spans, core.book.registry());
        judged(&snapshot, checked)?;
        core.judge(AnchorBody::id_of(bytes));
        Ok(())
    }
}

/// What a check found, unless the disk failed: that says nothing about the body.
fn judged(snapshot: &Snapshot, checked: Result<(), AnchorError>) -> Result<(), Verdict> {
    match snapshot.fault() {
        Some(fault) => {
            tracing::error!("{fault}");
            Err(Verdict::Missing)
        }
        None => checked.map_err(|error| Verdict::Invalid(error.to_string())),
    }
}

impl Application for Anchoring {
    fn committed_height(&self) -> u64 {
        self.0.book.head().0.height
    }

    fn validators(&self, height: u64) -> Result<ValidatorSet, Fault> {
        let set = self.0.sets.at(height);
        let set = set.ok_or_else(|| Fault::new(format!("nobody knows who signs {height}")))?;
        Ok((*set).clone())
    }

    fn propose(&self, height: u64, _: u32) -> Result<Vec<u8>, Fault> {
        self.body(height).map(|body| encode(&body))
    }

    fn check(&self, height: u64, body: &[u8]) -> Verdict {
        self.judge(height, body).err().unwrap_or(Verdict::Valid)
    }

    fn save_proposal(&self, proposal: &StoredProposal) -> Result<(), Fault> {
        let (id, bytes) = (proposal.anchor(), encode(proposal));
        let saved = self.0.lanes.put_proposal(proposal.height, proposal.round, &id.0, &bytes);
        self.ends(saved)
    }

    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, Fault> {
        let stored = self.ends(self.0.lanes.proposals(height))?;
        stored.iter().map(|bytes| decode(bytes, PROPOSAL_BYTES_MAX).map_err(fault)).collect()
    }

    fn decided(&self, bytes: &[u8], certificate: &Certificate) -> Result<(), Fault> {
        self.ends(self.0.execute(bytes, certificate))
    }

    fn double_voted(&self, votes: &[DoubleVote]) -> Result<(), Fault> {
        for DoubleVote { key, first, second } in votes {
            tracing::error!("the validator {key} voted two ways for anchor {}", first.0.height);
            let evidence = Evidence::of_votes(*key, (&first.0, first.1), (&second.0, second.1));
            self.ends(self.0.accused.accuse(&self.0, evidence))?;
        }
        Ok(())
    }

    fn decided_value(&self, height: u64) -> Result<Option<(Vec<u8>, Certificate)>, Fault> {
        let snapshot = self.0.book.snapshot().map_err(fault)?;
        let record = snapshot.anchor(height).map_err(fault)?;
        Ok(record.map(|record| (record.body, record.certificate)))
    }

    fn history_min_height(&self) -> u64 {
        self.0.book.lowest()
    }

    fn wait_for_work(&self, _: u64) -> BoxFuture<'static, ()> {
        let core = self.0.clone();
        Box::pin(async move { timing::ripe(&core).await })
    }
}
