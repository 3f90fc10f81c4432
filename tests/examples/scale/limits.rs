//! What stops first: each limit, and the number of members that reaches it.

use super::constants::{BASE, Count, DAY, design, limit, measured, wire};
use super::formulas::{Changes, Network, memory, open_ms};
use super::nodes::{Kind, core_seconds, cost, gossip, peak_events};

/// What one machine may be asked for, chosen by us: 20 Mbit/s day and night.
pub const LINK_BYTES: Count = 216_000_000_000;
/// A terabyte a year.
pub const DISK_BYTES: Count = 1_000_000_000_000 / 365;
/// Memory for the state.
pub const MEMORY_BYTES: Count = 16_000_000_000;
/// How long a node may take to start.
pub const OPEN_MS: Count = 600_000;
/// Members up to which is looked.
const MEMBERS_MAX: Count = 100_000_000_000;

/// A limit.
pub struct Limit {
    /// Of what.
    pub what: &'static str,
    /// Where it stands: in the code today, or a budget of ours.
    pub bound: &'static str,
    /// What must change.
    pub change: &'static str,
    /// What a network uses of it, and how much there is.
    pub share: fn(&Network) -> (Count, Count),
}

/// Every limit.
pub const LIMITS: [Limit; 19] = [
    Limit {
        what: "stamps of heartbeats",
        bound: "`stamp_target`: above it each period's stamps are twice as dear",
        change: "stamps counted by zone, or no heartbeat from whoever proves storage",
        share: |n| (n.heartbeats(), limit::STAMPS),
    },
    Limit {
        what: "newcomers' seats",
        bound: "a quarter of 1,024 × 1,024, and every member is a newcomer today",
        change: "standing (it needs proofs of storage)",
        share: |n| (n.members, limit::SEATS / limit::NEWCOMER_SHARE * limit::ZONES),
    },
    Limit {
        what: "seats",
        bound: "1,024 × 1,024",
        change: "larger zones (a parameter), then more lanes than an anchor's tips",
        share: |n| (n.members, limit::SEATS * limit::ZONES),
    },
    Limit {
        what: "link: all that a full node takes in",
        bound: "20 Mbit/s",
        change: "votes and heights first: they are nearly all of it",
        share: |n| (cost(n, Kind::Full).bytes_in, LINK_BYTES),
    },
    Limit {
        what: "link: heights told by routers to everybody",
        bound: "20 Mbit/s",
        change: "heights go to neighbours alone",
        share: |n| (gossip(n, false).heights, LINK_BYTES),
    },
    Limit {
        what: "link: availability votes",
        bound: "20 Mbit/s",
        change: "one vote a second for all lanes, among routers alone",
        share: |n| (gossip(n, false).votes, LINK_BYTES),
    },
    Limit {
        what: "link: time statements",
        bound: "20 Mbit/s",
        change: "the same: among routers alone",
        share: |n| (gossip(n, false).statements, LINK_BYTES),
    },
    Limit {
        what: "link: members' own events",
        bound: "20 Mbit/s",
        change: "fewer events: channels, batches; else execution in zones",
        share: |n| (n.members * n.assumed.events * wire::TRANSFER, LINK_BYTES),
    },
    Limit {
        what: "link: proofs of storage, their hour",
        bound: "20 Mbit/s in the window for openings",
        change: "windows spread over the day; proofs verified in zones",
        share: |n| (n.proofs().1, LINK_BYTES / design::WINDOW_SHARE),
    },
    Limit {
        what: "a router sends its lane to all full nodes",
        bound: "20 Mbit/s",
        change: "full nodes fetch blocks from each other, not from routers alone",
        share: |n| (n.lane_bytes() / n.zones() * (n.full_nodes() + n.zones()), LINK_BYTES),
    },
    Limit {
        what: "a core that verifies news",
        bound: "65 µs each",
        change: "the same as for heights and votes; news verified in batches",
        share: |n| (core_seconds(n).1, DAY),
    },
    Limit {
        what: "news of one validator",
        bound: "`news_rate`: 5,000 a second, the rest is dropped",
        change: "one vote a second for all lanes",
        share: |n| ((n.votes() + n.statements()) / n.validators() / DAY, limit::NEWS_RATE),
    },
    Limit {
        what: "disk of a full node that keeps all history",
        bound: "a terabyte a year",
        change: "nodes that prune (`history.epochs`); archives that share history",
        share: |n| (cost(n, Kind::Full).disk, DISK_BYTES),
    },
    Limit {
        what: "memory: rows there are today",
        bound: "16 GB",
        change: "the tree's lower levels on disk; an account's rows joined",
        share: |n| (memory(n.members * limit::MEMBER_ROWS), MEMORY_BYTES),
    },
    Limit {
        what: "memory: with a row for each replica",
        bound: "16 GB",
        change: "one row a node: the root of the list of its replicas",
        share: |n| (memory(n.rows()), MEMORY_BYTES),
    },
    Limit {
        what: "start of a node, with a row for each replica",
        bound: "ten minutes",
        change: "a tree that is kept on disk",
        share: |n| (open_ms(n.rows()), OPEN_MS),
    },
    Limit {
        what: "execution in the busiest hour",
        bound: "15,010 events/s, two cores",
        change: "more cores for signatures; then execution in zones",
        share: |n| (peak_events(n), measured::EVENTS_PER_SECOND),
    },
    Limit {
        what: "following a year of history in a month",
        bound: "15,010 events/s",
        change: "beginning with a snapshot, as nodes do; for all history more cores",
        share: |n| (n.events() * 365, measured::EVENTS_PER_SECOND * DAY * 30),
    },
    Limit {
        what: "deadlines of leases",
        bound: "`anchor_deadlines_max` in each anchor",
        change: "a larger parameter; leases checked zone by zone",
        share: |n| (n.members / 7, limit::DEADLINES * n.anchors()),
    },
];

impl Limit {
    /// The least number of members that reaches it, if any that is looked at does.
    pub fn reached_at(&self, changes: Changes) -> Option<Count> {
        let is_reached = |members: Count| {
            let (used, bound) = (self.share)(&Network { members, assumed: BASE, changes });
            used >= bound
        };
        if !is_reached(MEMBERS_MAX) {
            return None;
        }
        let (mut below, mut reached) = (0, MEMBERS_MAX);
        while reached - below > 1 {
            let middle = (below + reached) / 2;
            if is_reached(middle) { reached = middle } else { below = middle }
        }
        Some(reached)
    }
}
