//! A validator that votes twice, for tests: a second vote for nothing goes out before each vote
//! for an anchor. The engine knows nothing of it.

use arc_malachitebft_app_channel::app::config::NodeConfig as _;
use arc_malachitebft_app_channel::app::metrics::SharedRegistry;
use arc_malachitebft_app_channel::{NetworkIdentity, NetworkMsg, spawn};
use arc_malachitebft_core_consensus::SignedConsensusMsg;
use arc_malachitebft_core_types::{NilOrVal, SignedMessage, ValidatorProof, VoteExtensionScope};
use arc_malachitebft_engine::network::{NetworkMsg as ToNetwork, NetworkRef};
use arc_malachitebft_signing::{Error, Signer};
use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::codec::DdtCodec;
use crate::config::EngineConfig;
use crate::context::{Ddt, Proposal, Vote};
use crate::error::ConsensusError;
use crate::signing::Hand;
use crate::start::failed;

/// The engine's network, as it makes it itself.
pub(crate) async fn network(
    config: &EngineConfig,
    identity: NetworkIdentity,
) -> Result<(NetworkRef<Ddt>, mpsc::Sender<NetworkMsg<Ddt>>), ConsensusError> {
    let registry = SharedRegistry::global().with_moniker(config.moniker());
    let (consensus, sync) = (config.consensus(), config.value_sync());
    spawn::spawn_network_actor(identity, consensus, sync, &registry, DdtCodec).await.map_err(failed)
}

/// Signs whatever the engine asks it to sign, and a vote for nothing beside each vote.
pub(crate) struct TwoVotes {
    hand: Hand,
    network: NetworkRef<Ddt>,
}

impl TwoVotes {
    pub(crate) fn new(hand: Hand, network: NetworkRef<Ddt>) -> TwoVotes {
        TwoVotes { hand, network }
    }
}

#[async_trait]
impl Signer<Ddt> for TwoVotes {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Ddt, Vote>, Error> {
        if vote.anchor != NilOrVal::Nil {
            let other = Vote { anchor: NilOrVal::Nil, ..vote.clone() };
            let other = SignedConsensusMsg::Vote(self.hand.sign_vote(other).await?);
            let _ = self.network.cast(ToNetwork::PublishConsensusMsg(other));
        }
        self.hand.sign_vote(vote).await
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<Ddt, Proposal>, Error> {
        self.hand.sign_proposal(proposal).await
    }

    async fn sign_vote_extension(
        &self,
        scope: VoteExtensionScope<Ddt>,
        extension: (),
    ) -> Result<SignedMessage<Ddt, ()>, Error> {
        self.hand.sign_vote_extension(scope, extension).await
    }

    async fn sign_validator_proof(
        &self,
        key: Vec<u8>,
        peer: Vec<u8>,
    ) -> Result<ValidatorProof<Ddt>, Error> {
        self.hand.sign_validator_proof(key, peer).await
    }
}
