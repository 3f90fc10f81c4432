//! An anchor over random payments, stage by stage and without a disk:
//! `cargo bench -p ddt-contracts`.

use std::sync::OnceLock;

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, Span, TimeStatement, Tip};
use ddt_ledger::certificate::ValidatorAddress;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::execute::execute;
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisZone};
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::state::MemoryState;
use ddt_ledger::system::Lane;
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, ChainId, Hash, Millis, PublicKey, Signature, Zone};
use divan::Bencher;
use divan::counter::ItemsCount;
use ed25519_dalek::{Signer, SigningKey};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNTS: usize = 100_000;
const EVENTS: usize = 10_000;
const TIME: Millis = Millis(1_700_000_000_000);

fn main() {
    divan::main();
}

fn seeded(context: &str, index: usize) -> [u8; 32] {
    blake3::derive_key(context, &index.to_le_bytes())
}

fn person(index: usize) -> SigningKey {
    SigningKey::from_bytes(&seeded("ddt v1 bench account", index))
}

fn anybody(context: &str, index: usize) -> SigningKey {
    let [a, b, c, d, ..] = seeded(context, index);
    person(u32::from_le_bytes([a, b, c, d]) as usize % ACCOUNTS)
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn sign(key: &SigningKey, digest: &Hash) -> Signature {
    Signature(key.sign(&digest.0).to_bytes())
}

/// A block of payments, the anchor over it, and the state before.
struct Case {
    chain: ChainId,
    state: MemoryState,
    router: PublicKey,
    bytes: Vec<u8>,
    body: AnchorBody,
    spans: [Span; 1],
}

fn payment(chain: ChainId, index: usize) -> Option<Checked> {
    let from = anybody("ddt v1 bench from", index);
    let to = AccountId::of(&public(&anybody("ddt v1 bench to", index)));
    let transfer = Transfer { to, amount: Amount::from_units(1)?, memo: None };
    let draft = Draft {
        version: EVENT_VERSION,
        chain,
        author: AccountId::of(&public(&from)),
        key: public(&from),
        role: Role::Owner,
        nonce: TIME.0 * 1_000 + index as u64,
        valid_until: TIME.plus(Millis(3_600_000)),
        tag: REGISTRY.row_named(Transfer::NAME)?.tag,
        body: Bytes::new(encode(&transfer))?,
    };
    let signature = sign(&from, &draft.digest());
    Checked::check(&encode(&draft.signed(signature)), chain, &REGISTRY).ok()
}

fn case() -> &'static Case {
    static CASE: OnceLock<Option<Case>> = OnceLock::new();
    CASE.get_or_init(make).as_ref().expect("a case")
}

fn make() -> Option<Case> {
    let router = SigningKey::from_bytes(&seeded("ddt v1 bench router", 0));
    let vrf = VrfKey::from_seed(&seeded("ddt v1 bench vrf", 0))?;
    let (zone, key) = (Zone(0), public(&router));
    let (vrf_key, bond) = (vrf.public(), Params::network().router_bond_min());
    let account = |index| GenesisAccount {
        key: public(&person(index)),
        balance: Amount::from_apt(1_000_000),
    };
    let genesis = Genesis {
        version: GENESIS_VERSION,
        name: "bench".to_string(),
        time_ms: TIME,
        pool: Amount::ZERO,
        params: Params::network(),
        zones: vec![GenesisZone { zone, router: AccountId::of(&key), key, vrf_key, bond }],
        accounts: (0..ACCOUNTS).map(account).collect(),
        node_keys: Vec::new(),
    };
    let start = genesis.state().ok()?;
    let (chain, lane) =
        (start.chain, Lane::read(&ddt_ledger::state::Overlay::new(&start.rows), zone)?);
    let events: Vec<Checked> = (0..EVENTS).map(|at| payment(chain, at)).collect::<Option<_>>()?;
    let header = BlockHeader {
        version: BLOCK_VERSION,
        chain,
        zone,
        term: lane.term,
        height: 1,
        parent: lane.tip,
        after_anchor: 0,
        first_number: lane.next_number,
        count: u32::try_from(events.len()).ok()?,
        events_root: list_root(events.iter().map(|event| event.id().0)),
        time: TIME,
    };
    let (block, bytes) = CheckedBlock::seal(header, key, events, |digest| sign(&router, digest))?;
    let digest = TimeStatement::digest(chain, 1, &chain.0, TIME);
    let statement = TimeStatement { key, time: TIME, signature: sign(&router, &digest) };
    let tip = Tip { zone, term: lane.term, height: 1, block: block.id() };
    let body = AnchorBody {
        version: ANCHOR_VERSION,
        chain,
        height: 1,
        previous: chain.0,
        statements: List::new(vec![statement])?,
        tips: List::new(vec![tip])?,
        state_root: start.roots.state,
        receipts_root: start.roots.receipts,
        next_validators: start.validators.hash(),
        maker: ValidatorAddress::of(&key),
        vrf: vrf.prove(&chain.0, 1),
    };
    let spans = [Span { zone, blocks: vec![block] }];
    Some(Case { chain, state: start.rows, router: key, bytes, body, spans })
}

/// All cores: bytes, signatures, ids and the root of a block.
#[divan::bench(sample_count = 20)]
fn check_a_block(bencher: Bencher) {
    let case = case();
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        CheckedBlock::check(&case.bytes, case.chain, &case.router, &REGISTRY).is_ok()
    });
}

/// One core: every event of the block, and the receipts' root.
#[divan::bench(sample_count = 20)]
fn execute_an_anchor(bencher: Bencher) {
    let case = case();
    bencher
        .counter(ItemsCount::new(EVENTS))
        .bench_local(|| execute(&REGISTRY, &case.state, &case.body, &case.spans).is_ok());
}
