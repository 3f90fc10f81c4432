//! Votes, proposals and certificates on the wire.

use arc_malachitebft_core_consensus::{LivenessMsg, SignedConsensusMsg};
use arc_malachitebft_core_types as engine;
use ddt_ledger::Hash;
use engine::{NilOrVal, Round, SignedMessage, VoteType};

use super::{Framed, SMALL_BYTES_MAX, WireError};
use crate::context::{Anchor, Ddt, Height, Proposal, Vote};
use crate::wire::{self, At, Turn};

pub(super) fn turn(round: Round) -> Result<Turn, WireError> {
    round.as_u32().map(Turn).ok_or(WireError::Meaning("a round is needed here"))
}

pub(super) fn round(turn: Turn) -> Round {
    Round::new(turn.0)
}

pub(super) fn optional_round(turn: Option<Turn>) -> Round {
    turn.map_or(Round::Nil, round)
}

fn kind(kind: VoteType) -> wire::Kind {
    match kind {
        VoteType::Prevote => wire::Kind::Prevote,
        VoteType::Precommit => wire::Kind::Precommit,
    }
}

fn vote_type(kind: wire::Kind) -> VoteType {
    match kind {
        wire::Kind::Prevote => VoteType::Prevote,
        wire::Kind::Precommit => VoteType::Precommit,
    }
}

fn optional(anchor: &NilOrVal<Hash>) -> Option<Hash> {
    match anchor {
        NilOrVal::Nil => None,
        NilOrVal::Val(anchor) => Some(*anchor),
    }
}

fn nil_or(anchor: Option<Hash>) -> NilOrVal<Hash> {
    anchor.map_or(NilOrVal::Nil, NilOrVal::Val)
}

fn vote_to(vote: &SignedMessage<Ddt, Vote>) -> Result<wire::Vote, WireError> {
    Ok(wire::Vote {
        kind: kind(vote.message.kind),
        height: At(vote.message.height.0),
        round: turn(vote.message.round)?,
        anchor: optional(&vote.message.anchor),
        voter: vote.message.voter,
        signature: vote.signature,
    })
}

fn vote_from(vote: wire::Vote) -> SignedMessage<Ddt, Vote> {
    let message = Vote {
        kind: vote_type(vote.kind),
        height: Height(vote.height.0),
        round: round(vote.round),
        anchor: nil_or(vote.anchor),
        voter: vote.voter,
    };
    SignedMessage::new(message, vote.signature)
}

fn proposal_to(proposal: &SignedMessage<Ddt, Proposal>) -> Result<wire::Proposal, WireError> {
    Ok(wire::Proposal {
        height: At(proposal.message.height.0),
        round: turn(proposal.message.round)?,
        anchor: proposal.message.anchor.0,
        pol_round: proposal.message.pol_round.as_u32().map(Turn),
        proposer: proposal.message.proposer,
        signature: proposal.signature,
    })
}

fn proposal_from(proposal: wire::Proposal) -> SignedMessage<Ddt, Proposal> {
    let message = Proposal {
        height: Height(proposal.height.0),
        round: round(proposal.round),
        anchor: Anchor(proposal.anchor),
        pol_round: optional_round(proposal.pol_round),
        proposer: proposal.proposer,
    };
    SignedMessage::new(message, proposal.signature)
}

impl Framed for SignedConsensusMsg<Ddt> {
    type Wire = wire::Signed;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Signed, WireError> {
        Ok(match self {
            SignedConsensusMsg::Vote(vote) => wire::Signed::Vote(vote_to(vote)?),
            SignedConsensusMsg::Proposal(proposal) => {
                wire::Signed::Proposal(proposal_to(proposal)?)
            }
        })
    }

    fn from_wire(wire: wire::Signed) -> Result<Self, WireError> {
        Ok(match wire {
            wire::Signed::Vote(vote) => SignedConsensusMsg::Vote(vote_from(vote)),
            wire::Signed::Proposal(proposal) => {
                SignedConsensusMsg::Proposal(proposal_from(proposal))
            }
        })
    }
}

fn polka_to(polka: &engine::PolkaCertificate<Ddt>) -> Result<wire::Certificate, WireError> {
    let pairs = polka.polka_signatures.iter().map(|one| (one.address, one.signature));
    Ok(wire::Certificate {
        height: At(polka.height.0),
        round: turn(polka.round)?,
        anchor: polka.value_id,
        signatures: wire::List(pairs.collect()),
    })
}

fn polka_from(wire: wire::Certificate) -> engine::PolkaCertificate<Ddt> {
    let pairs = wire.signatures.0.into_iter();
    engine::PolkaCertificate {
        height: Height(wire.height.0),
        round: round(wire.round),
        value_id: wire.anchor,
        polka_signatures: pairs.map(|(a, s)| engine::PolkaSignature::new(a, s)).collect(),
    }
}

impl Framed for engine::PolkaCertificate<Ddt> {
    type Wire = wire::Certificate;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Certificate, WireError> {
        polka_to(self)
    }

    fn from_wire(wire: wire::Certificate) -> Result<Self, WireError> {
        Ok(polka_from(wire))
    }
}

fn round_to(
    certificate: &engine::RoundCertificate<Ddt>,
) -> Result<wire::RoundCertificate, WireError> {
    let votes = certificate.round_signatures.iter().map(|vote| wire::RoundVote {
        kind: kind(vote.vote_type),
        anchor: optional(&vote.value_id),
        voter: vote.address,
        signature: vote.signature,
    });
    Ok(wire::RoundCertificate {
        height: At(certificate.height.0),
        round: turn(certificate.round)?,
        reason: match certificate.cert_type {
            engine::RoundCertificateType::Skip => wire::RoundReason::Skip,
            engine::RoundCertificateType::Precommit => wire::RoundReason::Precommit,
        },
        votes: wire::List(votes.collect()),
    })
}

fn round_from(wire: wire::RoundCertificate) -> engine::RoundCertificate<Ddt> {
    let votes = wire.votes.0.into_iter().map(|vote| {
        let (kind, anchor) = (vote_type(vote.kind), nil_or(vote.anchor));
        engine::RoundSignature::new(kind, anchor, vote.voter, vote.signature)
    });
    engine::RoundCertificate {
        height: Height(wire.height.0),
        round: round(wire.round),
        cert_type: match wire.reason {
            wire::RoundReason::Skip => engine::RoundCertificateType::Skip,
            wire::RoundReason::Precommit => engine::RoundCertificateType::Precommit,
        },
        round_signatures: votes.collect(),
    }
}

impl Framed for LivenessMsg<Ddt> {
    type Wire = wire::Liveness;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Liveness, WireError> {
        Ok(match self {
            LivenessMsg::Vote(vote) => wire::Liveness::Vote(vote_to(vote)?),
            LivenessMsg::PolkaCertificate(polka) => wire::Liveness::Polka(polka_to(polka)?),
            LivenessMsg::SkipRoundCertificate(round) => wire::Liveness::Round(round_to(round)?),
        })
    }

    fn from_wire(wire: wire::Liveness) -> Result<Self, WireError> {
        Ok(match wire {
            wire::Liveness::Vote(vote) => LivenessMsg::Vote(vote_from(vote)),
            wire::Liveness::Polka(polka) => LivenessMsg::PolkaCertificate(polka_from(polka)),
            wire::Liveness::Round(round) => LivenessMsg::SkipRoundCertificate(round_from(round)),
        })
    }
}
