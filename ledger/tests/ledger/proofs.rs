//! Proofs: with the genesis alone, what is true verifies and what is changed does not.

use ddt_ledger::accounts::Account;
use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::certificate::{CertificateError, Validator, ValidatorSet};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::execute::execute;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::merkle::ListTree;
use ddt_ledger::proof::{CertifiedAnchor, Claim, Handover, Hex, PROOF_VERSION, Proof, ProofError};
use ddt_ledger::state::{StateTree, Version};
use ddt_ledger::system::Validators;
use ddt_ledger::table::Rows;
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{Hash, Zone};

use crate::replay::history as replay_history;
use crate::support::network::{Network, Person, Router, certificate, certificate_at};
use crate::support::programme::REGISTRY;

fn anchor_of(network: &Network, height: u64) -> CertifiedAnchor {
    let snapshot = network.store.snapshot().expect("a snapshot");
    let record = snapshot.anchor(height).expect("a read").expect("an anchor");
    CertifiedAnchor { body: Hex(record.body), certificate: record.certificate }
}

/// A proof of a row as of the anchor before the last one.
pub(crate) fn row_proof(network: &Network, key: Vec<u8>) -> Proof {
    let (certified, path) = network.store.prove(&key).expect("a read").expect("an anchor");
    let value = certified.rows().row(&key).map(Hex);
    Proof {
        version: PROOF_VERSION,
        chain: network.chain,
        height: certified.height,
        handovers: certified.snapshot.handovers(certified.height).expect("handovers"),
        anchor: anchor_of(network, certified.height + 1),
        claim: Claim::Row { key: Hex(key), value, path },
    }
}

fn receipt_proof(network: &Network, height: u64, index: u32) -> Proof {
    let snapshot = network.store.snapshot().expect("a snapshot");
    let receipts = snapshot.receipts(height, 0, 10_000).expect("receipts");
    let bytes: Vec<Vec<u8>> = receipts.iter().map(encode).collect();
    let path = ListTree::new(&bytes).prove(u64::from(index)).expect("a place");
    let receipt = Hex(bytes[index as usize].clone());
    Proof {
        version: PROOF_VERSION,
        chain: network.chain,
        height,
        handovers: Vec::new(),
        anchor: anchor_of(network, height + 1),
        claim: Claim::Receipt { receipt, path },
    }
}

fn network() -> Network {
    let mut network = Network::new();
    replay_history(&mut network, 21, 6);
    network
}

/// Broken by: a claim checked against another root than the certified one.
#[test]
fn rows_absences_and_receipts_verify_with_the_genesis_alone() {
    let network = network();
    let genesis = &network.genesis;
    for number in 1..60 {
        let key = Account::full_key(&Person::new(number).id());
        let proof = row_proof(&network, key.clone());
        let verified = proof.verify(genesis).expect("a proof");
        assert_eq!((verified.height, verified.signers), (network.head().height - 1, (3, 4)));
        let json = serde_json::to_string(&proof).expect("JSON");
        assert_eq!(serde_json::from_str::<Proof>(&json).ok(), Some(proof.clone()));
        let Claim::Row { value, .. } = &proof.claim else { panic!("a row") };
        let opened = certified_has(&network, &key);
        assert_eq!(value.is_some(), opened);
    }
    for height in 1..network.head().height {
        let snapshot = network.store.snapshot().expect("a snapshot");
        for receipt in snapshot.receipts(height, 0, 1_000).expect("receipts") {
            let proof = receipt_proof(&network, height, receipt.index);
            let verified = proof.verify(genesis).expect("a proof");
            assert_eq!(verified.receipt, Some(receipt));
        }
    }
}

fn certified_has(network: &Network, key: &[u8]) -> bool {
    let certified = network.store.certified().expect("a read").expect("an anchor");
    certified.rows().row(key).is_some()
}

