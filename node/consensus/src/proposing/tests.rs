//! What the loop does with bodies, without an engine behind it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_malachitebft_engine::host::SyncedValueOutcome;
use ddt_ledger::certificate::{Certificate, Validator, ValidatorAddress, ValidatorSet};
use ddt_ledger::{ChainId, PublicKey, Signature, Zone};
use ed25519_dalek::SigningKey;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::application::{Application, BoxFuture};
use crate::config::Timeouts;
use crate::engine_loop::Desk;
use crate::error::Fault;
use crate::signing::Hand;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const OWN: u8 = 0;

fn key(index: u8) -> SigningKey {
    SigningKey::from_bytes(&[index + 1; 32])
}

fn address(index: u8) -> Address {
    Address(ValidatorAddress::of(&PublicKey(key(index).verifying_key().to_bytes())))
}

/// Judges bodies by their first letter: v(alid), m(issing until blocks arrive), else invalid.
#[derive(Default)]
struct Stub {
    kept: Mutex<Vec<StoredProposal>>,
    blocks_are_here: AtomicBool,
}

impl Application for Stub {
    fn committed_height(&self) -> u64 {
        6
    }

    fn validators(&self, _: u64) -> Result<ValidatorSet, Fault> {
        let validator = |index| {
            let key = PublicKey(key(index).verifying_key().to_bytes());
            Validator { zone: Zone(index.into()), key, vrf_key: key }
        };
        Ok(ValidatorSet((0..4).map(validator).collect()))
    }

    fn propose(&self, _: u64, _: u32) -> Result<Vec<u8>, Fault> {
        Ok(format!("v own {}", self.kept.lock().unwrap().len()).into_bytes())
    }

    fn check(&self, height: u64, body: &[u8]) -> Verdict {
        assert_eq!(height, 7, "only the next height can be judged");
        match body.first() {
            Some(b'v') => Verdict::Valid,
            Some(b'm') if self.blocks_are_here.load(Ordering::SeqCst) => Verdict::Valid,
            Some(b'm') => Verdict::Missing,
            _ => Verdict::Invalid("by its letter".into()),
        }
    }

    fn save_proposal(&self, proposal: &StoredProposal) -> Result<(), Fault> {
        self.kept.lock().unwrap().push(proposal.clone());
        Ok(())
    }

    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, Fault> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.iter().filter(|kept| kept.height == height).cloned().collect())
    }

    fn decided(&self, _: &[u8], _: &Certificate) -> Result<(), Fault> {
        Ok(())
    }

    fn double_voted(&self, _: &[crate::DoubleVote]) -> Result<(), Fault> {
        Ok(())
    }

    fn decided_value(&self, height: u64) -> Result<Option<(Vec<u8>, Certificate)>, Fault> {
        let anchor = Hash([9; 32]);
        let certificate = Certificate { height, round: 0, anchor, signatures: Vec::new() };
        Ok(Some((vec![b'v'; BODY_BYTES_MAX], certificate)))
    }

    fn history_min_height(&self) -> u64 {
        1
    }

    fn wait_for_work(&self, _: u64) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

struct Bench {
    app: Arc<Stub>,
    engine_loop: EngineLoop,
    mesh: mpsc::Receiver<NetworkMsg<Ddt>>,
}

impl Bench {
    /// A loop at height 7, round 1.
    async fn new() -> Bench {
        let (sender, mesh) = mpsc::channel(10);
        let app = Arc::new(Stub::default());
        let desk = Desk(Arc::clone(&app) as Arc<dyn Application>);
        let (hand, timeouts) = (Hand::new(CHAIN, key(OWN)), Timeouts::default().into());
        let mut engine_loop = EngineLoop::new(desk, CHAIN, hand, address(OWN), timeouts, sender);
        engine_loop.begin(7).await.unwrap();
        engine_loop.started_round(7, 1).await.unwrap();
        Bench { app, engine_loop, mesh }
    }

    async fn receive(&mut self, part: Part) -> Option<bool> {
        let verdict = self.engine_loop.received_part(Some(part)).await.unwrap();
        verdict.map(|value| value.validity.is_valid())
    }

    async fn offered(&mut self, height: u64, round: u32) -> Vec<Hash> {
        let offered = self.engine_loop.started_round(height, round).await.unwrap();
        offered.iter().map(|value| value.value.0).collect()
    }

