//! A small programme, authors, and a shell's hands for the sequencer.

use ddt_core::mempool::MempoolLimits;
use ddt_core::sequencer::{Effect, Input, Sequencer, SequencerConfig, Sign};
use ddt_ledger::book::Book;
use ddt_ledger::codec::encode;
use ddt_ledger::context::Context;
use ddt_ledger::event::{BODY_BYTES_MAX, Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::registry::{Event, Programme, Registry};
use ddt_ledger::schema::Bytes;
use ddt_ledger::system::Lane;
use ddt_ledger::{
    AccountId, ChainId, Hash, Millis, PublicKey, Refusal, Signature, Zone, event, rows,
};
use ed25519_dalek::{Signer, SigningKey};

event! {
    /// Does nothing, cheaply.
    Note = "test.note", Owner, "Note {text}" { text: Bytes<16000> }
}

event! {
    /// Does nothing, with much work.
    Toil = "test.toil", Owner, "Toil {text}" { text: Bytes<16000> }
}

impl Event for Note {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Event for Toil {
    const REFUSALS: &'static [Refusal] = &[];
    const WORK: u32 = 10;

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}

static PROGRAMME: Programme = Programme {
    id: 60_000,
    name: "test",
    purpose: "Events for tests.",
    rows: rows! { 60001 => Note, 60002 => Toil },
    views: &[],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

pub static REGISTRY: Registry = Registry { programmes: &[&PROGRAMME] };
pub const CHAIN: ChainId = ChainId(Hash([7; 32]));
pub const ZONE: Zone = Zone(5);
pub const ROUTER: u8 = 200;
/// When tests begin.
pub const START: Millis = Millis(1_000_000);

/// Somebody's key.
pub fn key(seed: u8) -> PublicKey {
    PublicKey(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes())
}

pub fn signature(seed: u8, digest: &Hash) -> Signature {
    Signature(SigningKey::from_bytes(&[seed; 32]).sign(&digest.0).to_bytes())
}

/// What an event of these tests is like.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub author: u8,
    pub nonce: u64,
    pub valid_until: Millis,
    pub is_toil: bool,
    pub bytes: usize,
}

/// A small note that stays valid.
pub fn note(author: u8, nonce: u64) -> Checked {
    let valid_until = START.plus(Millis(3_600_000));
    event(Sample { author, nonce, valid_until, is_toil: false, bytes: 1 })
}

/// A signed and checked event.
pub fn event(sample: Sample) -> Checked {
    let text = Bytes::new(vec![sample.nonce as u8; sample.bytes]).expect("a short text");
    let (tag, body) = match sample.is_toil {
        true => (60_002, encode(&Toil { text })),
        false => (60_001, encode(&Note { text })),
    };
    let key = key(sample.author);
    let draft = Draft {
        version: EVENT_VERSION,
        chain: CHAIN,
        author: AccountId::of(&key),
        key,
        role: Role::Owner,
        nonce: sample.nonce,
        valid_until: sample.valid_until,
        tag,
        body: Bytes::<BODY_BYTES_MAX>::new(body).expect("a short body"),
    };
    let signature = signature(sample.author, &draft.digest());
    Checked::check(&encode(&draft.signed(signature)), CHAIN, &REGISTRY).expect("a good event")
}

/// Small limits that tests can reach.
pub const LIMITS: MempoolLimits = MempoolLimits {
    events_max: 100,
    bytes_max: 1_000_000,
    per_author_max: 32,
    author_bytes_max: 1_000_000,
    lead_ms: Millis(0),
};

/// The configuration of the tests' router.
pub fn config() -> SequencerConfig {
    SequencerConfig {
        chain: CHAIN,
        zone: ZONE,
        key: key(ROUTER),
        registry: REGISTRY,
        seal_every_ms: Millis(100),
        work_max: 100,
        mempool: LIMITS,
    }
}

/// The router's hand.
pub fn sign() -> Sign {
    Box::new(|digest| signature(ROUTER, digest))
}

/// The lane at genesis.
pub fn first_lane() -> Lane {
    let router = AccountId::of(&key(ROUTER));
    Lane::first(router, key(ROUTER), Millis(0))
}

/// The lane with `block` anchored.
pub fn lane_at(block: &CheckedBlock) -> Lane {
    let header = block.header();
    Lane {
        term: header.term,
        height: header.height,
        tip: block.id(),
        next_number: header.first_number + u64::from(header.count),
        ..first_lane()
    }
}

/// A sequencer at genesis.
pub fn sequencer() -> Sequencer {
    Sequencer::new(config(), sign(), &first_lane(), Vec::new(), 0)
}

/// The same with another configuration.
pub fn with(change: impl FnOnce(&mut SequencerConfig)) -> Sequencer {
    let mut config = config();
    change(&mut config);
    Sequencer::new(config, sign(), &first_lane(), Vec::new(), 0)
}

/// The block in a store effect, checked as any other node would.
pub fn block_of(effect: &Effect) -> Option<CheckedBlock> {
    let Effect::Store { bytes, .. } = effect else { return None };
    Some(CheckedBlock::check(bytes, CHAIN, &key(ROUTER), &REGISTRY).expect("a good block"))
}

/// Feeds events at `now`, lets the disk keep the block sealed then, and returns it.
pub fn sealed(sequencer: &mut Sequencer, now: Millis, events: &[Checked]) -> CheckedBlock {
    let mut effects = Vec::new();
    for event in events {
        effects.extend(sequencer.step(now, Input::Event(event.clone(), 0)));
    }
    effects.extend(sequencer.step(now, Input::Tick));
    let block = effects.iter().find_map(block_of).expect("a sealed block");
    sequencer.step(now, Input::Stored { height: block.header().height });
    block
}

/// The ids answered with a refusal, with its code.
pub fn answers(effects: &[Effect]) -> Vec<(Hash, &'static str)> {
    let answer = |effect: &Effect| match effect {
        Effect::Answer { event, refusal } => Some((*event, refusal.code)),
        _ => None,
    };
    effects.iter().filter_map(answer).collect()
}

/// The promised (id, number) pairs.
pub fn promises(effects: &[Effect]) -> Vec<(Hash, u64)> {
    let list = |effect: &Effect| match effect {
        Effect::Promise(receipts) => {
            receipts.iter().map(|receipt| (receipt.event, receipt.number)).collect()
        }
        _ => Vec::new(),
    };
    effects.iter().flat_map(list).collect()
}