/// Broken by: proving the last state instead of the last certified one, after a commit or
/// after a restart.
#[test]
fn the_certified_state_is_the_one_before_and_survives_a_restart() {
    let disk = crate::support::disk::Disk::default();
    let mut network = Network::on(&disk);
    assert!(network.store.certified().expect("a read").is_none());
    assert!(network.store.prove(&[1]).expect("a read").is_none());
    let mut states = vec![network.rows()];
    for seed in 0..4 {
        replay_history(&mut network, seed, 1);
        states.push(network.rows());
        network = Network::on(&disk);
        let certified = network.store.certified().expect("a read").expect("an anchor");
        let height = certified.height as usize;
        assert_eq!(height + 2, states.len());
        let rows = certified.rows();
        for (key, value) in &states[height] {
            assert_eq!(rows.row(key).as_ref(), Some(value));
            assert!(row_proof(&network, key.clone()).verify(&network.genesis).is_ok());
        }
        for key in states[height + 1].keys().filter(|key| !states[height].contains_key(*key)) {
            assert_eq!(rows.row(key), None);
            assert!(row_proof(&network, key.clone()).verify(&network.genesis).is_ok());
        }
    }
}

/// Broken by: any byte of a proof that verification does not depend on.
#[test]
fn no_byte_of_a_proof_may_change() {
    let network = network();
    let present = row_proof(&network, Account::full_key(&Person::new(1).id()));
    let absent = row_proof(&network, Account::full_key(&Person::new(77).id()));
    let receipt = receipt_proof(&network, 3, 1);
    for proof in [present, absent, receipt] {
        assert!(proof.verify(&network.genesis).is_ok());
        let bytes = encode(&proof);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            if let Ok(wrong) = decode::<Proof>(&wrong, bytes.len()) {
                assert!(wrong.verify(&network.genesis).is_err(), "byte {at} of {proof:?}");
            }
        }
        for length in 0..bytes.len() {
            assert!(decode::<Proof>(&bytes[..length], bytes.len()).is_err());
        }
    }
}

/// Broken by: each check of `Proof::verify` left out.
#[test]
fn each_wrong_proof_is_refused_for_its_reason() {
    let network = network();
    let good = row_proof(&network, Account::full_key(&Person::new(1).id()));
    let error = |change: &dyn Fn(&mut Proof)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        wrong.verify(&network.genesis).expect_err("a wrong proof")
    };
    assert_eq!(error(&|proof| proof.version = 2), ProofError::Version(2));
    assert_eq!(error(&|proof| proof.chain.0.0[0] ^= 1), ProofError::Chain);
    let mut other = network.genesis.clone();
    other.name = "another".to_string();
    assert_eq!(good.verify(&other), Err(ProofError::Chain));
    other.zones.clear();
    assert!(matches!(good.verify(&other), Err(ProofError::Genesis(_))));
    let height = good.height + 1;
    let certificate = |error| ProofError::Certificate { height, error };
    let missing = |proof: &mut Proof| proof.anchor.certificate.signatures.truncate(2);
    assert_eq!(error(&missing), certificate(CertificateError::Quorum));
    let twice = |proof: &mut Proof| {
        let signatures = &mut proof.anchor.certificate.signatures;
        signatures[2] = signatures[1];
    };
    assert_eq!(error(&twice), certificate(CertificateError::Signer));
    let stranger = |proof: &mut Proof| {
        proof.anchor.certificate.signatures[0].key = Person::new(1).key();
    };
    assert_eq!(error(&stranger), certificate(CertificateError::Signer));
    let swapped = |proof: &mut Proof| {
        let signatures = &mut proof.anchor.certificate.signatures;
        (signatures[0].signature, signatures[1].signature) =
            (signatures[1].signature, signatures[0].signature);
    };
    assert_eq!(error(&swapped), certificate(CertificateError::Signature));
    let round = |proof: &mut Proof| proof.anchor.certificate.round = 1;
    assert_eq!(error(&round), certificate(CertificateError::Signature));
    let earlier = |proof: &mut Proof| proof.anchor = anchor_of(&network, proof.height);
    assert!(matches!(error(&earlier), ProofError::Anchor(_)));
    let later = |proof: &mut Proof| proof.height += 1;
    assert!(matches!(error(&later), ProofError::Anchor(_)));
    let mixed = |proof: &mut Proof| {
        proof.anchor.certificate = anchor_of(&network, proof.height).certificate;
    };
    assert!(matches!(error(&mixed), ProofError::Anchor(_)));
    let cut = |proof: &mut Proof| proof.anchor.body.0.truncate(100);
    assert_eq!(error(&cut), ProofError::Anchor("does not decode"));
    let long = |proof: &mut Proof| proof.anchor.body.0.resize(256 * 1024 + 1, 0);
    assert_eq!(error(&long), ProofError::Anchor("too long"));
    let hidden = |proof: &mut Proof| {
        let Claim::Row { value, .. } = &mut proof.claim else { panic!("a row") };
        *value = None;
    };
    assert_eq!(error(&hidden), ProofError::Claim);
    let richer = |proof: &mut Proof| {
        let Claim::Row { value: Some(value), .. } = &mut proof.claim else { panic!("a row") };
        value.0[0] ^= 1;
    };
    assert_eq!(error(&richer), ProofError::Claim);
}

