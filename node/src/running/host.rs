//! The node as its network sees it: takes news, and answers what others ask.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use ddt_api::SubmitError;
use ddt_core::availability::{self, Ask, SignedVote};
use ddt_core::follower::{self, Decided, FETCH_MAX};
use ddt_ledger::PublicKey;
use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::hash::Hash;
use ddt_ledger::proof::Handover;
use ddt_net::message::{
    ANCHORS_BYTES_MAX, Answer, HANDOVERS_BYTES_MAX, HANDOVERS_MAX, Hello, News, Request, Submitted,
};
use ddt_net::{BoxFuture, Greeting, Host, Verdict};

use super::core::{Core, now};
use super::face::{Intake, take_in};
use super::following::Step;
use super::gathering::{ITEM_BYTES, Order};
use super::tracker::Progress;

/// How long a router waits for its own promise before it answers that it took an event.
const PROMISE_PATIENCE: Duration = Duration::from_millis(1_500);

/// The node as its network sees it.
pub struct Desk(pub Arc<Core>);

impl Host for Desk {
    fn hello(&self) -> Greeting {
        let book = &self.0.book;
        let height = book.head().0.height;
        #[cfg(debug_assertions)]
        let height = super::treason::height(height);
        Greeting { height, lowest: book.lowest(), cards: Vec::new() }
    }

    fn greeted(&self, peer: PublicKey, hello: &Hello) {
        self.lowests().insert(peer, hello.lowest);
        let (height, lowest) = (self.unless_coming(hello.height), hello.lowest);
        let met = follower::Input::Met { peer, height, lowest };
        self.0.follow.put(Step::Input(met));
    }

    fn lost(&self, peer: PublicKey) {
        self.lowests().remove(&peer);
        self.0.follow.put(Step::Input(follower::Input::Lost(peer)));
    }

    fn news(&self, from: PublicKey, news: News) -> Verdict {
        match news {
            News::Committed { height, .. } => self.height(from, height),
            News::Vote(vote) => self.vote(vote),
            News::Time { height, previous, statement } => self.time(height, previous, statement),
            // The network keeps cards itself.
            News::Card(_) => Verdict::Accept,
        }
    }

    fn answer(&self, from: PublicKey, request: Request) -> BoxFuture<'static, Answer> {
        let core = self.0.clone();
        Box::pin(async move {
            match request {
                // A router's blocks come from itself; whoever lacks one asks for it.
                Request::Push(_) if !is_router(&core, &from) => Answer::Busy,
                Request::Push(bytes) => {
                    let size = bytes.len().saturating_add(ITEM_BYTES);
                    let input = availability::Input::Block { from, bytes };
                    match core.gather.offer(Order::Input(input), size) {
                        true => Answer::Taken,
                        false => Answer::Busy,
                    }
                }
                Request::Block(ask) => reading(move || block(&core, &ask).map(Answer::Block)).await,
                Request::Anchors { first } => {
                    reading(move || anchors(&core, first).map(Answer::Anchors)).await
                }
                Request::Submit(bytes) => Answer::Submitted(submitted(core, bytes).await),
                Request::Hello(_) => Answer::Busy,
                Request::Snapshots => Answer::Snapshots(core.snapshots.offers()),
                Request::Manifest { snapshot } => {
                    reading(move || Ok(Answer::Manifest(core.snapshots.manifest(&snapshot)))).await
                }
                Request::Piece { snapshot, index } => {
                    reading(move || Ok(Answer::Piece(core.snapshots.piece(&snapshot, index)))).await
                }
                Request::Accuse(bytes) => {
                    reading(move || {
                        core.accused.hear(&core, &bytes).map(|taken| match taken {
                            true => Answer::Taken,
                            false => Answer::Busy,
                        })
                    })
                    .await
                }
                Request::Handovers { after, last } => {
                    reading(move || handovers(&core, after, last).map(Answer::Handovers)).await
                }
            }
        })
    }
}

fn is_router(core: &Core, peer: &PublicKey) -> bool {
    core.net.get().is_some_and(|net| net.router_at(peer).is_some())
}

impl Desk {
    fn lowests(&self) -> MutexGuard<'_, BTreeMap<PublicKey, u64>> {
        self.0.lowests.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// What is at most one ahead, who votes on it decides itself: it need not ask for it.
    fn unless_coming(&self, height: u64) -> u64 {
        let core = &self.0;
        let own = core.book.head().0.height;
        let (set, me) = (core.routers.validators(), core.keys.router_public());
        let votes = core.role.is_validator && set.0.iter().any(|validator| validator.key == me);
        match votes && height <= own.saturating_add(1) {
            true => height.min(own),
            false => height,
        }
    }

    /// Somebody says that it has committed this height. Strangers' heights are their own
    /// affair: anybody can be as many as he likes.
    fn height(&self, from: PublicKey, height: u64) -> Verdict {
        let core = &self.0;
        let router = core.net.get().and_then(|net| net.router_at(&from));
        if router.is_some() || self.lowests().contains_key(&from) {
            let (height, is_router) = (self.unless_coming(height), router.is_some());
            let input = follower::Input::Height { from, height, is_router };
            let _ = core.follow.offer(Step::Input(input), ITEM_BYTES);
        }
        match router.is_some_and(|router| core.passed.height(now(), router, height)) {
            true => Verdict::Accept,
            false => Verdict::Ignore,
        }
    }

