//! The newest card of each router that counts.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::{ChainId, Millis, PublicKey};

use crate::card::SignedCard;
use crate::host::Verdict;

/// Cards from further ahead of the own clock are not taken: nobody could replace them for long.
pub const AHEAD_MAX: Millis = Millis(10 * 60 * 1_000);

/// The cards that count: at most one a router.
pub(crate) struct CardBook {
    chain: ChainId,
    routers: BTreeSet<PublicKey>,
    cards: BTreeMap<PublicKey, SignedCard>,
    own: Option<SignedCard>,
    /// Rises with every change.
    version: u64,
}

impl CardBook {
    pub(crate) fn new(chain: ChainId) -> CardBook {
        CardBook { chain, routers: BTreeSet::new(), cards: BTreeMap::new(), own: None, version: 0 }
    }

    pub(crate) fn chain(&self) -> ChainId {
        self.chain
    }

    pub(crate) fn set_routers(&mut self, routers: &BTreeSet<PublicKey>) {
        self.routers.clone_from(routers);
        self.cards.retain(|router, _| routers.contains(router));
        self.take_own();
    }

    pub(crate) fn counts(&self, router: &PublicKey) -> bool {
        self.routers.contains(router)
    }

    /// This node's own card: it is passed on whether its router counts here or not.
    pub(crate) fn set_own(&mut self, card: Option<SignedCard>) {
        self.own = card;
        self.take_own();
    }

    /// Nobody else can have signed a newer one.
    fn take_own(&mut self) {
        if let Some(own) = self.own.clone().filter(|own| self.counts(&own.card.router)) {
            self.cards.insert(own.card.router, own);
        }
        self.version = self.version.wrapping_add(1);
    }

    pub(crate) fn get(&self, router: &PublicKey) -> Option<&SignedCard> {
        self.cards.get(router)
    }

    /// This node's own.
    pub(crate) fn own(&self) -> Option<&SignedCard> {
        self.own.as_ref()
    }

    /// All that are known, this node's own first.
    pub(crate) fn all(&self) -> Vec<SignedCard> {
        let own = self.own.iter().map(|own| own.card.router).next();
        let others = self.cards.values().filter(|signed| Some(signed.card.router) != own);
        self.own.iter().chain(others).cloned().collect()
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The router whose card names this transport key.
    pub(crate) fn router_at(&self, transport: &PublicKey) -> Option<PublicKey> {
        let mut cards = self.cards.values().map(|signed| &signed.card);
        cards.find(|card| card.transport == *transport).map(|card| card.router)
    }

    /// What a card is worth before its signature is looked at: `Accept` if it would be taken.
    pub(crate) fn judge(&self, signed: &SignedCard, now: Millis) -> Verdict {
        let card = &signed.card;
        if card.chain != self.chain || signed.check().is_err() {
            return Verdict::Reject;
        }
        let is_newer = self.cards.get(&card.router).is_none_or(|old| old.card.time < card.time);
        let is_early = card.time > now.plus(AHEAD_MAX);
        match self.routers.contains(&card.router) && is_newer && !is_early {
            true => Verdict::Accept,
            false => Verdict::Ignore,
        }
    }

    /// Takes a card whose signature was found good.
    pub(crate) fn take(&mut self, signed: SignedCard, now: Millis) -> Verdict {
        let verdict = self.judge(&signed, now);
        if verdict == Verdict::Accept {
            self.cards.insert(signed.card.router, signed);
            self.version = self.version.wrapping_add(1);
        }
        verdict
    }
}