/// Three sets of validators, and anchors signed by them, made by hand.
struct Forge {
    genesis: Genesis,
    network: Network,
    new: Vec<Router>,
    newer: Vec<Router>,
    tree: StateTree,
}

/// Four routers, from this number on.
pub fn routers(from: u8) -> Vec<Router> {
    let router = |number| Router {
        person: Person::new(number),
        vrf: VrfKey::from_seed(&[number; 32]).expect("a key"),
    };
    (from..from + 4).map(router).collect()
}

/// As the validators that they are.
pub fn set_of(routers: &[Router]) -> ValidatorSet {
    let validator = |(zone, router): (u32, &Router)| Validator {
        zone: Zone(zone),
        key: router.person.key(),
        vrf_key: router.vrf.public(),
    };
    ValidatorSet((1..).zip(routers).map(validator).collect())
}

impl Forge {
    fn new() -> Forge {
        let network = Network::new();
        let tree = StateTree::build([(vec![1], vec![2])]);
        let genesis = network.genesis.clone();
        Forge { genesis, network, new: routers(120), newer: routers(130), tree }
    }

    fn anchor(&self, height: u64, next: &[Router], signers: &[Router]) -> CertifiedAnchor {
        let body = AnchorBody {
            height,
            state_root: self.tree.root(),
            next_validators: set_of(next).hash(),
            ..self.network.body(&[], 1_000)
        };
        let signers: Vec<&Router> = signers.iter().take(3).collect();
        let certificate = certificate(self.network.chain, &body, &signers);
        CertifiedAnchor { body: Hex(encode(&body)), certificate }
    }

    fn handover(&self, height: u64, from: &[Router], to: &[Router]) -> Handover {
        Handover { anchor: self.anchor(height, to, from), validators: set_of(to) }
    }

    fn proof(&self, handovers: Vec<Handover>, height: u64, signers: &[Router]) -> Proof {
        let path = self.tree.prove(&[1], Version::Now);
        Proof {
            version: PROOF_VERSION,
            chain: self.network.chain,
            height,
            handovers,
            anchor: self.anchor(height + 1, signers, signers),
            claim: Claim::Row { key: Hex(vec![1]), value: Some(Hex(vec![2])), path },
        }
    }
}

/// Broken by: not following a handover, or following one that the set before did not sign.
#[test]
fn handovers_are_followed_only_when_the_set_before_signed_them() {
    let forge = Forge::new();
    let (old, new, newer) = (&forge.network.routers, &forge.new, &forge.newer);
    let first = forge.handover(5, old, new);
    let second = forge.handover(9, new, newer);
    let verify = |proof: &Proof| proof.verify(&forge.genesis).map(|verified| verified.signers);
    assert_eq!(verify(&forge.proof(vec![], 3, old)), Ok((3, 4)));
    assert_eq!(verify(&forge.proof(vec![first.clone()], 5, new)), Ok((3, 4)));
    let both = vec![first.clone(), second.clone()];
    assert_eq!(verify(&forge.proof(both.clone(), 12, newer)), Ok((3, 4)));

    let signer = |height| Err(ProofError::Certificate { height, error: CertificateError::Signer });
    assert_eq!(verify(&forge.proof(vec![], 5, new)), signer(6), "a handover left out");
    assert_eq!(verify(&forge.proof(vec![second.clone()], 12, newer)), signer(9));
    assert_eq!(verify(&forge.proof(both.clone(), 12, new)), signer(13), "the old set signs on");
    let own = forge.handover(5, new, new);
    assert_eq!(verify(&forge.proof(vec![own], 5, new)), signer(5), "signed by itself");

    let out_of_place = Err(ProofError::Anchor("handover is out of place"));
    let other_set = Handover { validators: set_of(newer), ..first.clone() };
    assert_eq!(verify(&forge.proof(vec![other_set], 5, newer)), out_of_place);
    assert_eq!(verify(&forge.proof(vec![first.clone()], 4, new)), out_of_place, "a later one");
    let same_height = vec![first.clone(), forge.handover(5, new, newer)];
    assert_eq!(verify(&forge.proof(same_height, 12, newer)), out_of_place);
    let turned = vec![forge.handover(9, old, new), forge.handover(5, new, newer)];
    assert_eq!(verify(&forge.proof(turned, 12, newer)), out_of_place);

    let mut forged = both;
    forged[1].anchor.certificate.signatures[0].signature.0[5] ^= 1;
    let error = ProofError::Certificate { height: 9, error: CertificateError::Signature };
    assert_eq!(verify(&forge.proof(forged, 12, newer)), Err(error));
}

