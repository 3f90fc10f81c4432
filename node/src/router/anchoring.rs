//! The router as consensus sees it: proposes, judges, executes and commits anchors.

use std::collections::BTreeSet;
use std::sync::Arc;

use ddt_consensus::{Application, BoxFuture, Fault, StoredProposal, Verdict};
use ddt_ledger::anchor::{
    ANCHOR_VERSION, AnchorBody, Span, TIPS_MAX, TimeStatement, Tip, check_anchor,
};
use ddt_ledger::certificate::{Certificate, ValidatorAddress, ValidatorSet};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::execute::execute;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::schema::List;
use ddt_ledger::system::{Lane, Validators, params};
use ddt_ledger::{Hash, Millis};

use super::blocks::SpanError;
use super::core::{Core, now};
use super::lane::{Anchored, Order};
use super::tracker::Progress;

/// Longest stored proposal, in bytes.
const PROPOSAL_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The router as consensus sees it.
pub struct Anchoring(pub Arc<Core>);

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::new(error)
}

impl Anchoring {
    /// The body of the next anchor, over everything that waits (spec ANC-1 …).
    fn body(&self, height: u64) -> Result<AnchorBody, Fault> {
        let core = &self.0;
        let (head, roots) = core.book.head();
        if head.height.checked_add(1) != Some(height) {
            return Err(Fault::new(format!("asked for anchor {height} after {}", head.height)));
        }
        let snapshot = core.book.snapshot().map_err(fault)?;
        let validators = Validators::read(&snapshot);
        let validators = validators.ok_or_else(|| Fault::new("the state has no validators"))?;
        let statement = self.statement(height, &head.anchor);
        if validators.next.quorum() > 1 {
            return Err(Fault::new("too few time statements: routers do not exchange them yet"));
        }
        let statements = List::new(vec![statement]).unwrap_or_default();
        Ok(AnchorBody {
            version: ANCHOR_VERSION,
            chain: core.book.chain(),
            height,
            previous: head.anchor,
            statements,
            tips: List::new(self.tips(&snapshot, height)).unwrap_or_default(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: validators.after_next.hash(),
            maker: ValidatorAddress::of(&core.keys.router_public()),
            vrf: core.vrf.prove(&head.anchor, height),
        })
    }

    fn statement(&self, height: u64, previous: &Hash) -> TimeStatement {
        let (core, time) = (&self.0, now());
        let digest = TimeStatement::digest(core.book.chain(), height, previous, time);
        let signature = core.keys.sign_as_router(&digest);
        TimeStatement { key: core.keys.router_public(), time, signature }
    }

    /// Every lane as far as its blocks are here, sharing the anchor's limits fairly. A lane
    /// whose first block does not fit any more waits; who comes first changes by height.
    fn tips(&self, snapshot: &ddt_ledger::store::Snapshot, height: u64) -> Vec<Tip> {
        let mut lanes = Lane::scan(snapshot, None, TIPS_MAX);
        let params = params(snapshot);
        let sharers = u64::try_from(lanes.len()).unwrap_or(u64::MAX).max(1);
        let (bytes_share, work_share) =
            (params.anchor_bytes_max / sharers, params.anchor_work_max / sharers);
        let turn = usize::try_from(height % sharers).unwrap_or_default();
        lanes.rotate_left(turn);
        let (mut bytes, mut work, mut tips) = (0u64, 0u64, Vec::new());
        for (zone, lane) in lanes {
            let Some(reach) = self.0.blocks.after(zone, &lane, bytes_share, work_share) else {
                continue;
            };
            let sum = (bytes.saturating_add(reach.bytes), work.saturating_add(reach.work));
            let fits = sum.0 <= params.anchor_bytes_max && sum.1 <= params.anchor_work_max;
            if !fits && !tips.is_empty() {
                continue;
            }
            (bytes, work) = sum;
            tips.push(Tip { zone, term: lane.term, height: reach.height, block: reach.block });
        }
        tips.sort_unstable_by_key(|tip| tip.zone);
        tips
    }

    fn judge(&self, height: u64, bytes: &[u8]) -> Result<(), Verdict> {
        let core = &self.0;
        let invalid = |words: String| Verdict::Invalid(words);
        let body = AnchorBody::decode(bytes).map_err(|error| invalid(error.to_string()))?;
        if body.height != height {
            return Err(invalid("another height".to_string()));
        }
        let (_, roots) = core.book.head();
        let snapshot = core.book.snapshot().map_err(|_| Verdict::Missing)?;
        let spans = core.blocks.spans(&snapshot, &core.lanes, body.tips.items());
        let spans = spans.map_err(|error| match error {
            SpanError::Missing => Verdict::Missing,
            SpanError::Invalid(words) => invalid(words),
            SpanError::Fault(fault) => {
                tracing::error!("{fault}");
                Verdict::Missing
            }
        })?;
        let (chain, registry) = (core.book.chain(), core.book.registry());
        let checked = check_anchor(&snapshot, chain, &roots, &body, &spans, registry);
        match snapshot.fault() {
            // What the disk did not give says nothing about the body.
            Some(fault) => {
                tracing::error!("{fault}");
                Err(Verdict::Missing)
            }
            None => checked.map_err(|error| invalid(error.to_string())),
        }
    }

    fn spans(&self, body: &AnchorBody) -> Result<Vec<Span>, Fault> {
        let snapshot = self.0.book.snapshot().map_err(fault)?;
        let spans = self.0.blocks.spans(&snapshot, &self.0.lanes, body.tips.items());
        spans.map_err(|error| match error {
            SpanError::Missing => Fault::new("a block of a decided anchor is not here"),
            SpanError::Invalid(words) => Fault::new(words),
            SpanError::Fault(error) => fault(error),
        })
    }

    /// Tells everybody what an anchor did.
    fn spread(&self, height: u64, receipts: &[Receipt]) -> Result<(), Fault> {
        let core = &self.0;
        core.meters.anchored(core.book.head().0.time, receipts);
        let (mut executed, mut authors) = (Vec::new(), BTreeSet::new());
        for receipt in receipts {
            if let Outcome::Bug(code) = &receipt.outcome {
                tracing::error!("a programme's bug was undone: {code} in {:?}", receipt.subject);
            }
            if let Subject::Event(place) = &receipt.subject {
                executed.push(place.id);
                authors.insert(place.author);
                core.tracker.end(&place.id, Progress::Final);
            }
        }
        let snapshot = core.book.snapshot().map_err(fault)?;
        let lanes = Lane::scan(&snapshot, None, TIPS_MAX);
        if let Some(error) = snapshot.fault() {
            return Err(fault(error));
        }
        for (zone, lane) in &lanes {
            core.blocks.forget(*zone, lane);
        }
        core.repace().map_err(fault)?;
        if let Some((_, lane)) = lanes.into_iter().find(|(zone, _)| *zone == core.zone) {
            let anchored = Anchored { height, lane, executed, authors };
            let _ = core.orders.send(Order::Anchored(anchored));
        }
        let _ = core.anchors.send(height);
        Ok(())
    }
}

impl Application for Anchoring {
    fn committed_height(&self) -> u64 {
        self.0.book.head().0.height
    }

