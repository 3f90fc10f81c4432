//! A network of four routers in one process: it seals blocks, makes anchors, certifies and
//! commits them.

use std::collections::BTreeMap;

use ddt_ledger::anchor::{AnchorBody, AnchorError, Roots, Span, TimeStatement, Tip, check_anchor};
use ddt_ledger::audit::audit;
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::execute::{Executed, execute};
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::params::Params;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::state::StateReader;
use ddt_ledger::store::BookStore;
use ddt_ledger::system::{Head, Lane, Supply, Validators};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, ChainId, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};

use super::disk::Disk;
use super::programme::REGISTRY;

/// When the network starts.
pub const START_MS: u64 = 1_700_000_000_000;
/// How much later each anchor is, unless told.
pub const STEP_MS: u64 = 1_000;

/// Somebody with a key.
#[derive(Clone)]
pub struct Person(pub SigningKey);

impl Person {
    /// The person with this number.
    pub fn new(number: u8) -> Person {
        Person(SigningKey::from_bytes(&[number; 32]))
    }

    /// The public key.
    pub fn key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The account of the key.
    pub fn id(&self) -> AccountId {
        AccountId::of(&self.key())
    }

    /// Signs a hash.
    pub fn sign(&self, digest: &Hash) -> Signature {
        Signature(self.0.sign(&digest.0).to_bytes())
    }

    /// The bytes of a draft signed by this person.
    pub fn seal(&self, draft: Draft) -> Vec<u8> {
        let signature = self.sign(&draft.digest());
        encode(&draft.signed(signature))
    }
}

/// A router: its key and its VRF key.
pub struct Router {
    /// Signs blocks, times and votes.
    pub person: Person,
    /// Makes the random value.
    pub vrf: VrfKey,
}

impl Router {
    fn new(number: u8) -> Router {
        let vrf = VrfKey::from_seed(&[number; 32]).expect("a VRF key");
        Router { person: Person::new(number), vrf }
    }
}

/// An anchor as it was decided, with the blocks it covers.
#[derive(Clone)]
pub struct Decided {
    /// Its body.
    pub body: AnchorBody,
    /// Its certificate.
    pub certificate: Certificate,
    /// The blocks by lane.
    pub spans: Vec<Span>,
}

/// The network.
pub struct Network {
    /// What it started from.
    pub genesis: Genesis,
    /// Its chain.
    pub chain: ChainId,
    /// Its routers, of zones 1, 2, 3 and 4.
    pub routers: Vec<Router>,
    /// The book.
    pub store: BookStore,
    /// Every anchor.
    pub history: Vec<Decided>,
    nonce: u64,
}

/// People with money from the start.
pub const RICH: [u8; 3] = [1, 2, 3];
/// The person whose key is a node key of person 1.
pub const NODE: u8 = 9;

/// What the tests' network starts from.
pub fn genesis() -> Genesis {
    let account = |number| GenesisAccount {
        key: Person::new(number).key(),
        balance: Amount::from_apt(1_000),
    };
    let zone = |number: u8| GenesisZone {
        zone: Zone(u32::from(number)),
        router: Person::new(100 + number).id(),
        key: Router::new(100 + number).person.key(),
        vrf_key: Router::new(100 + number).vrf.public(),
        bond: Amount::from_apt(10_000),
    };
    let node_key = GenesisNodeKey {
        account: Person::new(1).id(),
        key: Person::new(NODE).key(),
        allowance: Amount::from_apt(1),
    };
    Genesis {
        version: GENESIS_VERSION,
        name: "test-net".to_string(),
        time_ms: Millis(START_MS),
        pool: Amount::from_apt(50),
        // Here nobody says that a router is there, but where a test is about that.
        params: Params {
            anchor_deadlines_max: 3,
            router_silent_ms: Millis(u64::MAX),
            ..Params::dev()
        },
        accounts: RICH.map(account).to_vec(),
        node_keys: vec![node_key],
        zones: [1, 2, 3, 4].map(zone).to_vec(),
    }
}

impl Network {
    /// A new network.
    pub fn new() -> Network {
        Network::on(&Disk::default())
    }

    /// A network whose book is on this disk.
    pub fn on(disk: &Disk) -> Network {
        Network::of(genesis(), disk)
    }

    /// A network with this genesis.
    pub fn of(genesis: Genesis, disk: &Disk) -> Network {
        let store = BookStore::open(disk.backend(), &genesis, REGISTRY).expect("a book");
        Network::with(genesis, store)
    }

    /// A network with this book.
    pub fn with(genesis: Genesis, store: BookStore) -> Network {
        let routers = [101, 102, 103, 104].map(Router::new).into();
        let chain = genesis.chain();
        Network { genesis, chain, routers, store, history: Vec::new(), nonce: START_MS * 1_000 }
    }