    fn kept(&self) -> usize {
        self.app.kept.lock().unwrap().len()
    }

    async fn sent(&mut self) -> (Bytes, Part) {
        let NetworkMsg::PublishProposalPart(message) = self.mesh.recv().await.unwrap();
        (message.stream_id.to_bytes(), message.content.into_data().unwrap())
    }
}

fn turn(height: u64, round: u32) -> u8 {
    ((height + u64::from(round)) % 4) as u8
}

fn signed(chain: ChainId, by: u8, height: u64, round: u32, body: &str) -> Part {
    let proposer = address(by);
    let body = Arc::new(body.as_bytes().to_vec());
    let signature = Hand::new(chain, key(by)).sign_part(height, round, proposer, &body);
    Part { height: Height(height), round, proposer, body, signature }
}

fn part(height: u64, round: u32, body: &str) -> Part {
    signed(CHAIN, turn(height, round), height, round, body)
}

/// Breaks when a body is told before it is kept, told twice, or an invalid one answered with
/// silence.
#[tokio::test]
async fn bodies_are_judged_and_kept_once() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.receive(part(7, 1, "v")).await, Some(true));
    assert_eq!(bench.kept(), 1);
    assert_eq!(bench.receive(part(7, 1, "v")).await, None);
    assert_eq!(bench.kept(), 1);
    assert_eq!(bench.receive(part(7, 2, "bad")).await, Some(false));
    assert_eq!(bench.kept(), 1, "an invalid body is not worth a write");
    assert!(bench.offered(7, 2).await.is_empty(), "all verdicts are told already");
}

/// Breaks when anybody but the proposer of that height, round and chain is believed.
#[tokio::test]
async fn only_the_proposer_is_believed() {
    let mut bench = Bench::new().await;
    let mut forged = part(7, 1, "v");
    forged.signature = Signature([0; 64]);
    let mut other_body = part(7, 1, "v");
    other_body.body = Arc::new(b"v other".to_vec());
    let mut other_round = part(7, 1, "v");
    other_round.round = 5;
    let other_chain = signed(ChainId(Hash([2; 32])), turn(7, 1), 7, 1, "v");
    let not_in_turn = signed(CHAIN, turn(7, 1) ^ 1, 7, 1, "v");
    for refused in [forged, other_body, other_round, other_chain, not_in_turn] {
        assert_eq!(bench.receive(refused).await, None);
    }
    assert_eq!(bench.kept(), 0);
    assert_eq!(bench.receive(part(7, 1, "v")).await, Some(true));
}

/// Breaks when a peer can make us keep bodies of any height or round, or any number.
#[tokio::test]
async fn what_is_kept_is_bounded() {
    let mut bench = Bench::new().await;
    for (height, round) in [(0, 0), (6, 0), (9, 0), (u64::MAX, 0), (7, 10), (8, 9)] {
        assert_eq!(bench.receive(part(height, round, "v")).await, None);
        assert_eq!(bench.kept(), 0, "{height}.{round}");
    }
    assert_eq!(bench.receive(part(7, 1, "v1")).await, Some(true));
    assert_eq!(bench.receive(part(7, 1, "v2")).await, Some(true));
    assert_eq!(bench.receive(part(7, 1, "v3")).await, None);
    assert_eq!(bench.kept(), 2);
    assert_eq!(bench.receive(part(7, 9, "v")).await, Some(true));
}

/// Breaks when a body whose blocks were missing is forgotten, or is not offered in the next
/// round once they are here.
#[tokio::test]
async fn a_missing_block_is_not_an_invalid_body() {
    let mut bench = Bench::new().await;
    let anchor = Anchor::of(b"m").0;
    assert_eq!(bench.receive(part(7, 1, "m")).await, None);
    assert!(bench.offered(7, 2).await.is_empty());
    bench.app.blocks_are_here.store(true, Ordering::SeqCst);
    assert_eq!(bench.offered(7, 3).await, [anchor]);
    assert!(bench.offered(7, 4).await.is_empty());
    assert_eq!(bench.kept(), 1);
}

/// Breaks when a body of the next height is judged before its height, dropped, does not count
/// towards the end of idleness, or ends it alone: nobody has judged it.
#[tokio::test]
async fn a_body_of_the_next_height_waits_for_it() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.receive(part(8, 0, "v")).await, None);
    assert_eq!((bench.kept(), bench.engine_loop.callers.called_to(1)), (1, 8));
    assert_eq!(bench.engine_loop.callers.called_to(2), 0);
}

