//! Reporting a router that signed two ways.

use ddt_ledger::certificate::VoteStatement;
use ddt_ledger::codec::encode;
use ddt_ledger::context::Context;
use ddt_ledger::lane::{SignedHeader, SoftReceipt};
use ddt_ledger::routers::{
    ConflictError, Fault, Place, RouterEvent, RouterKey, Routers, Statement, conflict,
    is_answered_for,
};
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{ChainId, PublicKey, Refusal, Signature, event, refusals};

event! {
    /// Proves that a router signed two things of which it may sign one: its bond is lost.
    Evidence = "zones.evidence", Anyone,
    "Report that the router key {key} signed two different {fault} for one place"
    {
        /// What it signed two of.
        fault: Fault,
        /// The key that signed both.
        key: PublicKey,
        /// The first one: canonical bytes of a block's header, a vote or a soft receipt.
        first: Bytes<256>,
        /// Its signature.
        first_signature: Bytes<64>,
        /// The second one.
        second: Bytes<256>,
        /// Its signature.
        second_signature: Bytes<64>,
        /// Work in the place of the fee.
        stamp: Option<Stamp>,
    }
}

refusals! {
    FORM = "zones.evidence_form",
        "These are not two different statements about one place; a router may sign both.";
    SIGNATURE = "zones.evidence_signature", "The key did not sign both statements.";
    CHAIN = "zones.evidence_chain", "The statements are about another chain.";
    KEY = "zones.evidence_key", "The key is no router's now and was none's lately.";
    OLD = "zones.evidence_old",
        "Nobody answers for that place: it was not the key's, or it is too long ago.";
    KNOWN = "zones.evidence_known", "The router is out already.";
}

impl Evidence {
    /// Two headers that `key` signed for one place in a lane.
    pub fn of_blocks(key: PublicKey, first: &SignedHeader, second: &SignedHeader) -> Option<Self> {
        let (one, two) = (encode(&first.header), encode(&second.header));
        Evidence::new(Fault::Blocks, key, (one, first.signature), (two, second.signature))
    }

    /// Two votes that `key` signed for one round of one height.
    pub fn of_votes(
        key: PublicKey,
        first: (&VoteStatement, Signature),
        second: (&VoteStatement, Signature),
    ) -> Option<Self> {
        let (one, two) = (encode(first.0), encode(second.0));
        Evidence::new(Fault::Votes, key, (one, first.1), (two, second.1))
    }

    /// Two soft receipts that `key` signed for one number.
    pub fn of_receipts(
        key: PublicKey,
        first: (&SoftReceipt, Signature),
        second: (&SoftReceipt, Signature),
    ) -> Option<Self> {
        let (one, two) = (encode(first.0), encode(second.0));
        Evidence::new(Fault::Receipts, key, (one, first.1), (two, second.1))
    }

    fn new(
        fault: Fault,
        key: PublicKey,
        first: (Vec<u8>, Signature),
        second: (Vec<u8>, Signature),
    ) -> Option<Evidence> {
        Some(Evidence {
            fault,
            key,
            first: Bytes::new(first.0)?,
            first_signature: Bytes::new(first.1.0.to_vec())?,
            second: Bytes::new(second.0)?,
            second_signature: Bytes::new(second.1.0.to_vec())?,
            stamp: None,
        })
    }

    fn conflict(&self) -> Result<(ChainId, Place), Refusal> {
        let statement = |bytes: &'_ Bytes<256>, signature: &Bytes<64>| {
            let signature = signature.as_slice().try_into().map_err(|_| SIGNATURE)?;
            Ok::<_, Refusal>((bytes.as_slice().to_vec(), Signature(signature)))
        };
        let first = statement(&self.first, &self.first_signature)?;
        let second = statement(&self.second, &self.second_signature)?;
        let first = Statement { bytes: &first.0, signature: first.1 };
        let second = Statement { bytes: &second.0, signature: second.1 };
        conflict(self.fault, &self.key, first, second).map_err(|error| match error {
            ConflictError::Form => FORM,
            ConflictError::Signature => SIGNATURE,
        })
    }
}

impl RouterEvent for Evidence {
    const REFUSALS: &'static [Refusal] = &[FORM, SIGNATURE, CHAIN, KEY, OLD, KNOWN];
    const WORK: u32 = 6;
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn check(&self) -> Result<(), Refusal> {
        self.conflict().map(|_| ())
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        // Their signatures were checked before any state was asked.
        let (chain, place) = self.conflict()?;
        if chain != origin.chain {
            return Err(CHAIN);
        }
        let known = RouterKey::read(routers.book(), &self.key).ok_or(KEY)?;
        let router = routers.router(&known.account).ok_or(KEY)?;
        if router.is_out {
            return Err(KNOWN);
        }
        if !is_answered_for(routers.book(), cx, (&self.key, &known, &router), place) {
            return Err(OLD);
        }
        routers.punish(cx, known.account, origin.author)
    }
}
