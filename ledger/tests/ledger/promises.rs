//! Soft receipts and blocks that break them: what is evidence, and what is none.

use ddt_ledger::codec::encode;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, SoftReceipt};
use ddt_ledger::merkle::{ListProof, ListTree, list_root};
use ddt_ledger::routers::{ConflictError, Fault, Place, Sealed, Statement, conflict};
use ddt_ledger::{ChainId, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};

const CHAIN: ChainId = ChainId(Hash([7; 32]));
const FIRST: u64 = 40;
const HEIGHT: u64 = 3;

fn ids(count: u8) -> Vec<Hash> {
    (0..count).map(|at| Hash([at + 1; 32])).collect()
}

fn header(ids: &[Hash]) -> BlockHeader {
    BlockHeader {
        version: BLOCK_VERSION,
        chain: CHAIN,
        zone: Zone(1),
        term: 2,
        height: HEIGHT,
        parent: Hash::ZERO,
        after_anchor: 0,
        first_number: FIRST,
        count: ids.len() as u32,
        events_root: list_root(ids.iter().map(|id| id.0)),
        time: Millis(0),
    }
}

fn promise(event: Hash, number: u64) -> SoftReceipt {
    SoftReceipt { chain: CHAIN, event, zone: Zone(1), term: 2, height: HEIGHT, number }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn judged(promise: &SoftReceipt, sealed: &Sealed) -> Result<(ChainId, Place), ConflictError> {
    let (first, second) = (encode(promise), encode(sealed));
    let signed = |digest: Hash| Signature(key().sign(digest.as_bytes()).to_bytes());
    let public = PublicKey(key().verifying_key().to_bytes());
    let first = Statement { bytes: &first, signature: signed(promise.digest()) };
    let second = Statement { bytes: &second, signature: signed(sealed.header.id()) };
    conflict(Fault::Promise, &public, first, second)
}

/// Broken by: a number that is looked for one place beside; a header that is enough although it
/// has the number; a promise that was kept and counts as broken.
#[test]
fn a_block_breaks_each_promise_that_it_does_not_keep_and_no_other() {
    let taken = Ok((CHAIN, Place::Lane(Zone(1), 2)));
    for count in 1..=20u8 {
        let ids = ids(count);
        let header = header(&ids);
        let next = FIRST + u64::from(count);
        for (number, id) in (FIRST..).zip(&ids) {
            assert_eq!(Sealed::breaking(&promise(*id, number), &header, &ids), None);
            let other = promise(Hash([0xee; 32]), number);
            let broken = Sealed::breaking(&other, &header, &ids).expect("broken");
            assert_eq!(judged(&other, &broken), taken);
            // The same says nothing of the promise that was kept.
            assert_eq!(judged(&promise(*id, number), &broken), Err(ConflictError::Form));
            // Whoever has the number in another block broke the promise, whatever stands there.
            let later = SoftReceipt { height: HEIGHT + 1, ..promise(*id, number) };
            let broken = Sealed::breaking(&later, &header, &ids).expect("broken");
            assert_eq!((judged(&later, &broken), broken.event), (taken, None));
        }
        for number in [0, FIRST - 1, next, u64::MAX] {
            let missed = promise(ids[0], number);
            let broken = Sealed::breaking(&missed, &header, &ids).expect("broken");
            assert_eq!(judged(&missed, &broken), taken);
            // A block of another height need not have it.
            let later = SoftReceipt { height: HEIGHT + 1, ..missed };
            assert_eq!(Sealed::breaking(&later, &header, &ids), None);
        }
        for other in [
            SoftReceipt { term: 3, ..promise(ids[0], 1) },
            SoftReceipt { zone: Zone(2), ..promise(ids[0], 1) },
            SoftReceipt { chain: ChainId(Hash::ZERO), ..promise(ids[0], 1) },
        ] {
            assert_eq!(Sealed::breaking(&other, &header, &ids), None);
        }
    }
}

/// Broken by: a proof of another place, of another block or of another length that counts.
#[test]
fn what_stands_in_a_block_is_proven() {
    let (ids, stranger) = (ids(9), Hash([0xee; 32]));
    let promised = promise(stranger, FIRST + 4);
    let broken = Sealed::breaking(&promised, &header(&ids), &ids).expect("broken");
    assert!(judged(&promised, &broken).is_ok());
    let (id, proof) = broken.event.clone().expect("an event");
    let with = |id: Hash, proof: ListProof| Sealed { event: Some((id, proof)), ..broken.clone() };
    let other_place = ListTree::new(ids.iter().map(|id| id.0));
    let other_place = other_place.prove(5).expect("a proof");
    let short = ListProof { siblings: proof.siblings[1..].to_vec(), ..proof.clone() };
    let mut wrong_root = broken.clone();
    wrong_root.header.events_root = Hash([1; 32]);
    for none in [
        with(Hash([9; 32]), proof.clone()),
        with(ids[5], other_place),
        with(id, ListProof { index: proof.index + 1, ..proof.clone() }),
        with(id, ListProof { length: proof.length + 1, ..proof.clone() }),
        with(id, short),
        wrong_root,
        Sealed { event: None, ..broken.clone() },
    ] {
        assert_eq!(judged(&promised, &none), Err(ConflictError::Form));
    }
    let first = encode(&promised);
    let unsigned = Statement { bytes: &first, signature: Signature([0; 64]) };
    let second = encode(&broken);
    let second = Statement { bytes: &second, signature: Signature([0; 64]) };
    let public = PublicKey(key().verifying_key().to_bytes());
    assert_eq!(conflict(Fault::Promise, &public, unsigned, second), Err(ConflictError::Signature));
}

/// Broken by: evidence that is too long for the event that carries it.
#[test]
fn evidence_of_the_fullest_block_fits() {
    let ids: Vec<Hash> = (0..ddt_ledger::lane::BLOCK_EVENTS_MAX as u64)
        .map(|at| ddt_ledger::Domain::EVENT_ID.hash(&[&at.to_le_bytes()]))
        .collect();
    let promised = promise(Hash([0xee; 32]), FIRST + 9_999);
    let broken = Sealed::breaking(&promised, &header(&ids), &ids).expect("broken");
    assert!(encode(&broken).len() <= ddt_ledger::routers::SECOND_BYTES_MAX);
    assert!(judged(&promised, &broken).is_ok());
}
