//! Every message survives its codec; nothing else does.

use std::fmt::Debug;
use std::sync::Arc;

use arc_malachitebft_codec::Codec;
use arc_malachitebft_core_consensus::{LivenessMsg, PeerId, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as engine;
use arc_malachitebft_engine::util::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_sync as sync;
use bytes::Bytes;
use ddt_ledger::certificate::{VALIDATORS_MAX, ValidatorAddress};
use ddt_ledger::{Domain, Hash, Signature};
use engine::{NilOrVal, Round, SignedMessage, Validity, VoteType};

use super::{DdtCodec, WireError};
use crate::application::BODY_BYTES_MAX;
use crate::context::{Address, Anchor, Ddt, Height, Part, Proposal, Vote};

const ANCHOR: Hash = Hash([3; 32]);
const SIGNATURE: Signature = Signature([4; 64]);

fn address(number: u8) -> Address {
    Address(ValidatorAddress([number; 20]))
}

fn vote(round: Round, anchor: NilOrVal<Hash>) -> SignedMessage<Ddt, Vote> {
    let (kind, height, voter) = (VoteType::Precommit, Height(9), address(1));
    SignedMessage::new(Vote { kind, height, round, anchor, voter }, SIGNATURE)
}

fn proposal() -> SignedMessage<Ddt, Proposal> {
    let (height, round, pol_round) = (Height(9), Round::new(2), Round::new(1));
    let (anchor, proposer) = (Anchor(ANCHOR), address(2));
    SignedMessage::new(Proposal { height, round, anchor, pol_round, proposer }, SIGNATURE)
}

fn part(body: Vec<u8>) -> Part {
    let (height, round, proposer) = (Height(9), 2, address(3));
    Part { height, round, proposer, body: Arc::new(body), signature: SIGNATURE }
}

fn stream(content: StreamContent<Part>) -> StreamMessage<Part> {
    StreamMessage::new(StreamId::new(Bytes::from_static(b"stream")), 5, content)
}

fn polka(signers: usize) -> engine::PolkaCertificate<Ddt> {
    let signature = engine::PolkaSignature::new(address(1), SIGNATURE);
    engine::PolkaCertificate {
        height: Height(9),
        round: Round::new(0),
        value_id: ANCHOR,
        polka_signatures: vec![signature; signers],
    }
}

fn round_certificate() -> engine::RoundCertificate<Ddt> {
    let vote =
        |anchor| engine::RoundSignature::new(VoteType::Prevote, anchor, address(1), SIGNATURE);
    engine::RoundCertificate {
        height: Height(9),
        round: Round::new(1),
        cert_type: engine::RoundCertificateType::Skip,
        round_signatures: vec![vote(NilOrVal::Nil), vote(NilOrVal::Val(ANCHOR))],
    }
}

fn proposed() -> ProposedValue<Ddt> {
    ProposedValue {
        height: Height(9),
        round: Round::new(0),
        valid_round: Round::Nil,
        proposer: address(2),
        value: Anchor(ANCHOR),
        validity: Validity::Invalid,
    }
}

fn peer() -> PeerId {
    // A multihash of kind "identity" over 36 bytes, as of Ed25519 keys.
    PeerId::from_bytes(&[&[0, 36], [5u8; 36].as_slice()].concat()).unwrap()
}

fn status() -> sync::Status<Ddt> {
    let (tip_height, history_min_height) = (Height(9), Height(1));
    sync::Status { peer_id: peer(), tip_height, history_min_height }
}

fn response(values: usize) -> sync::Response<Ddt> {
    let certificate = engine::ExtendedCommitCertificate {
        height: Height(9),
        round: Round::new(0),
        value_id: ANCHOR,
        commit_signatures: vec![engine::ExtendedCommitSignature::new(address(1), SIGNATURE, None)],
    };
    let value = sync::RawDecidedValue::new(Bytes::from_static(b"body"), certificate);
    sync::Response::ValueResponse(sync::ValueResponse::new(Height(9), vec![value; values]))
}

fn request() -> sync::Request<Ddt> {
    sync::Request::ValueRequest(sync::ValueRequest::new(Height(3)..=Height(9)))
}

fn proof() -> engine::ValidatorProof<Ddt> {
    engine::ValidatorProof::new(vec![6; 32], peer().to_bytes(), SIGNATURE)
}

fn refused<T: Debug>(bytes: Vec<u8>)
where
    DdtCodec: Codec<T, Error = WireError>,
{
    let outcome: Result<T, WireError> = DdtCodec.decode(bytes.into());
    outcome.unwrap_err();
}

/// Deterministic noise.
fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes().get(3).copied()
    })
}

