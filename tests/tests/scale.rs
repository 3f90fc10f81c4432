//! The page about scale says what its program prints, and the program starts from sizes that
//! encodings really have and from limits that really stand in the code.
//!
//! `DDT_REGENERATE=1 cargo test -p ddt-tests --test scale` writes the page's tables anew.

#[path = "../examples/scale.rs"]
#[allow(dead_code)]
mod scale;

use std::path::{Path, PathBuf};

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_contracts::zones::{Heartbeat, SignUp};
use ddt_core::agents::due::heartbeat_due;
use ddt_core::availability::{SignedVote, Vote};
use ddt_core::follower::{Decided, TELL_MS};
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, TIPS_MAX, TimeStatement, Tip};
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, VALIDATORS_MAX, ValidatorAddress,
};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{BODY_BYTES_MAX, Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, LaneBlock, SoftReceipt};
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::stamp::Stamp;
use ddt_ledger::table::Rows;
use ddt_ledger::{Amount, ChainId, Hash, Millis, Signature, Zone};
use ddt_tests::network::{Network, Setup};
use ddt_tests::people::Person;
use ddt_tests::vrf::TestVrf;

use scale::constants::{Count, limit, measured, wire};

const CHAIN: ChainId = ChainId(Hash([7; 32]));
const SIGNATURE: Signature = Signature([9; 64]);

