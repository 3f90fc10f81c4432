//! Events that came to a node that seals no lane: carried to a router, and to another one when
//! that is silent. The same bytes twice are charged once, whoever sequences them.

use std::sync::Arc;
use std::time::Duration;

use ddt_contracts::zones::read_member;
use ddt_core::mempool::NONCE_WAITING;
use ddt_core::sequencer::UNANCHORED_BLOCKS_MAX;
use ddt_core::{mempool, sequencer};
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::event::Checked;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, Millis, PublicKey, Refusal, Signature};
use ddt_net::message::{Answer, Request, Submitted};
use tokio::sync::OwnedSemaphorePermit;

use super::core::{Core, now};
use super::face::in_book;
use super::lane::Order;
use super::promises::Given;
use super::tracker::Progress;

/// Events on their way at one time.
pub const FORWARDS_MAX: usize = 10_000;
/// A router that promised nothing by then is passed over.
const PATIENCE: Duration = Duration::from_secs(2);
/// An event that was promised and is still not in the book goes to another router.
const FINAL_WITHIN: Duration = Duration::from_secs(20);
/// How long routers are tried before the event is given back, in milliseconds.
const TRIED_MS: u64 = 15_000;
/// Between two rounds over all routers.
const PAUSE: Duration = Duration::from_millis(500);

/// What one router said.
enum Word {
    Promised,
    /// By its word alone it has the event, which must show here within this time.
    Has(Duration),
    Refused(Refusal),
    Silent,
}

