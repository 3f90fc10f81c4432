//! Following the validators from genesis: what a peer may send to who begins with a snapshot.

use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::certificate::{CertificateError, ValidatorSet};
use ddt_ledger::codec::encode;
use ddt_ledger::proof::{CertifiedAnchor, Handover, Hex, ProofError};
use ddt_ledger::trust::Trust;
use ddt_ledger::{ChainId, Hash};

use crate::proofs::{routers, set_of};
use crate::support::network::{Network, Router, certificate};

/// The validators of the genesis, by the numbers of their keys.
const OLD: [u8; 4] = [101, 102, 103, 104];
/// Three of these are old ones: a quorum of both.
const NEW: [u8; 4] = [120, 102, 103, 104];
/// And three of these belong to the new ones.
const NEWER: [u8; 4] = [120, 130, 103, 104];

/// Makes anchors by hand.
struct Peer {
    network: Network,
    trust: Trust,
}

/// An anchor, and the one after it.
struct Pair {
    own: CertifiedAnchor,
    next: CertifiedAnchor,
}

fn people(numbers: &[u8]) -> Vec<Router> {
    numbers.iter().map(|number| routers(*number).remove(0)).collect()
}

impl Peer {
    fn new() -> Peer {
        let network = Network::new();
        let trust = Trust::of(&network.genesis).expect("a genesis");
        Peer { network, trust }
    }

    fn set(&self, numbers: [u8; 4]) -> ValidatorSet {
        match numbers {
            OLD => self.network.genesis.validators(),
            other => set_of(&people(&other)),
        }
    }

    fn body(&self, height: u64, previous: Hash, named: [u8; 4]) -> AnchorBody {
        let next_validators = self.set(named).hash();
        AnchorBody { height, previous, next_validators, ..self.network.body(&[], 1_000) }
    }

    fn certified(&self, body: &AnchorBody, signers: &[u8]) -> CertifiedAnchor {
        let signers = people(signers);
        let signers: Vec<&Router> = signers.iter().collect();
        let certificate = certificate(self.network.chain, body, &signers);
        CertifiedAnchor { body: Hex(encode(body)), certificate }
    }

    fn handover(&self, height: u64, signers: &[u8], to: [u8; 4]) -> Handover {
        let body = self.body(height, Hash::ZERO, to);
        Handover { anchor: self.certified(&body, signers), validators: self.set(to) }
    }

    /// Two neighbours that name this set, with who signed each.
    fn pair(&self, height: u64, named: [u8; 4], own: &[u8], next: &[u8]) -> Pair {
        let body = self.body(height, Hash::ZERO, named);
        let after = self.body(height + 1, body.id(), named);
        Pair { own: self.certified(&body, own), next: self.certified(&after, next) }
    }

    /// The height whose roots are believed by who followed these handovers.
    fn roots(&self, handovers: &[&Handover], pair: &Pair) -> Result<u64, ProofError> {
        let mut trust = self.trust.clone();
        for handover in handovers {
            trust.follow(handover).expect("a good handover");
        }
        trust.roots(&pair.own, &pair.next).map(|(body, _)| body.height)
    }
}

fn unsigned<T>(height: u64, error: CertificateError) -> Result<T, ProofError> {
    Err(ProofError::Certificate { height, error })
}

/// Broken by: leaving out any one check of `Trust::follow`: the certificate, that heights
/// ascend, that the set is the one that the anchor names, that it is another one than before.
#[test]
fn a_handover_is_followed_in_its_place_only() {
    let peer = Peer::new();
    let out_of_place = Err(ProofError::Anchor("handover is out of place"));
    let (first, second) = (peer.handover(5, &OLD, NEW), peer.handover(9, &NEW, NEWER));
    let mut trust = peer.trust.clone();
    let signer = |height| unsigned(height, CertificateError::Signer);
    assert_eq!(trust.follow(&second), signer(9), "one is left out");
    assert_eq!(trust.follow(&peer.handover(5, &NEW, NEW)), signer(5), "signed by itself");
    assert_eq!(trust.follow(&peer.handover(5, &[102, 103, 103], NEW)), signer(5), "one twice");
    let cut = peer.handover(5, &[102, 103], NEW);
    assert_eq!(trust.follow(&cut), unsigned(5, CertificateError::Quorum));
    let mut forged = first.clone();
    forged.anchor.certificate.signatures[0].signature.0[7] ^= 1;
    assert_eq!(trust.follow(&forged), unsigned(5, CertificateError::Signature));
    let other = Handover { validators: peer.set(NEWER), ..first.clone() };
    assert_eq!(trust.follow(&other), out_of_place, "a set that its anchor does not name");
    let nothing = Err(ProofError::Anchor("handover changes nothing"));
    assert_eq!(trust.follow(&peer.handover(5, &OLD, OLD)), nothing);
    let mut moved = first.clone();
    moved.anchor.certificate.height = 6;
    let error = Err(ProofError::Anchor("certificate is for another"));
    assert_eq!(trust.follow(&moved), error);
    let abroad = AnchorBody { chain: ChainId(Hash([9; 32])), ..peer.body(5, Hash::ZERO, NEW) };
    let abroad = Handover { anchor: peer.certified(&abroad, &OLD), ..first.clone() };
    assert_eq!(trust.follow(&abroad), Err(ProofError::Chain));
    assert_eq!(trust.height(), 0, "none of these was followed");

    // Three of four are enough, also where they belong to both sets.
    assert_eq!(trust.follow(&peer.handover(5, &OLD[1..], NEW)), Ok(()));
    for height in [4, 5] {
        let late = peer.handover(height, &NEW, NEWER);
        assert_eq!(trust.follow(&late), out_of_place, "height {height} after 5");
    }
    assert_eq!(trust.height(), 5);
    assert_eq!((trust.follow(&second), trust.height()), (Ok(()), 9));
}

/// Broken by: roots believed from signers that two sets have in common, though a handover
/// between the sets, or that of the very anchor, was left out.
#[test]
fn roots_need_every_handover_even_where_sets_overlap() {
    let peer = Peer::new();
    let missing = Err(ProofError::Anchor("it names other validators: a handover is missing"));
    let (first, second) = (peer.handover(5, &OLD, NEW), peer.handover(9, &NEW, NEWER));
    // Certificates cut down to signers that the set before has, too.
    let (both, last) = (&NEW[1..], [120, 103, 104]);
    let pair = peer.pair(7, NEW, both, both);
    assert_eq!(peer.roots(&[], &pair), missing);
    assert_eq!(peer.roots(&[&first], &pair), Ok(7));
    let pair = peer.pair(12, NEWER, &last, &last);
    assert_eq!(peer.roots(&[&first], &pair), missing);
    assert_eq!(peer.roots(&[&first, &second], &pair), Ok(12));
    // The anchor of a handover is signed by the set before, the next one by the set after.
    let pair = peer.pair(5, NEW, &OLD, both);
    assert_eq!(peer.roots(&[], &pair), missing);
    assert_eq!(peer.roots(&[&first], &pair), Ok(5));
    let signer = |height| unsigned(height, CertificateError::Signer);
    assert_eq!(peer.roots(&[&first], &peer.pair(5, NEW, &NEW, &NEW)), signer(5));
    assert_eq!(peer.roots(&[&first], &peer.pair(5, NEW, &OLD, &OLD)), signer(6));
    let neighbours = Err(ProofError::Anchor("the two are not neighbours"));
    assert_eq!(peer.roots(&[&first], &peer.pair(4, NEW, both, both)), neighbours, "before it");
}
