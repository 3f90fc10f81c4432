//! Router cards: the own one told and published, those of others looked up and kept for all.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use ddt_ledger::{ChainId, Domain, PublicKey};
use libp2p::PeerId;
use libp2p_kad::store::RecordStore;
use libp2p_kad::{
    GetClosestPeersError, GetRecordOk, QueryId, QueryResult, Quorum, Record, RecordKey,
};

use crate::bucket::Bucket;
use crate::card::SignedCard;
use crate::config::AskError;
use crate::host::Verdict;
use crate::message::{Message, News};
use crate::net::lock;
use crate::task::Task;
use crate::task::worker::take_card;

/// Where a router's card is kept in the table of all nodes.
const RECORD: Domain = Domain("ddt v1 router card record");
/// The own card is told and published this often.
const TELL_EVERY: Duration = Duration::from_secs(600);
/// Peers that came since are told soon.
const TELL_SOON: Duration = Duration::from_secs(1);
/// A card of a router to stay connected with is looked for this often.
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);
/// Most questions to the table of all nodes at one time.
const QUERIES_MAX: usize = 64;

/// What a question to the table of all nodes is for.
#[derive(Clone, Debug, PartialEq)]
enum Query {
    Card(PublicKey),
    Publish,
    Peer(PeerId),
}

/// What there is to do about cards.
pub(super) struct Cards {
    own: Option<SignedCard>,
    due: Option<Instant>,
    /// The version of the book that was looked at last.
    seen: u64,
    queries: HashMap<QueryId, Query>,
    looked_up: BTreeMap<PublicKey, Instant>,
    /// Signatures that this task checks itself.
    checks: Bucket,
}

impl Cards {
    pub(super) fn new(now: Instant) -> Cards {
        Cards {
            own: None,
            due: None,
            seen: 0,
            queries: HashMap::new(),
            looked_up: BTreeMap::new(),
            checks: Bucket::new(100.0, 200.0, now),
        }
    }
}

/// The key of a router's card in the table of all nodes.
pub(crate) fn record_key(chain: ChainId, router: &PublicKey) -> RecordKey {
    RecordKey::new(&RECORD.hash(&[chain.0.as_bytes(), &router.0]).0)
}

fn record(chain: ChainId, card: &SignedCard) -> Record {
    // Without publisher: nothing of who asks or keeps is said to anybody.
    Record::new(record_key(chain, &card.card.router), card.encode())
}

impl Task {
    pub(super) fn on_card(&mut self, card: Option<SignedCard>) {
        lock(&self.shared.cards).set_own(card.clone());
        self.cards.due = card.as_ref().map(|_| Instant::now());
        self.cards.own = card;
        self.look_after_cards(Instant::now());
    }

    /// There is a new peer, which may not know it.
    pub(super) fn tell_own_card_soon(&mut self) {
        let soon = Instant::now() + TELL_SOON;
        self.cards.due = self.cards.due.map(|due| due.min(soon));
    }

    pub(super) fn look_after_cards(&mut self, now: Instant) {
        self.look_at_cards();
        if self.cards.due.is_some_and(|due| due <= now)
            && let Some(own) = self.cards.own.clone()
        {
            self.cards.due = Some(now + TELL_EVERY);
            let key = record_key(self.names.chain(), &own.card.router);
            self.tell(&News::Card(Box::new(own)));
            let closest = self.swarm.behaviour_mut().kad.get_closest_peers(key.to_vec());
            self.cards.queries.insert(closest, Query::Publish);
        }
    }

    /// If cards came since: they are kept for others, and what waited for them goes on.
    pub(super) fn look_at_cards(&mut self) {
        let (version, all) = {
            let book = lock(&self.shared.cards);
            if book.version() == self.cards.seen {
                return;
            }
            (book.version(), book.all())
        };
        self.cards.seen = version;
        let chain = self.names.chain();
        let keys: Vec<RecordKey> =
            all.iter().map(|signed| record_key(chain, &signed.card.router)).collect();
        let store = self.swarm.behaviour_mut().kad.store_mut();
        store.retain(|key, _| keys.contains(key));
        for card in &all {
            if let Err(error) = store.put(record(chain, card)) {
                tracing::debug!(%error, "a card is not kept for others");
            }
        }
        for router in self.looked_for() {
            if all.iter().any(|signed| signed.card.router == router) {
                self.looked_up(&router);
            }
        }
        let now = Instant::now();
        self.dialling.cards_came(now);
        self.dial_what_is_due(now);
    }