    fn vote(&self, signed: SignedVote) -> Verdict {
        let (core, vote) = (&self.0, &signed.vote);
        let set = core.routers.validators();
        if vote.chain != core.book.chain() {
            return Verdict::Reject;
        }
        // The set may be another by now, here or there: no fault of whoever passes it on.
        if !set.0.iter().any(|validator| validator.key == signed.key) {
            return Verdict::Ignore;
        }
        let is_over = core.routers.anchored(vote.zone).is_none_or(|(term, height)| {
            vote.term < term || (vote.term == term && vote.height <= height)
        });
        if is_over || !core.passed.may_be_due(now(), &signed.key, vote) {
            return Verdict::Ignore;
        }
        if !signed.key.verifies(&vote.digest(), &signed.signature) {
            return Verdict::Reject;
        }
        if !core.passed.vote(now(), signed.key, vote) {
            return Verdict::Ignore;
        }
        match core.gather.offer(Order::Input(availability::Input::Vote(signed)), ITEM_BYTES) {
            true => Verdict::Accept,
            false => Verdict::Ignore,
        }
    }

    fn time(&self, height: u64, previous: Hash, statement: TimeStatement) -> Verdict {
        let core = &self.0;
        let (next, set) = (core.book.head().0.height.saturating_add(1), core.routers.validators());
        let (chain, about) = (core.book.chain(), (height, previous));
        match core.times.take(chain, (next, &set), about, statement) {
            Some(true) => Verdict::Accept,
            Some(false) | None => Verdict::Ignore,
        }
    }
}

async fn reading(read: impl FnOnce() -> Result<Answer, StoreFault> + Send + 'static) -> Answer {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(fault)) => {
            tracing::error!("{fault}");
            Answer::Busy
        }
        Err(_) => Answer::Busy,
    }
}

/// What is on disk of what a peer asks for.
fn block(core: &Core, ask: &Ask) -> Result<Option<Vec<u8>>, StoreFault> {
    #[cfg(debug_assertions)]
    if super::treason::hides(core, ask) {
        return Ok(None);
    }
    if let Some(id) = ask.block
        && let Some(bytes) = core.lanes.other((ask.zone, ask.term, ask.height), &id.0)?
    {
        return Ok(Some(bytes));
    }
    core.lanes.block(ask.zone, ask.term, ask.height)
}

fn anchors(core: &Core, first: u64) -> Result<Vec<Decided>, StoreFault> {
    let snapshot = core.book.snapshot()?;
    let last = first.saturating_add(FETCH_MAX.saturating_sub(1));
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    for height in first..=last.min(core.book.head().0.height) {
        let Some(record) = snapshot.anchor(height)? else { break };
        bytes = bytes.saturating_add(record.body.len());
        if !found.is_empty() && bytes > ANCHORS_BYTES_MAX {
            break;
        }
        found.push(Decided { body: record.body, certificate: record.certificate });
    }
    Ok(found)
}

fn handovers(core: &Core, after: u64, last: u64) -> Result<Vec<Handover>, StoreFault> {
    let snapshot = core.book.snapshot()?;
    snapshot.handovers_in((after, last), HANDOVERS_BYTES_MAX, HANDOVERS_MAX)
}

/// Sequences an event for another node, and waits a while for the promise.
async fn submitted(core: Arc<Core>, bytes: Vec<u8>) -> Submitted {
    if !core.seals() {
        return Submitted::Closed;
    }
    let taken = {
        let core = core.clone();
        tokio::task::spawn_blocking(move || take_in(&core, &bytes, false)).await
    };
    let mut progress = match taken {
        Ok(Ok(Intake::Known(_))) => {
            return Submitted::Executed { height: core.book.head().0.height };
        }
        Ok(Ok(Intake::Followed(_, progress))) => progress,
        Ok(Err(SubmitError::Refused(refusal))) => {
            return Submitted::Refused { code: refusal.code.to_string() };
        }
        Ok(Err(_)) | Err(_) => return Submitted::Closed,
    };
    let is_answered = |progress: &Progress| !matches!(progress, Progress::Accepted);
    let waited = tokio::time::timeout(PROMISE_PATIENCE, progress.wait_for(is_answered)).await;
    match waited.map(|found| found.map(|found| found.clone())) {
        Ok(Ok(Progress::Sequenced(receipt, signature))) => {
            Submitted::Sequenced { receipt, signature }
        }
        Ok(Ok(Progress::Final)) => Submitted::Executed { height: core.book.head().0.height },
        Ok(Ok(Progress::Dropped(refusal))) => Submitted::Refused { code: refusal.code.to_string() },
        Ok(Ok(Progress::Accepted) | Err(_)) | Err(_) => Submitted::Taken,
    }
}