fn size(bytes: &[u8]) -> Count {
    bytes.len() as Count
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The page with each of its tables as the program prints it.
fn page_with_tables(page: &str) -> String {
    scale::tables::all().into_iter().fold(page.to_string(), |page, (name, table)| {
        let begin = format!("<!-- scale: {name} -->\n");
        let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once("<!-- scale: end -->").expect("the end of a table");
        format!("{before}{begin}\n{table}\n<!-- scale: end -->{after}")
    })
}

/// Broken by: any constant or formula changed without a look at what the page then says.
#[test]
fn the_page_says_what_the_program_prints() {
    let path = docs().join("scale.md");
    let page = std::fs::read_to_string(&path).expect("docs/scale.md is there");
    let printed = page_with_tables(&page);
    if std::env::var_os("DDT_REGENERATE").is_some() {
        std::fs::write(&path, &printed).expect("docs/scale.md is written");
        return;
    }
    assert!(page == printed, "docs/scale.md is stale: run this test with DDT_REGENERATE=1");
}

fn draft(tag: u16, body: Vec<u8>) -> Draft {
    let who = Person::named("ann");
    Draft {
        version: EVENT_VERSION,
        chain: CHAIN,
        author: who.id(),
        key: who.key(),
        role: Role::Owner,
        nonce: 1,
        valid_until: Millis(1),
        tag,
        body: Bytes::new(body).expect("short"),
    }
}

fn event<E: Declared>(event: &E) -> Vec<u8> {
    let tag = REGISTRY.row_named(E::NAME).expect("a row").tag;
    Person::named("ann").seal(draft(tag, encode(event)))
}

/// Broken by: a field more or less in any of these formats.
#[test]
fn events_and_blocks_have_the_sizes_assumed() {
    let to = Person::named("ben").id();
    let transfer = event(&Transfer { to, amount: Amount::from_apt(1), memo: None });
    Checked::check(&transfer, CHAIN, &REGISTRY).expect("a good event");
    let stamp = Some(Stamp { period: 1, nonce: 1 });
    let empty = Person::named("ann").seal(draft(1, Vec::new()));
    assert_eq!(size(&transfer), wire::TRANSFER);
    assert_eq!(size(&event(&Heartbeat { stamp })), wire::HEARTBEAT);
    assert_eq!(size(&empty), wire::EVENT);
    assert_eq!(BODY_BYTES_MAX as Count, wire::BODY_MAX);

    let header = BlockHeader {
        version: BLOCK_VERSION,
        chain: CHAIN,
        zone: Zone(1),
        term: 1,
        height: 1,
        parent: Hash::ZERO,
        after_anchor: 0,
        first_number: 1,
        count: 2,
        events_root: Hash::ZERO,
        time: Millis(1),
    };
    let events = [&transfer, &transfer].map(|bytes| Bytes::new(bytes.clone()).expect("short"));
    let events = List::new(events.into()).expect("few");
    let block = LaneBlock { header, signature: SIGNATURE, events };
    let events = 2 * (wire::TRANSFER + wire::EVENT_IN_BLOCK);
    assert_eq!(size(&encode(&block)), wire::BLOCK + events);
}

/// Broken by: a field more or less in any of these formats.
#[test]
fn anchors_have_the_sizes_assumed() {
    let key = Person::named("ann").key();
    let statement = TimeStatement { key, time: Millis(1), signature: SIGNATURE };
    let tip = Tip { zone: Zone(1), term: 1, height: 1, block: Hash::ZERO };
    let body = |statements: usize, tips: usize| AnchorBody {
        version: ANCHOR_VERSION,
        chain: CHAIN,
        height: 1,
        previous: Hash::ZERO,
        statements: List::new(vec![statement; statements]).expect("few"),
        tips: List::new(vec![tip; tips]).expect("few"),
        state_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
        next_validators: Hash::ZERO,
        maker: ValidatorAddress::of(&key),
        vrf: TestVrf::named("ann").prove(&Hash::ZERO, 1),
    };
    assert_eq!(size(&encode(&body(0, 0))), wire::BODY);
    assert_eq!(size(&encode(&body(3, 2))), wire::BODY + 3 * wire::STATEMENT + 2 * wire::TIP);

    let signers = vec![CertificateSignature { key, signature: SIGNATURE }; 3];
    let certificate = Certificate { height: 1, round: 0, anchor: Hash::ZERO, signatures: signers };
    assert_eq!(size(&encode(&certificate)), wire::CERTIFICATE + 3 * wire::SIGNER);
    let both = size(&encode(&certificate)) + size(&encode(&body(3, 2)));
    let decided = Decided { body: encode(&body(3, 2)), certificate };
    assert_eq!(size(&encode(&decided)), both + wire::DECIDED);
}

/// News and answers are a version and the places of their kinds, a byte each, then these.
///
/// Broken by: a field more or less in any of these formats.
#[test]
fn news_have_the_sizes_assumed() {
    let key = Person::named("ann").key();
    let vote = Vote { chain: CHAIN, zone: Zone(1), term: 1, height: 1, block: Hash::ZERO };
    let signed = SignedVote { vote, key, signature: SIGNATURE };
    assert_eq!(size(&encode(&(1_u8, 1_u8, signed))), wire::NEWS_VOTE);
    let statement = TimeStatement { key, time: Millis(1), signature: SIGNATURE };
    assert_eq!(size(&encode(&(1_u8, 2_u8, 1_u64, Hash::ZERO, statement))), wire::NEWS_TIME);
    assert_eq!(size(&encode(&(1_u8, 0_u8, 1_u64, Hash::ZERO))), wire::NEWS_COMMITTED);
    let event = Hash::ZERO;
    let receipt = SoftReceipt { chain: CHAIN, event, zone: Zone(1), term: 1, height: 1, number: 1 };
    assert_eq!(size(&encode(&(1_u8, 4_u8, 1_u8, receipt, SIGNATURE))), wire::SEQUENCED);
    // The layouts of consensus, field by field as its `wire.rs` has them.
    let address = ValidatorAddress::of(&key);
    let vote = (1_u8, 0_u8, 0_u8, 1_u64, 0_u32, (Some(Hash::ZERO), address, SIGNATURE));
    assert_eq!(size(&encode(&vote)), wire::CONSENSUS_VOTE);
}

/// Broken by: a parameter or limit that is changed and not told to the program.
#[test]
fn limits_are_those_of_the_code() {
    let params = Params::network();
    let day = 86_400_000;
    let a_day = |every: Millis| Count::from(day / every.0);
    assert_eq!(Count::from(params.zone_seats), limit::SEATS);
    assert_eq!(TIPS_MAX as Count, limit::ZONES);
    assert_eq!(VALIDATORS_MAX as Count, limit::VALIDATORS);
    assert_eq!(a_day(params.anchor_idle_ms), limit::IDLE_ANCHORS);
    assert_eq!(a_day(TELL_MS), limit::HEIGHTS_TOLD);
    assert_eq!(a_day(heartbeat_due(Millis(0), &params)), limit::HEARTBEATS);
    let stamps = Count::from(params.stamp_target) * a_day(params.stamp_period_ms);
    assert_eq!(stamps, limit::STAMPS);
    assert_eq!(Count::from(params.anchor_deadlines_max), limit::DEADLINES);
    let news_rate = format!("news_rate: {},", limit::NEWS_RATE);
    let config = source("node/net/src/config.rs").replace('_', "").replace("newsrate", "news_rate");
    assert!(config.contains(&news_rate), "{news_rate}");
    assert_eq!(limit::LANE_BLOCKS, a_day(Millis(100)));
    assert!(source("docs/spec/lanes.md").contains("at most every 100 ms"));
    let share = format!("NEWCOMER_SHARE: u32 = {};", limit::NEWCOMER_SHARE);
    assert!(source("contracts/src/zones/record.rs").contains(&share), "{share}");
}

/// Broken by: a row more or less for a member, and so memory that the page gets wrong.
#[test]
fn a_member_has_so_many_rows() {
    let (who, node) = (Person::named("ann"), Person::named("node"));
    let accounts = vec![(who.clone(), Amount::from_apt(10))];
    let mut network = Network::start(&Setup { accounts, ..Setup::new() });
    let sign_up = SignUp { zone: Zone(1), node_key: Some(node.key()), stamp: None };
    let now = network.head().time;
    let tag = REGISTRY.row_named(SignUp::NAME).expect("a row").tag;
    let (nonce, valid_until) = (now.0 * 1_000, now.plus(Millis(60_000)));
    let draft =
        Draft { chain: network.chain(), nonce, valid_until, ..draft(tag, encode(&sign_up)) };
    let event = Checked::check(&who.seal(draft), network.chain(), &REGISTRY).expect("an event");
    network.anchor(Millis(1_000), &[(Zone(1), vec![event])]).expect("an anchor");
    network.anchor(Millis(1_000), &[]).expect("an anchor");
    let id = who.id().0;
    let is_its_own = |bytes: &[u8]| bytes.windows(id.len()).any(|part| part == id);
    let snapshot = network.snapshot();
    let rows = (1..=1_024_u16).flat_map(|table| {
        let prefix = table.to_be_bytes();
        snapshot.rows_after(&prefix, &[], 1_000)
    });
    let own = rows.filter(|(key, value)| is_its_own(key) || is_its_own(value)).count();
    assert_eq!(own as Count, limit::MEMBER_ROWS);
}

/// Broken by: figures measured anew. Change them in `constants.rs`, and look at the page.
#[test]
fn figures_are_those_of_the_page_about_performance() {
    let page = source("docs/operate/performance.md");
    let thousands = |number: Count| format!("{},{:03}", number / 1_000, number % 1_000);
    let tenths = |ms: Count| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    let megabytes = |bytes: Count| bytes / 1_000_000;
    let figures = [
        format!("| {} |", thousands(measured::EVENTS_PER_SECOND)),
        format!("| {} |", thousands(measured::BATCHED_PER_SECOND)),
        format!("verified alone, {} µs", measured::ALONE_US),
        format!(
            "| 1,000,000 | {} | {} | {} MB |",
            thousands(measured::STORE_PER_EVENT),
            tenths(measured::OPEN_MS_1M),
            megabytes(measured::MEMORY_1M)
        ),
        format!("{} | {} MB |", tenths(measured::OPEN_MS_5M), {
            thousands(megabytes(measured::MEMORY_5M))
        }),
    ];
    for figure in figures {
        assert!(page.contains(&figure), "docs/operate/performance.md does not say {figure:?}");
    }
}

/// What the formulas say of the least and the largest network: more members never cost less.
///
/// Broken by: a subtraction the wrong way round, a limit that is forgotten.
#[test]
fn costs_grow_with_members() {
    use scale::constants::BASE;
    use scale::formulas::Network;
    use scale::nodes::{KINDS, cost};
    for (kind, name) in KINDS {
        let costs = (0..=9).map(|power| cost(&Network::new(10_u128.pow(power), BASE), kind));
        let costs: Vec<_> = costs.collect();
        let grows = costs.is_sorted_by_key(|cost| (cost.bytes_in, cost.bytes_out))
            && costs.is_sorted_by_key(|cost| cost.verified)
            && costs.is_sorted_by_key(|cost| cost.disk);
        assert!(grows, "{name}: {costs:?}");
    }
}
