//! Anchors that nobody decided, with certificates that are worth nothing.

use ddt_core::follower::Decided;
use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::schema::List;
use ddt_tests::people::Person;

use crate::engine::Engine;
use crate::random::Random;
use crate::town::Town;

/// A body of this height that keeps every rule of the ledger but was not decided, certified by
/// too few, by the same router again and again, or by strangers.
pub(crate) fn invent(
    town: &Town,
    engine: &Engine,
    height: u64,
    random: &mut Random,
) -> Option<Decided> {
    let mut bodies = engine.bodies.range((height, ddt_ledger::Hash::ZERO)..);
    let bytes = bodies.next().filter(|((of, _), _)| *of == height)?.1;
    let mut body = AnchorBody::decode(bytes).ok()?;
    if random.chance(700) {
        body.tips = List::new(Vec::new())?;
    }
    let bytes = encode(&body);
    let (anchor, round) = (AnchorBody::id_of(&bytes), 0);
    let sign = |person: &Person| {
        let (key, kind) = (person.key(), VoteKind::Precommit);
        let voter = ValidatorAddress::of(&key);
        let digest = vote_digest(town.chain, kind, height, round, Some(anchor), voter);
        CertificateSignature { key, signature: person.sign(&digest) }
    };
    let quorum = engine.quorum();
    let traitor = &town.keys[random.place(town.keys.len())].person;
    let signatures = match random.below(3) {
        0 => vec![sign(traitor)],
        1 => vec![sign(traitor); quorum],
        _ => (0..quorum).map(|number| sign(&Person::named(&format!("liar{number}")))).collect(),
    };
    Some(Decided { body: bytes, certificate: Certificate { height, round, anchor, signatures } })
}