    fn validators(&self, height: u64) -> Result<ValidatorSet, Fault> {
        let snapshot = self.0.book.snapshot().map_err(fault)?;
        let validators = Validators::read(&snapshot);
        let validators = validators.ok_or_else(|| Fault::new("the state has no validators"))?;
        let next = self.committed_height().saturating_add(1);
        Ok(if height <= next { validators.next } else { validators.after_next })
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
        saved.map_err(fault)
    }

    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, Fault> {
        let stored = self.0.lanes.proposals(height).map_err(fault)?;
        stored.iter().map(|bytes| decode(bytes, PROPOSAL_BYTES_MAX).map_err(fault)).collect()
    }

    fn decided(&self, bytes: &[u8], certificate: &Certificate) -> Result<(), Fault> {
        let core = &self.0;
        let body = AnchorBody::decode(bytes).map_err(fault)?;
        if body.height <= self.committed_height() {
            return Ok(());
        }
        let spans = self.spans(&body)?;
        // Among the workers that check blocks: beside them it would have to share a core with one.
        let executed = rayon::scope(|_| {
            let snapshot = core.book.snapshot().map_err(fault)?;
            let executed = execute(core.book.registry(), &snapshot, &body, &spans);
            let executed = executed.map_err(fault)?;
            core.book.commit(&executed, bytes, certificate).map_err(fault)?;
            Ok(executed)
        })?;
        self.spread(body.height, &executed.receipts)
    }

    fn decided_value(&self, height: u64) -> Result<Option<(Vec<u8>, Certificate)>, Fault> {
        let snapshot = self.0.book.snapshot().map_err(fault)?;
        let record = snapshot.anchor(height).map_err(fault)?;
        Ok(record.map(|record| (record.body, record.certificate)))
    }

    fn history_min_height(&self) -> u64 {
        1
    }

    fn wait_for_work(&self, _: u64) -> BoxFuture<'static, ()> {
        let core = self.0.clone();
        Box::pin(async move {
            loop {
                let rings = core.work.clone();
                let ring = rings.notified();
                tokio::pin!(ring);
                ring.as_mut().enable();
                let time = now();
                let (is_due, wake) = {
                    let pacer = core.pacer();
                    (pacer.should_propose(time), pacer.next_wake(time))
                };
                if is_due {
                    return;
                }
                let wake = wake.unwrap_or(time.plus(Millis(1_000))).since(time);
                let sleep = tokio::time::sleep(std::time::Duration::from_millis(wake.0.max(1)));
                tokio::select! {
                    () = ring => {}
                    () = sleep => {}
                }
            }
        })
    }
}