    /// The last anchor.
    pub fn head(&self) -> Head {
        self.store.head().0
    }

    /// The last roots.
    pub fn roots(&self) -> Roots {
        self.store.head().1
    }

    /// Every row of the state.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let snapshot = self.store.snapshot().expect("a snapshot");
        snapshot.after(&[], &[], 1_000_000).expect("rows").into_iter().collect()
    }

    /// Where all money is.
    pub fn supply(&self) -> Supply {
        Supply::read(&self.store.snapshot().expect("a snapshot"))
    }

    /// What an account has.
    pub fn balance(&self, id: AccountId) -> Amount {
        let snapshot = self.store.snapshot().expect("a snapshot");
        let account = ddt_ledger::accounts::Account::read(&snapshot, &id);
        account.map_or(Amount::ZERO, |account| account.balance)
    }

    /// A draft of an event with a fresh nonce, by the owner's first key.
    pub fn draft<E: Declared>(&mut self, who: &Person, event: &E) -> Draft {
        self.nonce += 1;
        Draft {
            version: EVENT_VERSION,
            chain: self.chain,
            author: who.id(),
            key: who.key(),
            role: Role::Owner,
            nonce: self.nonce,
            valid_until: self.head().time.plus(Millis(3_600_000)),
            tag: REGISTRY.row_named(E::NAME).expect("a row").tag,
            body: Bytes::new(encode(event)).expect("a short body"),
        }
    }

    /// A signed event.
    pub fn event<E: Declared>(&mut self, who: &Person, event: &E) -> Vec<u8> {
        let draft = self.draft(who, event);
        who.seal(draft)
    }

    /// An event after its checks.
    pub fn checked(&self, bytes: &[u8]) -> Checked {
        Checked::check(bytes, self.chain, &REGISTRY).expect("a valid event")
    }

    /// The header of the block after `(height, parent, number)` in a zone.
    pub fn header(&self, lane: &Lane, zone: Zone, events: &[Vec<u8>]) -> BlockHeader {
        let ids = events.iter().map(|event| self.checked(event).id().0);
        BlockHeader {
            version: BLOCK_VERSION,
            chain: self.chain,
            zone,
            term: lane.term,
            height: lane.height + 1,
            parent: lane.tip,
            after_anchor: self.head().height,
            first_number: lane.next_number,
            count: u32::try_from(events.len()).expect("few events"),
            events_root: list_root(ids),
            time: self.head().time,
        }
    }

    /// A sealed block: checked, and its bytes.
    pub fn block(&self, header: BlockHeader, events: &[Vec<u8>]) -> (CheckedBlock, Vec<u8>) {
        let router = &self.routers[header.zone.0 as usize - 1].person;
        let events = events.iter().map(|event| self.checked(event)).collect();
        let sign = |id: &Hash| router.sign(id);
        CheckedBlock::seal(header, router.key(), events, sign).expect("a short block")
    }

    /// Who signs the next anchors.
    pub fn validators(&self) -> Validators {
        Validators::read(&self.store.snapshot().expect("a snapshot")).expect("validators")
    }

    /// The lane of a zone.
    pub fn lane(&self, zone: Zone) -> Lane {
        Lane::read(&self.store.snapshot().expect("a snapshot"), zone).expect("a lane")
    }

    /// A span of one block for each batch of events.
    pub fn span(&self, zone: u32, batches: &[Vec<Vec<u8>>]) -> Span {
        let zone = Zone(zone);
        let mut lane = self.lane(zone);
        let mut blocks = Vec::new();
        for events in batches {
            let (block, _) = self.block(self.header(&lane, zone, events), events);
            lane.height += 1;
            lane.tip = block.id();
            lane.next_number += events.len() as u64;
            blocks.push(block);
        }
        Span { zone, blocks }
    }

    /// The body of the next anchor over these spans, `step_ms` after the last one.
    pub fn body(&self, spans: &[Span], step_ms: u64) -> AnchorBody {
        let (head, roots) = self.store.head();
        let height = head.height + 1;
        let tips = spans.iter().filter_map(|span| {
            let last = span.blocks.last()?.header();
            let block = span.blocks.last()?.id();
            Some(Tip { zone: span.zone, term: last.term, height: last.height, block })
        });
        let router = &self.routers[height as usize % self.routers.len()];
        AnchorBody {
            version: ddt_ledger::anchor::ANCHOR_VERSION,
            chain: self.chain,
            height,
            previous: head.anchor,
            statements: self.statements(&[0, 1, 2], step_ms),
            tips: List::new(tips.collect()).expect("few tips"),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: self.validators().after_next.hash(),
            maker: ValidatorAddress::of(&router.person.key()),
            vrf: router.vrf.prove(&head.anchor, height),
        }
    }

    /// Time statements by these routers for the next anchor.
    pub fn statements(&self, by: &[usize], step_ms: u64) -> List<TimeStatement, 100> {
        let head = self.head();
        let time = head.time.plus(Millis(step_ms));
        let digest = TimeStatement::digest(self.chain, head.height + 1, &head.anchor, time);
        let state = |place: &usize| {
            let person = &self.routers[*place].person;
            TimeStatement { key: person.key(), time, signature: person.sign(&digest) }
        };
        let mut statements: Vec<TimeStatement> = by.iter().map(state).collect();
        statements.sort_by_key(|statement| statement.key);
        List::new(statements).expect("few statements")
    }

    /// Whether these would be the next anchor.
    pub fn check(&self, body: &AnchorBody, spans: &[Span]) -> Result<(), AnchorError> {
        let snapshot = self.store.snapshot().expect("a snapshot");
        check_anchor(&snapshot, self.chain, &self.roots(), body, spans, &REGISTRY)
    }

    /// Precommits of the first three routers.
    pub fn certificate(&self, body: &AnchorBody) -> Certificate {
        certificate(self.chain, body, &self.routers.iter().take(3).collect::<Vec<_>>())
    }

    /// Checks, executes and commits an anchor; recounts the money.
    pub fn decide(&mut self, body: AnchorBody, spans: Vec<Span>) -> Executed {
        self.check(&body, &spans).expect("a valid anchor");
        let certificate = self.certificate(&body);
        self.replay(Decided { body, certificate, spans })
    }

    /// Executes and commits an anchor that was decided.
    pub fn replay(&mut self, decided: Decided) -> Executed {
        let snapshot = self.store.snapshot().expect("a snapshot");
        let executed =
            execute(&REGISTRY, &snapshot, &decided.body, &decided.spans).expect("execution");
        let bytes = encode(&decided.body);
        self.store.commit(&executed, &bytes, &decided.certificate).expect("a commit");
        let after = self.store.snapshot().expect("a snapshot");
        assert_eq!(audit(&REGISTRY, &after), Vec::<String>::new(), "the audit");
        self.history.push(decided);
        executed
    }

    /// The next anchor with these events in one block of zone 1.
    pub fn run(&mut self, events: Vec<Vec<u8>>) -> Vec<Receipt> {
        self.run_after(STEP_MS, events)
    }

    /// The same, so much later.
    pub fn run_after(&mut self, step_ms: u64, events: Vec<Vec<u8>>) -> Vec<Receipt> {
        let spans = match events.is_empty() {
            true => Vec::new(),
            false => vec![self.span(1, &[events])],
        };
        let body = self.body(&spans, step_ms);
        self.decide(body, spans).receipts
    }

    /// One event, executed: its outcome.
    pub fn outcome(&mut self, event: Vec<u8>) -> Outcome {
        let receipts = self.run(vec![event]);
        receipts.into_iter().next().expect("a receipt").outcome
    }
}

