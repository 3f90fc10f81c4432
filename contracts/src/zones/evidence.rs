//! Reporting a router that signed two ways.

use borsh::BorshSerialize;
use ddt_ledger::certificate::VoteStatement;
use ddt_ledger::codec::encode;
use ddt_ledger::context::Context;
use ddt_ledger::lane::{SignedHeader, SoftReceipt};
use ddt_ledger::params::Params;
use ddt_ledger::routers::{
    ConflictError, FIRST_BYTES_MAX, Fault, Place, Router, RouterEvent, RouterKey, Routers,
    SECOND_BYTES_MAX, Sealed, Statement, conflict, is_answered_for,
};
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::table::Rows;
use ddt_ledger::{AccountId, ChainId, Millis, PublicKey, Refusal, Signature, event, refusals};

event! {
    /// Proves that a router signed two things of which it may sign one: its bond is lost.
    Evidence = "zones.evidence", Anyone,
    "Report that the router key {key} signed two ways about one place: {fault}"
    {
        /// What it signed two of, or that it broke a promise.
        fault: Fault,
        /// The key that signed both.
        key: PublicKey,
        /// The first one: canonical bytes of a block's header, a vote or a soft receipt.
        first: Bytes<FIRST_BYTES_MAX>,
        /// Its signature.
        first_signature: Bytes<64>,
        /// The second one; of a broken promise, the block's header with what it has there.
        second: Bytes<SECOND_BYTES_MAX>,
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
        let [first, second] = [first, second].map(|block| (&block.header, block.signature));
        Evidence::new(Fault::Blocks, key, first, second)
    }

    /// Two votes that `key` signed for one round of one height.
    pub fn of_votes(
        key: PublicKey,
        first: (&VoteStatement, Signature),
        second: (&VoteStatement, Signature),
    ) -> Option<Self> {
        Evidence::new(Fault::Votes, key, first, second)
    }

    /// Two soft receipts that `key` signed for one number.
    pub fn of_receipts(
        key: PublicKey,
        first: (&SoftReceipt, Signature),
        second: (&SoftReceipt, Signature),
    ) -> Option<Self> {
        Evidence::new(Fault::Receipts, key, first, second)
    }

    /// A soft receipt that `key` signed, and what of a block that it signed breaks it.
    pub fn of_promise(
        key: PublicKey,
        first: (&SoftReceipt, Signature),
        second: (&Sealed, Signature),
    ) -> Option<Self> {
        Evidence::new(Fault::Promise, key, first, second)
    }

    fn new(
        fault: Fault,
        key: PublicKey,
        first: (&impl BorshSerialize, Signature),
        second: (&impl BorshSerialize, Signature),
    ) -> Option<Evidence> {
        Some(Evidence {
            fault,
            key,
            first: Bytes::new(encode(first.0))?,
            first_signature: Bytes::new(first.1.0.to_vec())?,
            second: Bytes::new(encode(second.0))?,
            second_signature: Bytes::new(second.1.0.to_vec())?,
            stamp: None,
        })
    }

    /// Whose bond it costs at a state of this chain; `clock` is the epoch clock.
    ///
    /// # Errors
    /// The refusal that it would meet.
    pub fn accused<R: Rows + ?Sized>(
        &self,
        rows: &R,
        chain: ChainId,
        (clock, params): (Millis, &Params),
    ) -> Result<AccountId, Refusal> {
        let (of, place) = self.conflict()?;
        if of != chain {
            return Err(CHAIN);
        }
        let known = RouterKey::read(rows, &self.key).ok_or(KEY)?;
        let router = Router::read(rows, &known.account).ok_or(KEY)?;
        if router.is_out {
            return Err(KNOWN);
        }
        match is_answered_for(rows, (clock, params), (&self.key, &known, &router), place) {
            true => Ok(known.account),
            false => Err(OLD),
        }
    }

    fn conflict(&self) -> Result<(ChainId, Place), Refusal> {
        let statement = |bytes, signature: &Bytes<64>| {
            let signature = signature.as_slice().try_into().map_err(|_| SIGNATURE)?;
            Ok::<_, Refusal>(Statement { bytes, signature: Signature(signature) })
        };
        let first = statement(self.first.as_slice(), &self.first_signature)?;
        let second = statement(self.second.as_slice(), &self.second_signature)?;
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
        let now = (cx.clock, &cx.params);
        let account = self.accused(routers.book(), origin.chain, now)?;
        routers.punish(cx, account, origin.author)
    }
}