    /// Looks a router's card up.
    pub(super) fn look_up(&mut self, router: PublicKey) {
        let query = Query::Card(router);
        let is_under_way = self.cards.queries.values().any(|other| *other == query);
        if is_under_way || self.cards.queries.len() >= QUERIES_MAX {
            return;
        }
        let key = record_key(self.names.chain(), &router);
        let id = self.swarm.behaviour_mut().kad.get_record(key);
        self.cards.queries.insert(id, query);
    }

    /// Looks it up, unless that was done just now.
    pub(super) fn look_up_slowly(&mut self, router: PublicKey, now: Instant) {
        let last = self.cards.looked_up.get(&router);
        let is_known_in_vain = last.is_some_and(|last| now.duration_since(*last) < LOOK_UP_EVERY);
        if !is_known_in_vain && !self.peers.is_empty() {
            let keys = &self.routers.keys;
            self.cards.looked_up.retain(|router, _| keys.contains(router));
            self.cards.looked_up.insert(router, now);
            self.look_up(router);
        }
    }

    /// Asks others where a peer is. Says whether there is somebody to ask.
    pub(super) fn look_up_peer(&mut self, peer: PeerId) -> bool {
        let query = Query::Peer(peer);
        if self.cards.queries.values().any(|other| *other == query) {
            return true;
        }
        if self.peers.is_empty() || self.cards.queries.len() >= QUERIES_MAX {
            return false;
        }
        let id = self.swarm.behaviour_mut().kad.get_closest_peers(peer);
        self.cards.queries.insert(id, query);
        true
    }

    /// Somebody asks this node to keep a record: only newest cards of routers that count are.
    pub(super) fn on_record(&mut self, record: &Record) {
        let Ok(card) = SignedCard::decode(&record.value) else { return };
        let is_its_key = record.key == record_key(self.names.chain(), &card.card.router);
        let is_news = || {
            let now = (self.shared.clock)();
            lock(&self.shared.cards).judge(&card, now) == Verdict::Accept
        };
        // Only a signature that must be checked counts: else cards of nobody would shut out others.
        if !is_its_key || !is_news() || !self.cards.checks.take(Instant::now()) {
            return;
        }
        if take_card(&self.shared, &card) == Verdict::Accept {
            self.look_at_cards();
        }
    }

    pub(super) fn on_query(&mut self, id: QueryId, result: QueryResult, is_last: bool) {
        let Some(query) = self.cards.queries.get(&id).cloned() else { return };
        if is_last {
            self.cards.queries.remove(&id);
        }
        match (query, result) {
            (Query::Card(_), QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found)))) => {
                self.on_record(&found.record);
            }
            (Query::Publish, QueryResult::GetClosestPeers(result)) => {
                let peers = match result {
                    Ok(found) => found.peers,
                    Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                let peers: Vec<PeerId> = peers.into_iter().map(|peer| peer.peer_id).collect();
                if let Some(own) = &self.cards.own {
                    let record = record(self.names.chain(), own);
                    let kad = &mut self.swarm.behaviour_mut().kad;
                    kad.put_record_to(record, peers.into_iter(), Quorum::One);
                }
            }
            (Query::Peer(peer), QueryResult::GetClosestPeers(result)) => {
                let peers = match result {
                    Ok(found) => found.peers,
                    Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                for found in peers.into_iter().filter(|found| found.peer_id == peer) {
                    for address in crate::task::dialling::dialable(found.addrs) {
                        self.swarm.behaviour_mut().kad.add_address(&peer, address);
                    }
                }
                let is_here = self.peers.contains_key(&peer);
                if !is_here && !self.has_addresses(&peer) {
                    self.fail_waiting(&peer, AskError::Unknown);
                } else if !is_here && !self.dial_peer(peer) {
                    self.fail_waiting(&peer, AskError::Unreachable);
                }
            }
            (Query::Card(router), _) if is_last => self.looked_up(&router),
            _ => {}
        }
    }
}
