//! Following the validators from genesis by their handovers, to a certified state root.
//!
//! Nothing is trusted but the genesis file, and that fewer than a third of each set of
//! validators was ever malicious (spec SNP-7, PRF-1 … PRF-4).

use crate::anchor::{AnchorBody, Roots};
use crate::certificate::ValidatorSet;
use crate::genesis::Genesis;
use crate::ids::ChainId;
use crate::proof::{CertifiedAnchor, Handover, ProofError};

/// The validators that are trusted at some height.
#[derive(Clone, Debug)]
pub struct Trust {
    chain: ChainId,
    set: ValidatorSet,
    /// The set before the last handover: it signed that one.
    before: ValidatorSet,
    last: u64,
}

impl Trust {
    /// The validators of a genesis.
    ///
    /// # Errors
    /// A genesis that is none.
    pub fn of(genesis: &Genesis) -> Result<Trust, ProofError> {
        let state = genesis.state()?;
        let (set, before) = (state.validators.clone(), state.validators);
        Ok(Trust { chain: state.chain, set, before, last: 0 })
    }

    /// The height of the last handover followed; 0 before the first.
    pub fn height(&self) -> u64 {
        self.last
    }

    /// Follows the next handover.
    ///
    /// # Errors
    /// One that the trusted validators did not sign, that is out of its place, or that changes
    /// nothing: there is one for every change, and a peer must not send one for every anchor.
    pub fn follow(&mut self, handover: &Handover) -> Result<(), ProofError> {
        let body = handover.anchor.verify(self.chain, &self.set)?;
        let is_next = body.height > self.last;
        if !is_next || body.next_validators != handover.validators.hash() {
            return Err(ProofError::Anchor("handover is out of place"));
        }
        if handover.validators == self.set {
            return Err(ProofError::Anchor("handover changes nothing"));
        }
        self.last = body.height;
        self.before = std::mem::replace(&mut self.set, handover.validators.clone());
        Ok(())
    }

    /// The roots after an anchor, which the one after it names. Every handover up to the
    /// former's height must have been followed: the validators that it names for the latter
    /// must be those who are trusted now. Signatures alone do not show that, for the sets before
    /// and after a handover may have a quorum in common.
    ///
    /// # Errors
    /// Anchors that are not neighbours, that the trusted validators did not sign, or of a height
    /// that handovers are missing for.
    pub fn roots(
        &self,
        own: &CertifiedAnchor,
        next: &CertifiedAnchor,
    ) -> Result<(AnchorBody, Roots), ProofError> {
        let after = next.verify(self.chain, &self.set)?;
        let height = own.certificate.height;
        let signers = if height == self.last { &self.before } else { &self.set };
        let body = own.verify(self.chain, signers)?;
        let is_next = body.height.checked_add(1) == Some(after.height);
        if !is_next || body.height < self.last || after.previous != own.certificate.anchor {
            return Err(ProofError::Anchor("the two are not neighbours"));
        }
        if body.next_validators != self.set.hash() {
            return Err(ProofError::Anchor("it names other validators: a handover is missing"));
        }
        Ok((body, Roots { state: after.state_root, receipts: after.receipts_root }))
    }
}
