//! `ddt bench ledger`: random transfers through the ledger's whole path, stage by stage,
//! against what verifying their signatures alone would allow on this machine.

use std::time::{Duration, Instant};

use clap::Args;
use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, Span, TimeStatement, Tip, check_anchor};
use ddt_ledger::certificate::{Certificate, ValidatorAddress};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::execute::execute;
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisZone};
use ddt_ledger::key::all_verify;
use ddt_ledger::lane::{BLOCK_EVENTS_MAX, BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::params::Params;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::store::{Backend, BookStore};
use ddt_ledger::system::{Lane, Validators};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};
use rayon::prelude::*;
use serde_json::json;

use crate::cli::Output;
use crate::failure::Failure;

const BATCH: usize = 1_024;
const ZONE: Zone = Zone(0);

/// Measure transfers through the ledger's whole path.
#[derive(Args)]
pub struct LedgerArgs {
    /// Accounts that pay each other at random
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Transfers in all
    #[arg(long, default_value_t = 50_000)]
    events: usize,
    /// Transfers of one anchor, at most 16384
    #[arg(long, default_value_t = 10_000)]
    per_anchor: usize,
    /// Folder for the store; a temporary one without it
    #[arg(long)]
    state: Option<std::path::PathBuf>,
}

/// Time spent in each stage.
#[derive(Default)]
struct Stages {
    check: Duration,
    agree: Duration,
    execute: Duration,
    commit: Duration,
}

/// `ddt bench ledger`.
pub fn run(args: &LedgerArgs, output: &Output) -> Result<(), Failure> {
    if args.accounts < 2 || args.events == 0 || !(1..=BLOCK_EVENTS_MAX).contains(&args.per_anchor) {
        return Err(Failure::usage("want 2 accounts, 1 event, and 1 to 16384 events an anchor"));
    }
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    output.note(format!("Making {} accounts, signing {} transfers…", args.accounts, args.events));
    let bench = Bench::new(args, folder)?;
    let events = bench.sign(args);
    let limit = verification_limit(&events);
    let mut stages = Stages::default();
    for batch in events.chunks(args.per_anchor) {
        bench.anchor(batch, &mut stages)?;
    }
    report(args, &stages, limit, folder, output);
    Ok(())
}

/// Signatures per second that this machine verifies in batches on all cores.
fn verification_limit(events: &[Checked]) -> f64 {
    let items: Vec<(PublicKey, Hash, Signature)> = events
        .iter()
        .filter_map(|event| {
            let signed = ddt_ledger::event::Signed::decode(event.bytes()).ok()?;
            Some((signed.draft.key, signed.draft.digest(), signed.signature))
        })
        .collect();
    let start = Instant::now();
    let good = items.par_chunks(BATCH).all(all_verify);
    let seconds = start.elapsed().as_secs_f64();
    if good { items.len() as f64 / seconds } else { f64::NAN }
}

struct Bench {
    keys: Vec<SigningKey>,
    router: SigningKey,
    vrf: VrfKey,
    book: BookStore,
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn sign(key: &SigningKey, digest: &Hash) -> Signature {
    Signature(key.sign(&digest.0).to_bytes())
}

fn seeded(context: &'static str, index: usize) -> [u8; 32] {
    blake3::derive_key(context, &index.to_le_bytes())
}

impl Bench {
    fn new(args: &LedgerArgs, folder: &std::path::Path) -> Result<Bench, Failure> {
        let keys: Vec<SigningKey> = (0..args.accounts)
            .into_par_iter()
            .map(|index| SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench account", index)))
            .collect();
        let router = SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench router", 0));
        let vrf = VrfKey::from_seed(&seeded("ddt v1 UNSAFE bench vrf", 0));
        let vrf = vrf.ok_or_else(|| Failure::fault("no VRF key"))?;
        let balance = Amount::from_apt(1_000_000);
        let accounts: Vec<GenesisAccount> =
            keys.par_iter().map(|key| GenesisAccount { key: public(key), balance }).collect();
        let genesis = Genesis {
            version: GENESIS_VERSION,
            name: "bench".to_string(),
            time_ms: crate::router::now(),
            pool: Amount::ZERO,
            params: Params::network(),
            zones: vec![GenesisZone {
                zone: ZONE,
                router: AccountId::of(&public(&router)),
                key: public(&router),
                vrf_key: vrf.public(),
            }],
            accounts,
            node_keys: Vec::new(),
        };
        let file = Backend::File(folder.join("bench-book.redb"));
        let book = BookStore::open(file, &genesis, REGISTRY)?;
        Ok(Bench { keys, router, vrf, book })
    }

    /// Transfers between random accounts, checked as a router checks what arrives.
    fn sign(&self, args: &LedgerArgs) -> Vec<Checked> {
        let chain = self.book.chain();
        let time = crate::router::now();
        let row = REGISTRY.row_named("bank.transfer").map_or(0, |row| row.tag);
        let pick = |index: usize, salt: &'static str| {
            let [a, b, c, d, ..] = seeded(salt, index);
            u32::from_le_bytes([a, b, c, d]) as usize % self.keys.len()
        };
        (0..args.events)
            .into_par_iter()
            .filter_map(|index| {
                let from = &self.keys[pick(index, "from")];
                let to = AccountId::of(&public(&self.keys[pick(index, "to")]));
                let amount = Amount::from_units(1 + index as u128)?;
                let body = Transfer { to, amount, memo: None };
                let draft = Draft {
                    version: EVENT_VERSION,
                    chain,
                    author: AccountId::of(&public(from)),
                    key: public(from),
                    role: Role::Owner,
                    nonce: time.0 * 1_000 + index as u64,
                    valid_until: time.plus(Millis(3_600_000)),
                    tag: row,
                    body: Bytes::new(encode(&body))?,
                };
                let signature = sign(from, &draft.digest());
                Checked::check(&encode(&draft.signed(signature)), chain, &REGISTRY).ok()
            })
            .collect()
    }

