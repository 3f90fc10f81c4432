//! Signing and checking, each kind of message in its own domain and bound to the chain.

use std::fmt;
use std::sync::Arc;

use arc_malachitebft_app_channel::app::types::Keypair;
use arc_malachitebft_core_types as engine;
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use ddt_ledger::certificate::{VoteKind, VoteStatement};
use ddt_ledger::codec::encode;
use ddt_ledger::{ChainId, Domain, Hash, PublicKey, Signature};
use ed25519_dalek::{Signer as _, SigningKey};
use engine::{NilOrVal, SignedMessage, ValidatorProof, VoteExtensionScope, VoteType};
use zeroize::Zeroizing;

use crate::context::{Address, Anchor, Ddt, Part, Proposal, Vote};

/// A router's two secrets: the key it votes with, and its identity on the routers' mesh.
/// Both must stay the same over restarts. No two running processes may share them.
pub struct ConsensusKeys {
    router: Zeroizing<[u8; 32]>,
    transport: Zeroizing<[u8; 32]>,
}

impl ConsensusKeys {
    /// Keys from their seeds: the router's Ed25519 key, and its libp2p identity.
    pub fn new(router: Zeroizing<[u8; 32]>, transport: Zeroizing<[u8; 32]>) -> ConsensusKeys {
        ConsensusKeys { router, transport }
    }

    /// The key under which validator sets know this router.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.signing_key().verifying_key().to_bytes())
    }

    /// What follows `/p2p/` in this router's address on the mesh.
    pub fn transport_id(&self) -> Option<String> {
        self.keypair().map(|pair| pair.public().to_peer_id().to_string())
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.router)
    }

    pub(crate) fn keypair(&self) -> Option<Keypair> {
        Keypair::ed25519_from_bytes(Zeroizing::new(*self.transport).as_mut_slice()).ok()
    }
}

impl fmt::Debug for ConsensusKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsensusKeys").field("router", &self.public_key()).finish_non_exhaustive()
    }
}

/// Signs for one router on one chain.
#[derive(Clone)]
pub(crate) struct Hand {
    chain: ChainId,
    key: Arc<SigningKey>,
}

impl Hand {
    pub(crate) fn new(chain: ChainId, key: SigningKey) -> Hand {
        Hand { chain, key: Arc::new(key) }
    }

    pub(crate) fn sign_part(&self, height: u64, round: u32, by: Address, body: &[u8]) -> Signature {
        self.sign(&part_digest(self.chain, height, round, by, Anchor::of(body)))
    }

    fn sign(&self, digest: &Hash) -> Signature {
        Signature(self.key.sign(digest.as_bytes()).to_bytes())
    }
}

/// Checks what others signed on one chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eye {
    chain: ChainId,
}

impl Eye {
    pub(crate) fn new(chain: ChainId) -> Eye {
        Eye { chain }
    }

    pub(crate) fn part_is_signed(&self, part: &Part, key: &PublicKey) -> bool {
        let anchor = Anchor::of(&part.body);
        let digest = part_digest(self.chain, part.height.0, part.round, part.proposer, anchor);
        key.verifies(&digest, &part.signature)
    }

    pub(crate) fn vote_is_signed(&self, vote: &Vote, sig: &Signature, key: &PublicKey) -> bool {
        digest_of_vote(self.chain, vote).is_some_and(|digest| key.verifies(&digest, sig))
    }
}

/// What a vote says; none for a vote of no round, which nobody may sign.
pub(crate) fn statement(chain: ChainId, vote: &Vote) -> Option<VoteStatement> {
    let kind = match vote.kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    };
    let anchor = match vote.anchor {
        NilOrVal::Nil => None,
        NilOrVal::Val(anchor) => Some(anchor),
    };
    let (height, round) = (vote.height.0, vote.round.as_u32()?);
    Some(VoteStatement { chain, kind, height, round, anchor, voter: vote.voter.0 })
}

fn digest_of_vote(chain: ChainId, vote: &Vote) -> Option<Hash> {
    Some(statement(chain, vote)?.digest())
}

fn digest_of_proposal(chain: ChainId, proposal: &Proposal) -> Option<Hash> {
    let round = proposal.round.as_u32()?;
    let bytes = encode(&(
        chain,
        proposal.height,
        round,
        proposal.anchor.0,
        proposal.pol_round.as_u32(),
        proposal.proposer,
    ));
    Some(Domain::PROPOSAL.hash(&[&bytes]))
}

fn part_digest(chain: ChainId, height: u64, round: u32, by: Address, anchor: Anchor) -> Hash {
    Domain::PROPOSAL_PART.hash(&[&encode(&(chain, height, round, by, anchor.0))])
}

fn digest_of_proof(chain: ChainId, key: &[u8], peer: &[u8]) -> Hash {
    Domain::VALIDATOR_PROOF.hash(&[&encode(&(chain, key, peer))])
}

#[async_trait]
impl Signer<Ddt> for Hand {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Ddt, Vote>, Error> {
        let digest = digest_of_vote(self.chain, &vote).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(vote, self.sign(&digest)))
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<Ddt, Proposal>, Error> {
        let digest = digest_of_proposal(self.chain, &proposal).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(proposal, self.sign(&digest)))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Ddt>,
        _: (),
    ) -> Result<SignedMessage<Ddt, ()>, Error> {
        Err(Error::new())
    }

    async fn sign_validator_proof(
        &self,
        key: Vec<u8>,
        peer: Vec<u8>,
    ) -> Result<ValidatorProof<Ddt>, Error> {
        let signature = self.sign(&digest_of_proof(self.chain, &key, &peer));
        Ok(ValidatorProof::new(key, peer, signature))
    }
}

#[async_trait]
impl Verifier<Ddt> for Eye {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::from_bool(self.vote_is_signed(vote, signature, key)))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let digest = digest_of_proposal(self.chain, proposal);
        let valid = digest.is_some_and(|digest| key.verifies(&digest, signature));
        Ok(VerificationResult::from_bool(valid))
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Ddt>,
        _: &(),
        _: &Signature,
        _: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Ddt>,
    ) -> Result<VerificationResult, Error> {
        let digest = digest_of_proof(self.chain, &proof.public_key, &proof.peer_id);
        let valid =
            proof.decoded_public_key().is_ok_and(|key| key.verifies(&digest, &proof.signature));
        Ok(VerificationResult::from_bool(valid))
    }
}
