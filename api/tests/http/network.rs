//! A network of one router in this process: real stores, real certificates, anchors made
//! whenever a test wants one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ddt_api::{Backend, Limits, NodeStatus, Stage, SubmitError, Submitted, Wait};
use ddt_ledger::anchor::{AnchorBody, Span, TimeStatement, Tip};
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, Role};
use ddt_ledger::genesis::{Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::lane::{BlockHeader, CheckedBlock, SoftReceipt};
use ddt_ledger::merkle::list_root;
use ddt_ledger::params::Params;
use ddt_ledger::receipt::Receipt;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::store::{Backend as Disk, BookStore, LaneStore};
use ddt_ledger::system::{Lane, Validators};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};
use redb::backends::InMemoryBackend;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::programmes::REGISTRY;

/// When the network starts.
pub const START: u64 = 1_700_000_000_000;
const ZONE: Zone = Zone(7);

/// What the node answers to submissions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    Stalled,
    Busy,
    Crowded,
    Failing,
}

/// The network and its one node.
pub struct Network {
    pub genesis: Genesis,
    book: BookStore,
    lanes: LaneStore,
    router: SigningKey,
    vrf: VrfKey,
    queue: Mutex<Vec<Checked>>,
    pending: Mutex<Option<Submitted>>,
    commits: broadcast::Sender<u64>,
    nonce: AtomicU64,
    pub mood: Mutex<Mood>,
    pub status: Mutex<Option<NodeStatus>>,
    reveals: Mutex<Vec<Json>>,
}

