//! What a network costs one node of each kind in a day.

use super::constants::{Count, DAY, design, limit, measured, wire};
use super::formulas::{Network, levels, memory};

/// A kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A router that votes on anchors.
    Validator,
    /// A router that only seals its lane.
    Router,
    /// Follows and executes everything, keeps everything.
    Full,
    /// The same, but keeps lanes and receipts for two epochs.
    Pruned,
    /// A member that hosts and follows nothing.
    Host,
    /// A person's wallet.
    Wallet,
}

/// All kinds, with their names.
pub const KINDS: [(Kind, &str); 6] = [
    (Kind::Validator, "a router that validates"),
    (Kind::Router, "a router that does not"),
    (Kind::Full, "a full node"),
    (Kind::Pruned, "a pruned full node"),
    (Kind::Host, "a member that only hosts"),
    (Kind::Wallet, "a wallet"),
];

/// What a node has to do in a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Bytes that come in.
    pub bytes_in: Count,
    /// Bytes that go out.
    pub bytes_out: Count,
    /// Messages that come in.
    pub messages: Count,
    /// Signatures that it makes.
    pub made: Count,
    /// Signatures that it verifies.
    pub verified: Count,
    /// Bytes that its disk grows.
    pub disk: Count,
    /// Bytes of memory for the state.
    pub memory: Count,
}

/// Bytes that come in by gossip, by cause.
#[derive(Clone, Copy, Debug)]
pub struct Gossip {
    /// Availability votes.
    pub votes: Count,
    /// Time statements.
    pub statements: Count,
    /// Heights of other nodes.
    pub heights: Count,
}

/// What gossip brings to a node that takes part in it.
pub fn gossip(network: &Network, is_router: bool) -> Gossip {
    let a = &network.assumed;
    let heard = if is_router || !network.changes.is_gossip_narrow { a.copies } else { 0 };
    Gossip {
        votes: network.votes() * network.vote_bytes() * heard,
        statements: network.statements() * (wire::NEWS_TIME + a.gossip) * heard,
        heights: network.heights() * (wire::NEWS_COMMITTED + a.gossip) * a.copies,
    }
}

impl Gossip {
    /// All of it.
    pub fn sum(&self) -> Count {
        self.votes + self.statements + self.heights
    }
}

/// Votes and proposals of consensus that reach one validator: count and bytes.
pub fn consensus(network: &Network) -> (Count, Count) {
    let a = &network.assumed;
    let votes = network.anchors() * 2 * network.validators();
    let vote = wire::CONSENSUS_VOTE + a.gossip;
    let proposal = network.body() + wire::PROPOSAL + a.gossip;
    let bytes = (votes * vote + network.anchors() * proposal) * a.copies;
    ((votes + network.anchors()) * a.copies, bytes)
}

/// A proof of one row, as a wallet asks for it: JSON, so everything in hex.
pub fn proof_bytes(network: &Network) -> Count {
    let path = levels(network.rows()) * 32;
    2 * (network.body() + network.certificate() + path) + 2 * network.assumed.http
}

/// What a node of this kind has to do.
pub fn cost(network: &Network, kind: Kind) -> Cost {
    match kind {
        Kind::Host => host(network),
        Kind::Wallet => wallet(network),
        _ => follower(network, kind),
    }
}

/// Signatures of a node that executes everything: of what it executes, then of gossip. The
/// teller's is verified on each copy of news; a vote's own twice, a statement's once.
pub fn verified(network: &Network, is_router: bool) -> (Count, Count) {
    let of_anchor = 2 * network.quorum();
    let executed = network.events() + network.blocks() + network.anchors() * of_anchor;
    let is_heard = is_router || !network.changes.is_gossip_narrow;
    let copies = network.assumed.copies;
    let votes = network.votes() * (copies + 2);
    let statements = network.statements() * (copies + 1);
    let heard = if is_heard { votes + statements } else { 0 };
    (executed, heard + network.heights() * copies)
}