/// Round trip, then every truncation, every extension, another version, and noise: refused
/// or decoded to something else, never a panic.
fn examine<T: Debug + PartialEq>(message: &T) -> Vec<u8>
where
    DdtCodec: Codec<T, Error = WireError>,
{
    let bytes = DdtCodec.encode(message).unwrap();
    let back: T = DdtCodec.decode(bytes.clone()).unwrap();
    assert_eq!(&back, message);
    for length in 0..bytes.len() {
        refused::<T>(bytes.slice(..length).to_vec());
    }
    refused::<T>([&bytes[..], &[0]].concat());
    refused::<T>([&[2], &bytes[1..]].concat());
    for seed in 0..300 {
        let mut flipped = bytes.to_vec();
        let mut noise = noise(seed);
        let at = usize::from(noise.next().unwrap()) * 7 % flipped.len();
        flipped[at] ^= noise.next().unwrap() | 1;
        let outcome: Result<T, WireError> = DdtCodec.decode(flipped.into());
        drop(outcome);
        let mut garbage = vec![1];
        garbage.extend(noise.take(seed as usize));
        let outcome: Result<T, WireError> = DdtCodec.decode(garbage.into());
        drop(outcome);
    }
    bytes.to_vec()
}

/// Breaks when a field is left out, added or reordered: routers of two releases would no
/// longer understand each other, and a WAL would not be readable after an update.
#[test]
fn every_message_keeps_its_bytes() {
    let nil = SignedConsensusMsg::Vote(vote(Round::new(2), NilOrVal::Nil));
    let encodings = [
        examine(&part(b"body".to_vec())),
        examine(&nil),
        examine(&SignedConsensusMsg::Vote(vote(Round::new(2), NilOrVal::Val(ANCHOR)))),
        examine(&SignedConsensusMsg::Proposal(proposal())),
        examine(&LivenessMsg::Vote(vote(Round::new(2), NilOrVal::Nil))),
        examine(&LivenessMsg::PolkaCertificate(polka(3))),
        examine(&LivenessMsg::SkipRoundCertificate(round_certificate())),
        examine(&stream(StreamContent::Data(part(b"body".to_vec())))),
        examine(&stream(StreamContent::Fin)),
        examine(&proposed()),
        examine(&polka(3)),
        examine(&status()),
        examine(&request()),
        examine(&response(2)),
        examine(&proof()),
    ];
    let golden = "ead88710621f3b46f89f36bb934e3a44c8fe44dfbc2cddb06008508209c715ea";
    assert_eq!(Domain::LIST_LEAF.hash(&[&encodings.concat()]).to_string(), golden);
}

/// Breaks when a limit is dropped, so that a peer chooses how much we keep or how far a sum
/// reaches.
#[test]
fn limits_are_enforced() {
    let encode = |body| DdtCodec.encode(&part(body)).unwrap().to_vec();
    let longest: Part = DdtCodec.decode(encode(vec![7; BODY_BYTES_MAX]).into()).unwrap();
    assert_eq!(longest.body.len(), BODY_BYTES_MAX);
    refused::<Part>(encode(vec![7; BODY_BYTES_MAX + 1]));

    let signers = |count| DdtCodec.encode(&polka(count)).unwrap();
    let _: engine::PolkaCertificate<Ddt> = DdtCodec.decode(signers(VALIDATORS_MAX)).unwrap();
    refused::<engine::PolkaCertificate<Ddt>>(signers(VALIDATORS_MAX + 1).to_vec());

    let many = crate::wire::SYNC_VALUES_MAX + 1;
    refused::<sync::Response<Ddt>>(DdtCodec.encode(&response(many)).unwrap().to_vec());

    let mut far = proposed();
    far.height = Height(u64::MAX);
    refused::<ProposedValue<Ddt>>(DdtCodec.encode(&far).unwrap().to_vec());
    let endless = SignedConsensusMsg::Vote(vote(Round::new(u32::MAX), NilOrVal::Nil));
    refused::<SignedConsensusMsg<Ddt>>(DdtCodec.encode(&endless).unwrap().to_vec());

    let long_id = vec![0; 100];
    let proof = engine::ValidatorProof::<Ddt>::new(long_id, vec![], SIGNATURE);
    refused::<engine::ValidatorProof<Ddt>>(DdtCodec.encode(&proof).unwrap().to_vec());
}

/// Breaks when a vote of no round gets an encoding, and so a signature.
#[test]
fn a_vote_of_no_round_has_no_encoding() {
    let nowhere = SignedConsensusMsg::Vote(vote(Round::Nil, NilOrVal::Nil));
    assert!(matches!(DdtCodec.encode(&nowhere), Err(WireError::Meaning(_))));
}