/// Carries an event until it is in the book, or nobody takes it.
pub async fn carry(core: Arc<Core>, event: Checked, _room: OwnedSemaphorePermit) {
    let (id, since) = (event.id(), now());
    let Some(mut progress) = core.tracker.following(&id) else { return };
    let (mut turn, mut refused) = (0_usize, None);
    let mut is_promised = matches!(*progress.borrow(), Progress::Sequenced(..));
    loop {
        // Since it was taken this node may have come to seal itself.
        if core.seals() && !is_promised {
            match may_enter(&core, &event) {
                Ok(()) if core.orders.try_send(Order::Event(event.clone())).is_ok() => return,
                Ok(()) => {}
                Err(refusal) => refused = Some(refusal),
            }
        }
        let routers = in_order(&core, &event);
        let router = turn.checked_rem(routers.len()).and_then(|at| routers.get(at)).copied();
        let word = match router {
            Some(router) => offer(&core, router, &event).await,
            None => Word::Silent,
        };
        turn = turn.saturating_add(1);
        match word {
            Word::Promised | Word::Has(_) => {
                is_promised |= matches!(word, Word::Promised);
                let is_final = |progress: &Progress| matches!(progress, Progress::Final);
                let waited = progress.wait_for(is_final);
                let within = match word {
                    Word::Has(within) => within,
                    _ => FINAL_WITHIN,
                };
                if tokio::time::timeout(within, waited).await.is_ok() {
                    return;
                }
                // Its anchor may have come before anybody followed the event.
                let known = core.book.snapshot().and_then(|book| in_book(&core, &book, id));
                if matches!(known, Ok(Some(_))) {
                    core.tracker.was_final(&id);
                    return;
                }
            }
            Word::Refused(_) | Word::Silent => {
                // One router's "no" may be a lie: this node found the event good. The last one
                // is what its author is told if no router takes it.
                if let Word::Refused(refusal) = word {
                    refused = Some(refusal);
                }
                // A node that is behind cannot know whether somebody has it.
                if !is_promised && !core.is_behind() && now().since(since) > Millis(TRIED_MS) {
                    let why = refused.unwrap_or(sequencer::CLOSED);
                    core.tracker.end(&id, Progress::Dropped(why));
                    return;
                }
                if turn.checked_rem(routers.len().max(1)) == Some(0) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        if matches!(*progress.borrow(), Progress::Final) {
            return;
        }
        if event.draft().valid_until < now() {
            core.tracker.end(&id, Progress::Dropped(ddt_ledger::event::EXPIRED));
            return;
        }
    }
}

/// Whether an event that waited here may be given to this node's own lane by now, as one that
/// comes just now: not what would be void, or may expire before its anchor comes, and one event at
/// a time of each hold that pays.
fn may_enter(core: &Core, event: &Checked) -> Result<(), Refusal> {
    if let Some(refusal) = mempool::late(event.draft().valid_until, now(), mempool::LEAD_MS) {
        return Err(refusal);
    }
    let registry = core.book.registry();
    let snapshot = core.book.snapshot();
    match snapshot.and_then(|book| admit(registry, &book, event, now())) {
        Ok(Admission::Void(refusal)) => Err(refusal),
        Ok(Admission::Admitted { hold: Some(hold), .. }) => {
            core.holds.take(hold, event.id(), &core.tracker)
        }
        // The lane meets the same fault, and says it.
        Ok(Admission::Admitted { .. }) | Err(_) => Ok(()),
    }
}

/// The author's own zone first, then the others, from it on.
fn in_order(core: &Core, event: &Checked) -> Vec<PublicKey> {
    let mut zones = core.routers.zones();
    let home = core.book.snapshot().ok().and_then(|snapshot| {
        read_member(&snapshot, &event.draft().author).map(|member| member.zone)
    });
    let first = home.and_then(|home| zones.iter().position(|(zone, _)| *zone == home));
    // Without a home, authors are spread over the zones.
    let spread = event.draft().author.0.first().map(|byte| usize::from(*byte));
    let first = first.or(spread.and_then(|byte| byte.checked_rem(zones.len())));
    zones.rotate_left(first.unwrap_or_default());
    let me = core.keys.router_public();
    zones.into_iter().map(|(_, key)| key).filter(|key| *key != me).collect()
}

async fn offer(core: &Arc<Core>, router: PublicKey, event: &Checked) -> Word {
    let Some(net) = core.net.get() else { return Word::Silent };
    let request = Request::Submit(event.bytes().to_vec());
    let answer = tokio::time::timeout(PATIENCE, net.ask(router, request)).await;
    let Ok(Ok(Answer::Submitted(submitted))) = answer else { return Word::Silent };
    match submitted {
        Submitted::Sequenced { receipt, signature } => {
            if !is_promise(core, &router, event.id(), &receipt, &signature) {
                return Word::Silent;
            }
            let anchored = core.routers.anchored_of(receipt.zone, &router);
            if anchored.is_some_and(|anchored| binds(&receipt, anchored)) {
                core.tracker.promised_elsewhere(receipt.clone(), signature);
                core.promises.remember(Given { router, receipt, signature });
                return Word::Promised;
            }
            // It may be true by a state that is not here yet; but clients are not shown what may
            // be worth nothing.
            match anchored {
                _ if core.is_behind() => Word::Has(FINAL_WITHIN),
                Some((term, _)) if receipt.term == term.saturating_add(1) => Word::Has(PATIENCE),
                _ => Word::Silent,
            }
        }
        Submitted::Executed { .. } => Word::Has(PATIENCE),
        Submitted::Refused { code } => match refusal_of(core, &code) {
            // Another copy is on its way there; what the queue has no room for, another may.
            Some(NONCE_WAITING | mempool::FULL | sequencer::CLOSED) | None => Word::Silent,
            Some(refusal) => Word::Refused(refusal),
        },
        Submitted::Taken | Submitted::Closed => Word::Silent,
    }
}

/// Whether a router really signed a promise of this event.
fn is_promise(
    core: &Core,
    router: &PublicKey,
    event: Hash,
    receipt: &SoftReceipt,
    signature: &Signature,
) -> bool {
    receipt.event == event
        && receipt.chain == core.book.chain()
        && router.verifies(&receipt.digest(), signature)
}

/// Whether a router answers for a promise in the lane that is its own up to there: in this term,
/// and of a block that there is, or that it may be about to seal. Others it could give for
/// nothing: their place is never taken, or not for long.
fn binds(receipt: &SoftReceipt, (term, height): (u64, u64)) -> bool {
    let last = height.saturating_add((UNANCHORED_BLOCKS_MAX as u64).saturating_mul(2));
    receipt.term == term && (1..=last).contains(&receipt.height)
}

/// The refusal with this code, among those that keep an event out of a lane.
fn refusal_of(core: &Core, code: &str) -> Option<Refusal> {
    let own = [mempool::FULL, mempool::AUTHOR_LIMIT, NONCE_WAITING, sequencer::CLOSED];
    let own = own.into_iter().chain([mempool::SOON, mempool::HOLD_WAITING]);
    let rules = core.book.registry().rows().flat_map(|row| row.refusals.iter().copied());
    let all = own.chain(ddt_ledger::registry::ledger_refusals()).chain(rules);
    let mut all = all.filter(|refusal| refusal.code == code);
    all.next()
}

#[cfg(test)]
mod tests {
    use ddt_ledger::{ChainId, Zone};

    use super::*;

    // Broken by: a promise for which nobody answers by the state that is here, and that clients
    // are shown all the same: of another term, or of a block that never comes.
    #[test]
    fn promises_bind_in_their_term_and_not_far_ahead() {
        let ahead = 2 * UNANCHORED_BLOCKS_MAX as u64;
        let (chain, event) = (ChainId(Hash::ZERO), Hash::ZERO);
        let promise =
            |term, height| SoftReceipt { chain, event, zone: Zone(0), term, height, number: 9 };
        for (term, height, is_bound) in [
            (4, 0, false),
            (4, 1, true),
            (4, 101, true),
            (4, 100 + ahead, true),
            (4, 101 + ahead, false),
            (4, u64::MAX, false),
            (3, 101, false),
            (5, 1, false),
        ] {
            assert_eq!(binds(&promise(term, height), (4, 100)), is_bound, "{term} {height}");
        }
    }
}