/// Breaks when a body that a quorum locked is sent again only in the name of who made it: who
/// was sent two others of that round would never take it, and the height would stand still.
#[tokio::test]
async fn who_proposes_a_body_again_sends_it_in_its_own_name() {
    let mut bench = Bench::new().await;
    let locked = part(7, 2, "v locked");
    assert_eq!(bench.receive(locked.clone()).await, Some(true));
    bench.offered(7, 5).await;
    bench.engine_loop.restream(7, Anchor::of(&locked.body).0).await.unwrap();
    let (_, again) = bench.sent().await;
    assert_eq!((again.round, again.proposer, *again.body == *locked.body), (5, address(OWN), true));
    let mut starved = Bench::new().await;
    assert_eq!(starved.receive(part(7, 2, "v one")).await, Some(true));
    assert_eq!(starved.receive(part(7, 2, "garbage")).await, Some(false));
    assert_eq!(starved.receive(locked).await, None);
    assert_eq!(starved.receive(again).await, Some(true));
}

/// Breaks when one height and round gets two values, or a value is told before it is kept.
#[tokio::test]
async fn one_round_has_one_own_value() {
    let mut bench = Bench::new().await;
    let mut values = Vec::new();
    for _ in 0..2 {
        let (reply, value) = oneshot::channel();
        bench.engine_loop.get_value(7, 1, reply).await.unwrap();
        assert_eq!(bench.kept(), 1);
        values.push(value.await.unwrap().value);
    }
    assert_eq!(values.first(), values.last());
    let (_, sent) = bench.sent().await;
    assert_eq!(Some(&Anchor::of(&sent.body)), values.first());
    bench.mesh.try_recv().map(drop).expect_err("sent once");
}

/// Breaks when a proposal that was saved, but not sent before a crash, is never sent, or when
/// a body sent again goes out under the same stream, which the mesh would drop.
#[tokio::test]
async fn own_bodies_are_sent_after_a_crash_and_again_on_demand() {
    let mut bench = Bench::new().await;
    let (body, height, round) = (b"v saved".to_vec(), 7, 2);
    let signature = Hand::new(CHAIN, key(OWN)).sign_part(height, round, address(OWN), &body);
    let (proposer, signature) = (address(OWN).0, Some(signature));
    let saved = StoredProposal { height, round, proposer, body, signature };
    bench.app.save_proposal(&saved).unwrap();
    assert_eq!(bench.offered(7, 2).await, [saved.anchor()]);
    let (first, part) = bench.sent().await;
    assert_eq!(*part.body, saved.body);
    bench.offered(7, 3).await;
    bench.engine_loop.restream(7, saved.anchor()).await.unwrap();
    let (again, part) = bench.sent().await;
    assert_eq!((part.round, *part.body == saved.body), (2, true));
    assert_ne!(first, again);
}

/// Breaks when a peer is blamed for our lack of blocks, or an id is taken from the peer
/// instead of computed from the bytes.
#[tokio::test]
async fn synced_values_are_blamed_on_the_right_side() {
    let mut bench = Bench::new().await;
    let mut sync = async |body: Vec<u8>| {
        bench.engine_loop.synced(7, 0, address(3), body.into()).await.unwrap()
    };
    let too_long = vec![b'v'; BODY_BYTES_MAX + 1];
    assert!(matches!(sync(too_long).await, SyncedValueOutcome::PeerFault));
    assert!(matches!(sync(b"m".to_vec()).await, SyncedValueOutcome::LocalTransientError));
    for (body, valid) in [("v", true), ("garbage", false)] {
        match sync(body.into()).await {
            SyncedValueOutcome::Verdict(value) => {
                assert_eq!(value.value, Anchor::of(body.as_bytes()));
                assert_eq!(value.validity.is_valid(), valid);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.kept(), 1);
    assert_eq!(bench.engine_loop.synced, Some(7));
}

/// Breaks when one request makes us read and send without limit.
#[tokio::test]
async fn served_history_is_bounded() {
    let mut bench = Bench::new().await;
    let served = bench.engine_loop.decided_values(Height(1)..=Height(u64::MAX)).await.unwrap();
    assert_eq!(served.len(), 8);
}