    /// One anchor, as `ddt dev` makes them, with the block checked as a follower checks it.
    fn anchor(&self, events: &[Checked], stages: &mut Stages) -> Result<(), Failure> {
        let snapshot = self.book.snapshot()?;
        let lane = Lane::read(&snapshot, ZONE).ok_or_else(|| Failure::fault("no lane"))?;
        let (bytes, block_id) = self.seal(&lane, events)?;
        let (chain, key) = (self.book.chain(), public(&self.router));
        let start = Instant::now();
        let block = CheckedBlock::check(&bytes, chain, &key, &REGISTRY);
        let block = block.map_err(|error| Failure::fault(error.to_string()))?;
        stages.check += start.elapsed();
        let body = self.body(&snapshot, &lane, block_id)?;
        let spans = [Span { zone: ZONE, blocks: vec![block] }];
        let start = Instant::now();
        let (_, roots) = self.book.head();
        check_anchor(&snapshot, chain, &roots, &body, &spans, &REGISTRY)
            .map_err(|error| Failure::fault(error.to_string()))?;
        stages.agree += start.elapsed();
        let start = Instant::now();
        let executed = execute(&REGISTRY, &snapshot, &body, &spans)
            .map_err(|error| Failure::fault(error.to_string()))?;
        stages.execute += start.elapsed();
        let certificate =
            Certificate { height: body.height, round: 0, anchor: body.id(), signatures: vec![] };
        let start = Instant::now();
        self.book.commit(&executed, &encode(&body), &certificate)?;
        stages.commit += start.elapsed();
        Ok(())
    }

    fn seal(&self, lane: &Lane, events: &[Checked]) -> Result<(Vec<u8>, Hash), Failure> {
        let header = BlockHeader {
            version: BLOCK_VERSION,
            chain: self.book.chain(),
            zone: ZONE,
            term: lane.term,
            height: lane.height + 1,
            parent: lane.tip,
            after_anchor: self.book.head().0.height,
            first_number: lane.next_number,
            count: u32::try_from(events.len()).unwrap_or(u32::MAX),
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: crate::router::now(),
        };
        let router = |digest: &Hash| sign(&self.router, digest);
        let sealed = CheckedBlock::seal(header, public(&self.router), events.to_vec(), router);
        let too_large = || Failure::usage("the events do not fit a block: lower --per-anchor");
        sealed.map(|(block, bytes)| (bytes, block.id())).ok_or_else(too_large)
    }

    fn body(
        &self,
        snapshot: &ddt_ledger::store::Snapshot,
        lane: &Lane,
        block: Hash,
    ) -> Result<AnchorBody, Failure> {
        let (head, roots) = self.book.head();
        let validators =
            Validators::read(snapshot).ok_or_else(|| Failure::fault("no validators"))?;
        let (height, time, chain) = (head.height + 1, crate::router::now(), self.book.chain());
        let digest = TimeStatement::digest(chain, height, &head.anchor, time);
        let key = public(&self.router);
        let statement = TimeStatement { key, time, signature: sign(&self.router, &digest) };
        let tip = Tip { zone: ZONE, term: lane.term, height: lane.height + 1, block };
        Ok(AnchorBody {
            version: ANCHOR_VERSION,
            chain,
            height,
            previous: head.anchor,
            statements: List::new(vec![statement]).unwrap_or_default(),
            tips: List::new(vec![tip]).unwrap_or_default(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: validators.after_next.hash(),
            maker: ValidatorAddress::of(&key),
            vrf: self.vrf.prove(&head.anchor, height),
        })
    }
}

fn report(
    args: &LedgerArgs,
    stages: &Stages,
    limit: f64,
    folder: &std::path::Path,
    output: &Output,
) {
    let total = stages.check + stages.agree + stages.execute + stages.commit;
    let rate = args.events as f64 / total.as_secs_f64();
    let share = |stage: Duration| stage.as_secs_f64() / total.as_secs_f64();
    let list = [
        ("check the block and its signatures", stages.check),
        ("check the anchor", stages.agree),
        ("execute", stages.execute),
        ("state root, rows, receipts, indexes, sync", stages.commit),
    ];
    let words: String = list
        .iter()
        .map(|(name, time)| format!("  {:>5.1} %  {name}\n", share(*time) * 100.0))
        .collect();
    let file = folder.join("bench-book.redb");
    let stored = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let words = format!(
        "{rate:.0} transfers a second through the whole path, one stage after the other\n{words}\
         {limit:.0} signatures a second on all cores is the limit: ratio {:.3}\n\
         {} accounts, {} transfers, {} an anchor; {} bytes of store",
        rate / limit,
        args.accounts,
        args.events,
        args.per_anchor,
        stored
    );
    let data = json!({
        "events_per_second": rate,
        "verification_limit_per_second": limit,
        "ratio_to_verification_limit": rate / limit,
        "accounts": args.accounts,
        "events": args.events,
        "per_anchor": args.per_anchor,
        "store_bytes": stored,
        "stages": {
            "check": share(stages.check),
            "agree": share(stages.agree),
            "execute": share(stages.execute),
            "commit": share(stages.commit),
        },
    });
    output.result(data, words);
}