/// A certificate of these routers' precommits.
pub fn certificate(chain: ChainId, body: &AnchorBody, signers: &[&Router]) -> Certificate {
    certificate_at(chain, body.height, body.id(), signers)
}

/// A certificate of precommits for an anchor at a height.
pub fn certificate_at(
    chain: ChainId,
    height: u64,
    anchor: Hash,
    signers: &[&Router],
) -> Certificate {
    let round = 0;
    let sign = |router: &&Router| {
        let key = router.person.key();
        let voter = ValidatorAddress::of(&key);
        let kind = VoteKind::Precommit;
        let digest = vote_digest(chain, kind, height, round, Some(anchor), voter);
        CertificateSignature { key, signature: router.person.sign(&digest) }
    };
    Certificate { height, round, anchor, signatures: signers.iter().map(sign).collect() }
}

/// The outcomes of an anchor's events, in order.
pub fn outcomes(receipts: &[Receipt]) -> Vec<Outcome> {
    let events = receipts.iter().filter(|receipt| matches!(receipt.subject, Subject::Event(_)));
    events.map(|receipt| receipt.outcome.clone()).collect()
}

/// An outcome that refuses with this code.
pub fn refused(refusal: ddt_ledger::Refusal) -> Outcome {
    Outcome::Refused(refusal.code.to_string())
}

/// A void outcome with this code.
pub fn void(refusal: ddt_ledger::Refusal) -> Outcome {
    Outcome::Void(refusal.code.to_string())
}