/// A test wallet's key.
pub fn wallet(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A key's public half.
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

/// The account of a test wallet.
pub fn account(seed: u8) -> AccountId {
    AccountId::of(&public_key(&wallet(seed)))
}

fn sign(key: &SigningKey, digest: &Hash) -> Signature {
    Signature(key.sign(&digest.0).to_bytes())
}

fn genesis(router: &SigningKey, vrf: &VrfKey) -> Genesis {
    let rich =
        |seed| GenesisAccount { key: public_key(&wallet(seed)), balance: Amount::from_apt(1_000) };
    Genesis {
        version: ddt_ledger::genesis::GENESIS_VERSION,
        name: "test".to_string(),
        time_ms: Millis(START),
        pool: Amount::from_apt(50),
        params: Params {
            epoch_ms: Millis(5_000),
            clock_step_ms_max: Millis(5_000),
            ..Params::dev()
        },
        accounts: vec![rich(1), rich(2)],
        node_keys: vec![GenesisNodeKey {
            account: account(1),
            key: public_key(&wallet(9)),
            allowance: Amount::from_apt(1),
        }],
        zones: vec![GenesisZone {
            zone: ZONE,
            router: account(2),
            key: public_key(router),
            vrf_key: vrf.public(),
            bond: Amount::from_apt(10_000),
        }],
    }
}

impl Network {
    /// A network at genesis.
    pub fn new() -> Arc<Network> {
        let router = SigningKey::from_bytes(&[200; 32]);
        let vrf = VrfKey::from_seed(&[201; 32]).unwrap();
        let genesis = genesis(&router, &vrf);
        let disk = || Disk::Custom(Box::new(InMemoryBackend::new()));
        let book = BookStore::open(disk(), &genesis, REGISTRY).unwrap();
        let lanes = LaneStore::open(disk(), genesis.chain()).unwrap();
        Arc::new(Network {
            genesis,
            book,
            lanes,
            router,
            vrf,
            queue: Mutex::default(),
            pending: Mutex::default(),
            commits: broadcast::channel(16).0,
            nonce: AtomicU64::new(START * 1_000),
            mood: Mutex::new(Mood::Well),
            status: Mutex::new(Some(NodeStatus { is_ready: true, ..NodeStatus::default() })),
            reveals: Mutex::default(),
        })
    }

    /// A signed event of a test wallet.
    pub fn event(&self, author: u8, (tag, body): (u16, Vec<u8>)) -> Vec<u8> {
        let key = wallet(author);
        let draft = Draft {
            version: 1,
            chain: self.genesis.chain(),
            author: account(author),
            key: public_key(&key),
            role: Role::Owner,
            nonce: self.nonce.fetch_add(1, Ordering::Relaxed),
            valid_until: Millis(START + 3_600_000),
            tag,
            body: Bytes::new(body).unwrap(),
        };
        let digest = draft.digest();
        encode(&draft.signed(sign(&key, &digest)))
    }

    /// Queues an event; answers its id.
    pub fn enqueue(&self, bytes: &[u8]) -> Hash {
        let event = Checked::check(bytes, self.genesis.chain(), &REGISTRY).unwrap();
        let id = event.id();
        self.queue.lock().unwrap().push(event);
        id
    }

    /// Makes, executes and commits one anchor with everything queued, one second later.
    pub fn commit(&self) -> u64 {
        let (head, roots) = self.book.head();
        let height = head.height + 1;
        let spans: Vec<Span> = self.block(height).into_iter().collect();
        let tip = |span: &Span| {
            let block = span.blocks.last().unwrap();
            let header = block.header();
            Tip { zone: ZONE, term: header.term, height: header.height, block: block.id() }
        };
        let chain = self.genesis.chain();
        let time = head.time.plus(Millis(1_000));
        let digest = TimeStatement::digest(chain, height, &head.anchor, time);
        let key = public_key(&self.router);
        let statement = TimeStatement { key, time, signature: sign(&self.router, &digest) };
        let snapshot = self.book.snapshot().unwrap();
        let body = AnchorBody {
            version: 1,
            chain,
            height,
            previous: head.anchor,
            statements: List::new(vec![statement]).unwrap(),
            tips: List::new(spans.iter().map(tip).collect()).unwrap(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: Validators::read(&snapshot).unwrap().after_next.hash(),
            maker: ValidatorAddress::of(&key),
            vrf: self.vrf.prove(&head.anchor, height),
        };
        let executed = ddt_ledger::execute::execute(&REGISTRY, &snapshot, &body, &spans).unwrap();
        self.book.commit(&executed, &encode(&body), &self.certificate(&body)).unwrap();
        let _ = self.commits.send(height);
        height
    }

    fn certificate(&self, body: &AnchorBody) -> Certificate {
        let (key, anchor) = (public_key(&self.router), body.id());
        let (kind, voter) = (VoteKind::Precommit, ValidatorAddress::of(&key));
        let digest = vote_digest(body.chain, kind, body.height, 0, Some(anchor), voter);
        let vote = CertificateSignature { key, signature: sign(&self.router, &digest) };
        Certificate { height: body.height, round: 0, anchor, signatures: vec![vote] }
    }

    fn block(&self, height: u64) -> Option<Span> {
        let events = std::mem::take(&mut *self.queue.lock().unwrap());
        if events.is_empty() {
            return None;
        }
        let lane = Lane::read(&self.book.snapshot().unwrap(), ZONE).unwrap();
        let header = BlockHeader {
            version: 1,
            chain: self.genesis.chain(),
            zone: ZONE,
            term: lane.term,
            height: lane.height + 1,
            parent: lane.tip,
            after_anchor: height - 1,
            first_number: lane.next_number,
            count: u32::try_from(events.len()).unwrap(),
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: Millis(START),
        };
        let (term, place) = (header.term, header.height);
        let key = public_key(&self.router);
        let sealed = CheckedBlock::seal(header, key, events, |id| sign(&self.router, id));
        let (block, bytes) = sealed.unwrap();
        self.lanes.put_block(ZONE, term, place, &bytes).unwrap();
        Some(Span { zone: ZONE, blocks: vec![block] })
    }

    /// Anchors with one payment each.
    pub fn pay_in_anchors(&self, count: u64) {
        for _ in 0..count {
            self.enqueue(&self.event(1, crate::programmes::pay(account(3), "1.5")));
            self.commit();
        }
    }

    fn receipt(&self, event: &Hash) -> Option<Receipt> {
        let snapshot = self.book.snapshot().unwrap();
        let place = snapshot.event_place(event).unwrap()?;
        snapshot.receipt(place).unwrap()
    }

    /// Serves the public listener.
    pub async fn serve(self: &Arc<Self>, limits: Limits) -> String {
        let router = ddt_api::public(self.clone(), limits.clone());
        run(router, limits).await
    }

    /// Serves the private listener.
    pub async fn serve_private(self: &Arc<Self>, token: &str) -> String {
        run(ddt_api::private(self.clone(), token), Limits::default()).await
    }
}

async fn run(router: axum::Router, limits: Limits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(ddt_api::serve(listener, router, limits, std::future::pending()));
    address.to_string()
}

#[async_trait]
impl Backend for Network {
    fn book(&self) -> &BookStore {
        &self.book
    }

    fn lanes(&self) -> &LaneStore {
        &self.lanes
    }

    async fn submit(&self, bytes: Vec<u8>, wait: Option<Wait>) -> Result<Submitted, SubmitError> {
        let checked = Checked::check(&bytes, self.genesis.chain(), &REGISTRY);
        let event = checked.map_err(SubmitError::Refused)?.id();
        let accepted =
            Submitted { event, stage: Stage::Accepted, soft_receipt: None, receipt: None };
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => {}
            Mood::Stalled => return Err(SubmitError::Timeout(Box::new(accepted))),
            Mood::Busy => return Err(SubmitError::Busy("The mempool is full.".to_string())),
            Mood::Crowded => return Err(SubmitError::TooMany { retry_after_s: 3 }),
            Mood::Failing => return Err(SubmitError::Fault("/secret/path is full".to_string())),
        }
        self.enqueue(&bytes);
        let Some(wait) = wait else { return Ok(accepted) };
        let (chain, zone) = (self.genesis.chain(), ZONE);
        let soft = SoftReceipt { chain, event, zone, term: 1, height: 1, number: 1 };
        let signature = sign(&self.router, &soft.digest());
        let sequenced = Submitted {
            stage: Stage::Sequenced,
            soft_receipt: Some((soft, signature)),
            ..accepted
        };
        if wait.stage == Stage::Sequenced {
            *self.pending.lock().unwrap() = Some(sequenced.clone());
            return Ok(sequenced);
        }
        self.commit();
        if wait.stage == Stage::Proven {
            self.commit();
        }
        Ok(Submitted { stage: wait.stage, receipt: self.receipt(&event), ..sequenced })
    }

    fn pending(&self, event: &Hash) -> Option<Submitted> {
        self.pending.lock().unwrap().clone().filter(|pending| pending.event == *event)
    }

    fn anchors(&self) -> broadcast::Receiver<u64> {
        self.commits.subscribe()
    }

    fn status(&self) -> NodeStatus {
        let status = self.status.lock().unwrap().clone();
        status.expect("a handler's own bug")
    }

    fn now(&self) -> Millis {
        self.book.head().0.time
    }

    async fn reveal(&self, preimage: Json) -> Result<Json, SubmitError> {
        if preimage.get("name").is_none() {
            let words = "Which name?".to_string();
            return Err(SubmitError::Field { field: "name".to_string(), words });
        }
        self.reveals.lock().unwrap().push(preimage);
        Ok(json!({"task": 1}))
    }

    async fn reveals(&self) -> Result<Vec<Json>, SubmitError> {
        Ok(self.reveals.lock().unwrap().clone())
    }
}