/// Broken by: a certificate for the anchor at another height than the body says.
#[test]
fn a_certificate_is_for_its_anchor_at_its_height() {
    let forge = Forge::new();
    let old = &forge.network.routers;
    let mut proof = forge.proof(vec![], 3, old);
    let signers: Vec<&Router> = old.iter().collect();
    let (id, chain) = (proof.anchor.certificate.anchor, forge.network.chain);
    for (height, is_good) in [(4, true), (5, false)] {
        proof.anchor.certificate = certificate_at(chain, height, id, &signers);
        assert_eq!(proof.verify(&forge.genesis).is_ok(), is_good, "{height}");
    }
}

/// Broken by: an empty validator set with a quorum that nobody needs to sign.
#[test]
fn an_empty_set_decides_nothing() {
    let forge = Forge::new();
    let handover = forge.handover(5, &forge.network.routers, &[]);
    let proof = forge.proof(vec![handover], 5, &[]);
    assert!(proof.verify(&forge.genesis).is_err());
    assert_eq!(ValidatorSet(Vec::new()).quorum(), 1);
    for (validators, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (100, 67)]
    {
        let set = ValidatorSet(vec![set_of(&forge.new).0[0].clone(); validators]);
        assert_eq!(set.quorum(), quorum, "of {validators}");
    }
}

/// Broken by: a claim about a system row that the set of the tree does not hold.
#[test]
fn genesis_itself_is_proven_by_the_first_anchor() {
    let mut network = Network::new();
    network.run(Vec::new());
    let proof = row_proof(&network, Account::full_key(&Person::new(1).id()));
    assert_eq!(proof.height, 0);
    let verified = proof.verify(&network.genesis).expect("a proof");
    let roots = network.genesis.state().expect("a state").roots;
    assert_eq!(verified.state_root, roots.state);
    assert_ne!(roots.state, Hash::ZERO);
}

/// Broken by: a store that keeps no handover, names the wrong set in it, or gives it out
/// with proofs that do not need it.
#[test]
fn the_store_keeps_handovers_for_its_proofs() {
    let mut network = Network::new();
    let new = routers(120);
    let (old_set, new_set) = (network.genesis.validators(), set_of(&new));
    let body = network.body(&[], 1_000);
    let snapshot = network.store.snapshot().expect("a snapshot");
    let mut executed = execute(&REGISTRY, &snapshot, &body, &[]).expect("execution");
    // No programme chooses validators yet: this anchor changes their row by hand.
    let validators = Validators { next: old_set, after_next: new_set.clone() };
    executed.changes.insert(vec![0, 7], Some(encode(&validators)));
    network.store.commit(&executed, &encode(&body), &network.certificate(&body)).expect("a commit");

    let body = AnchorBody { next_validators: new_set.hash(), ..network.body(&[], 1_000) };
    network.decide(body, Vec::new());
    network.routers = new;
    for _ in 0..2 {
        let body = AnchorBody { next_validators: new_set.hash(), ..network.body(&[], 1_000) };
        network.decide(body, Vec::new());
        let proof = row_proof(&network, Account::full_key(&Person::new(1).id()));
        assert_eq!(proof.handovers.len(), 1);
        assert_eq!(proof.handovers[0].validators, new_set);
        assert!(proof.verify(&network.genesis).is_ok());
        let without = Proof { handovers: Vec::new(), ..proof };
        assert!(without.verify(&network.genesis).is_err());
    }
    let snapshot = network.store.snapshot().expect("a snapshot");
    assert!(snapshot.handovers(1).expect("handovers").is_empty());
}
