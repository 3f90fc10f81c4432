//! Routers that lie, for tests: what an honest network must survive is done by a real process.
//!
//! Compiled into debug builds only. `DDT_TEST_TREASON` says how the node lies,
//! `DDT_TEST_CLOCK_OFFSET_MS` how far its clock is off.

use std::sync::{Arc, Mutex, OnceLock};

use ddt_core::availability::Ask;
use ddt_ledger::admit::Admission;
use ddt_ledger::anchor::{AnchorBody, Tip};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, LaneBlock, SoftReceipt};
use ddt_ledger::system::Lane;
use ddt_ledger::{AccountId, Amount, Hash, Millis, Zone};
use ddt_net::message::Request;

use super::blocks::Available;
use super::core::Core;

/// How a router lies.
#[derive(Debug)]
enum Treason {
    /// It signs two blocks for each place, and sends them to different routers.
    Equivocate,
    /// It promises and votes, but shows its blocks to nobody, and proposes them.
    Withhold,
    /// It proposes anchors with a wrong state root.
    WrongRoot,
    /// It states times that are an hour off, now ahead, now behind.
    WrongTime,
    /// It says that it is far ahead of all others.
    Boast,
    /// Its blocks claim to follow an anchor that is not there yet.
    Future,
    /// After each block it seals another one of the same events.
    Repeat,
    /// It sequences whatever it is given, void or not.
    Heedless,
    /// It takes the events of this account, and sequences none of them.
    Censor(AccountId),
    /// It promises all events of this account one number, and sequences none of them.
    Mislead(AccountId),
    /// It votes twice in each round, once for nothing.
    DoubleVote,
}

/// How far off a lying router's time is.
const LIE: Millis = Millis(3_600_000);

fn read() -> Option<Treason> {
    let text = std::env::var("DDT_TEST_TREASON").ok()?;
    let treason = match text.split_once(':').unwrap_or((text.as_str(), "")) {
        ("equivocate", "") => Some(Treason::Equivocate),
        ("withhold", "") => Some(Treason::Withhold),
        ("wrong-root", "") => Some(Treason::WrongRoot),
        ("wrong-time", "") => Some(Treason::WrongTime),
        ("boast", "") => Some(Treason::Boast),
        ("future", "") => Some(Treason::Future),
        ("repeat", "") => Some(Treason::Repeat),
        ("heedless", "") => Some(Treason::Heedless),
        ("double-vote", "") => Some(Treason::DoubleVote),
        ("censor", account) => account.parse().ok().map(Treason::Censor),
        ("mislead", account) => account.parse().ok().map(Treason::Mislead),
        _ => None,
    };
    tracing::error!("DDT_TEST_TREASON={text}: this node lies: {treason:?}");
    treason
}

fn treason() -> Option<&'static Treason> {
    static TREASON: OnceLock<Option<Treason>> = OnceLock::new();
    TREASON.get_or_init(read).as_ref()
}

/// What a clock shows that is off.
pub fn clock(now: Millis) -> Millis {
    static OFFSET: OnceLock<i64> = OnceLock::new();
    let read = || std::env::var("DDT_TEST_CLOCK_OFFSET_MS").ok()?.parse().ok();
    let offset = *OFFSET.get_or_init(|| read().unwrap_or_default());
    Millis(now.0.saturating_add_signed(offset))
}

/// The version of the rules that a router says it knows, whatever it does.
pub fn version() -> Option<u32> {
    std::env::var("DDT_TEST_SIGNAL").ok()?.parse().ok()
}

/// The time that is stated for the anchor of this height.
pub fn time(height: u64, now: Millis) -> Millis {
    match treason() {
        Some(Treason::WrongTime) if height.is_multiple_of(2) => now.plus(LIE),
        Some(Treason::WrongTime) => Millis(now.0.saturating_sub(LIE.0)),
        _ => now,
    }
}

/// The height that others are greeted with.
pub fn height(height: u64) -> u64 {
    if matches!(treason(), Some(Treason::Boast)) { u64::MAX } else { height }
}

/// The body that is proposed.
pub fn body(mut body: AnchorBody) -> AnchorBody {
    if matches!(treason(), Some(Treason::WrongRoot)) {
        body.state_root = Hash([0x5a; 32]);
    }
    body
}