fn follower(network: &Network, kind: Kind) -> Cost {
    let a = &network.assumed;
    let is_router = matches!(kind, Kind::Validator | Kind::Router);
    let news = gossip(network, is_router);
    let (executed, heard) = verified(network, is_router);
    let (lanes, anchors) = (network.lane_bytes(), network.anchor_bytes());
    let mut cost = Cost {
        bytes_in: lanes + anchors + news.sum(),
        bytes_out: news.sum() + anchors,
        messages: network.blocks()
            + network.anchors()
            + (network.votes() + network.statements() + network.heights()) * a.copies,
        made: network.heights_of_one(),
        verified: executed + heard,
        disk: network.events() * measured::STORE_PER_EVENT + lanes + anchors,
        memory: memory(network.rows()),
    };
    if is_router {
        // Its own blocks go to every router and every full node, its members' events come in.
        let zones = network.zones();
        let own = lanes / zones;
        cost.bytes_in += own + network.events() / zones * a.http;
        cost.bytes_out += own * (zones - 1 + network.full_nodes());
        cost.bytes_out += network.events() / zones * (wire::SEQUENCED + a.http);
        cost.messages += network.events() / zones;
        cost.made += (network.blocks() + network.events()) / zones;
    }
    if kind == Kind::Validator {
        let (messages, bytes) = consensus(network);
        cost.bytes_in += bytes - anchors.min(bytes);
        cost.bytes_out += bytes;
        cost.messages += messages;
        cost.verified += network.anchors() * 2 * network.validators();
        // Each news is signed for itself and once more as gossip.
        cost.made += 2 * (network.votes() / network.validators() + network.anchors());
        cost.made += network.anchors() * 2;
    }
    if kind == Kind::Pruned {
        // Rows, and two epochs of the rest, stay as many as they are.
        cost.disk = network.anchor_bytes();
    }
    cost
}

/// What a pruned node keeps for good: two epochs of everything, beside its rows.
pub fn pruned_bytes(network: &Network) -> Count {
    2 * cost(network, Kind::Full).disk
}

fn host(network: &Network) -> Cost {
    let a = &network.assumed;
    let held = design::BASE_CHUNKS + a.replicas;
    let arriving = held.div_ceil(a.replica_days);
    let served = held / 2;
    let openings = network.host_openings();
    let events = 1 + openings.div_ceil(wire::BODY_MAX) + limit::HEARTBEATS;
    let sent = events * wire::EVENT + design::COMMITMENT + openings;
    // It asks for its set and for both beacons, with proofs.
    let reads = 3 * proof_bytes(network);
    Cost {
        bytes_in: arriving * design::CHUNK + reads + events * (wire::SEQUENCED + a.http),
        bytes_out: served * design::CHUNK + sent + events * a.http,
        messages: arriving + served + events + 3,
        made: events + served * 4,
        verified: events + 3 * network.quorum() + served * 4,
        disk: 0,
        memory: 0,
    }
}

fn wallet(network: &Network) -> Cost {
    let a = &network.assumed;
    Cost {
        bytes_in: a.events * (wire::SEQUENCED + a.http) + proof_bytes(network),
        bytes_out: a.events * (wire::TRANSFER + a.http) + a.http,
        messages: a.events + 1,
        made: a.events,
        verified: a.events + network.quorum(),
        disk: 0,
        memory: 0,
    }
}

/// Core-seconds a day: what is executed in batches, what is heard one by one.
pub fn core_seconds(network: &Network) -> (Count, Count) {
    let (executed, heard) = verified(network, false);
    let batched = executed * 2 / measured::BATCHED_PER_SECOND;
    (batched, heard * measured::ALONE_US / 1_000_000)
}

/// The busiest hour's events a second.
pub fn peak_events(network: &Network) -> Count {
    network.events() * network.assumed.peak / DAY
}
