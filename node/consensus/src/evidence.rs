//! Validators that the engine saw vote two ways.

use arc_malachitebft_app_channel::app::types::MisbehaviorEvidence;
use arc_malachitebft_core_types::{SignedVote, ValidatorSet as _};
use ddt_ledger::certificate::VoteStatement;
use ddt_ledger::{ChainId, PublicKey, Signature};

use crate::context::Ddt;
use crate::members::Members;
use crate::signing::statement;

/// Two votes of one validator for one round of one height, for different anchors; each is
/// signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleVote {
    /// The validator's key.
    pub key: PublicKey,
    /// One vote, and its signature.
    pub first: (VoteStatement, Signature),
    /// The other, and its signature.
    pub second: (VoteStatement, Signature),
}

/// One pair for each validator of the height that voted two ways. Of two proposals nothing
/// follows here: what a proposer signs is no statement that the ledger knows.
pub(crate) fn double_votes(
    chain: ChainId,
    evidence: &MisbehaviorEvidence<Ddt>,
    members: &Members,
) -> Vec<DoubleVote> {
    let mut found = Vec::new();
    for (voter, pairs) in evidence.votes.iter() {
        let Some(member) = members.get_by_address(voter) else { continue };
        let signed = |vote: &SignedVote<Ddt>| {
            statement(chain, &vote.message).map(|statement| (statement, vote.signature))
        };
        let pair = pairs.iter().find_map(|(one, two)| signed(one).zip(signed(two)));
        found.extend(pair.map(|(first, second)| DoubleVote { key: member.key, first, second }));
    }
    found
}

#[cfg(test)]
mod tests {
    use arc_malachitebft_core_types::{NilOrVal, Round, SignedMessage, VoteType};
    use ddt_ledger::certificate::{Validator, ValidatorAddress, ValidatorSet};
    use ddt_ledger::{Hash, Zone};
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::context::{Address, Height, Vote};

    const CHAIN: ChainId = ChainId(Hash([7; 32]));

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn public(seed: u8) -> PublicKey {
        PublicKey(key(seed).verifying_key().to_bytes())
    }

    fn vote(seed: u8, anchor: Option<u8>) -> SignedMessage<Ddt, Vote> {
        let vote = Vote {
            kind: VoteType::Precommit,
            height: Height(5),
            round: Round::new(1),
            anchor: anchor.map_or(NilOrVal::Nil, |byte| NilOrVal::Val(Hash([byte; 32]))),
            voter: Address(ValidatorAddress::of(&public(seed))),
        };
        let digest = statement(CHAIN, &vote).expect("a round").digest();
        let signature = Signature(key(seed).sign(digest.as_bytes()).to_bytes());
        SignedMessage::new(vote, signature)
    }

    // Broken by: votes that do not carry the signature that was made over them; a stranger's.
    #[test]
    fn what_is_handed_on_proves_itself() {
        let set = ValidatorSet(
            (1..=4)
                .map(|seed| Validator {
                    zone: Zone(u32::from(seed)),
                    key: public(seed),
                    vrf_key: public(seed),
                })
                .collect(),
        );
        let members = Members::new(&set).expect("four");
        let mut evidence =
            MisbehaviorEvidence { proposals: Default::default(), votes: Default::default() };
        for seed in [2, 9] {
            evidence.votes.add(vote(seed, Some(1)), vote(seed, None));
        }
        let found = double_votes(CHAIN, &evidence, &members);
        assert_eq!(found.len(), 1);
        let DoubleVote { key, first, second } = &found[0];
        assert_eq!(*key, public(2));
        assert_ne!(first.0.anchor, second.0.anchor);
        for (statement, signature) in [first, second] {
            assert!(key.verifies(&statement.digest(), signature));
        }
    }
}