/// What admission says of an event.
pub fn admission(honest: Admission) -> Admission {
    match (treason(), honest) {
        (Some(Treason::Heedless), Admission::Void(_)) => {
            Admission::Admitted { fee: Amount::ZERO, hold: None, forecast: Ok(()) }
        }
        (_, honest) => honest,
    }
}

/// Whether an event is taken and never sequenced.
pub fn censors(event: &Checked) -> bool {
    matches!(treason(), Some(Treason::Censor(account)) if *account == event.draft().author)
}

/// Whether an event is promised what was the next number once, and never sequenced.
pub fn misleads(core: &Core, event: &Checked) -> bool {
    let Some(Treason::Mislead(account)) = treason() else { return false };
    if *account != event.draft().author {
        return false;
    }
    static LANE: OnceLock<Option<(Zone, Lane)>> = OnceLock::new();
    let lane = || {
        let (zone, book) = (core.role.zone?, core.book.snapshot().ok()?);
        Some((zone, Lane::read(&book, zone)?))
    };
    let Some((zone, lane)) = LANE.get_or_init(lane) else { return false };
    let receipt = SoftReceipt {
        chain: core.book.chain(),
        event: event.id(),
        zone: *zone,
        term: lane.term,
        height: lane.height.saturating_add(1),
        number: lane.next_number,
    };
    let signature = core.keys.sign_as_router(&receipt.digest());
    core.tracker.promised(receipt, signature);
    true
}

/// Whether it votes twice.
pub fn votes_twice() -> bool {
    matches!(treason(), Some(Treason::DoubleVote))
}

/// Whether a block is kept from who asks for it.
pub fn hides(core: &Core, ask: &Ask) -> bool {
    matches!(treason(), Some(Treason::Withhold)) && core.role.zone == Some(ask.zone)
}

/// Sends a sealed block in a liar's way; `false` for an honest router.
pub fn push(core: &Arc<Core>, bytes: &[u8]) -> bool {
    let block = decode::<LaneBlock>(bytes, BLOCK_BYTES_MAX).ok();
    match (treason(), block) {
        (Some(Treason::Withhold), Some(block)) => {
            let (header, id) = (&block.header, block.header.id());
            let tip =
                Tip { zone: header.zone, term: header.term, height: header.height, block: id };
            static WAY: Mutex<Vec<(u64, Hash)>> = Mutex::new(Vec::new());
            let mut way = WAY.lock().unwrap_or_else(|error| error.into_inner());
            way.push((header.height, id));
            let way = way.clone();
            core.blocks.set_available(header.zone, Some(Available { tip, way }));
            core.tip_waits();
            true
        }
        (Some(Treason::Equivocate), Some(mut twin)) => {
            twin.header.time = twin.header.time.plus(Millis(1));
            twin.signature = core.keys.sign_as_router(&twin.header.id());
            let twin = encode(&twin);
            // The first hears of the twin alone, the second of both, the others of the block.
            send(core, |at| {
                let first = (at != 0).then(|| bytes.to_vec());
                first.into_iter().chain((at <= 1).then(|| twin.clone())).collect()
            });
            true
        }
        (Some(Treason::Future), Some(mut block)) => {
            block.header.after_anchor = u64::MAX;
            block.signature = core.keys.sign_as_router(&block.header.id());
            send(core, |_| vec![encode(&block)]);
            true
        }
        (Some(Treason::Repeat), Some(mut next)) => {
            let (parent, header) = (next.header.id(), &mut next.header);
            (header.parent, header.height) = (parent, header.height.saturating_add(1));
            header.first_number = header.first_number.saturating_add(u64::from(header.count));
            next.signature = core.keys.sign_as_router(&next.header.id());
            send(core, |_| vec![bytes.to_vec(), encode(&next)]);
            true
        }
        _ => false,
    }
}

/// Sends each of the other routers its blocks, one after the other.
fn send(core: &Arc<Core>, blocks: impl Fn(usize) -> Vec<Vec<u8>>) {
    for (at, (router, _)) in core.routers.others().into_iter().enumerate() {
        let (net, blocks) = (core.net.get().cloned(), blocks(at));
        core.spawn(async move {
            let Some(net) = net else { return };
            for bytes in blocks {
                let _ = net.ask(router, Request::Push(bytes)).await;
            }
        });
    }
}
