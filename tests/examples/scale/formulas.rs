//! The network as a whole: how much of everything happens in it in a day.

use super::constants::{Assumed, Count, DAY, design, limit, measured, wire};

/// What is changed against the design as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// A validator signs one vote a second for all lanes, statements and votes stay among
    /// routers, and nodes tell their height to neighbours alone.
    pub is_gossip_narrow: bool,
    /// Proofs of storage are verified in their zone; the ledger sees a root of each zone.
    pub are_proofs_zonal: bool,
    /// Replicas are one row of a node, the root of a list, instead of one each.
    pub are_replicas_listed: bool,
}

/// A network of so many members.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Members.
    pub members: Count,
    /// What is guessed.
    pub assumed: Assumed,
    /// What is changed.
    pub changes: Changes,
}

impl Network {
    /// The design as it stands.
    pub fn new(members: Count, assumed: Assumed) -> Network {
        Network { members, assumed, changes: Changes::default() }
    }

    /// At least four, so that one router may fail; as many as members need; at most 1,024.
    pub fn zones(&self) -> Count {
        self.members.div_ceil(limit::SEATS).clamp(4, limit::ZONES)
    }

    /// Routers that vote.
    pub fn validators(&self) -> Count {
        self.zones().min(limit::VALIDATORS)
    }

    /// Votes that decide.
    pub fn quorum(&self) -> Count {
        self.validators() * 2 / 3 + 1
    }

    /// Full nodes that are no routers.
    pub fn full_nodes(&self) -> Count {
        self.members.div_ceil(self.assumed.members_per_full)
    }

    /// Members with paid replicas.
    pub fn hosts(&self) -> Count {
        self.members.div_ceil(self.assumed.members_per_host)
    }

    /// Bytes of all openings of a paid host in an epoch, as event bodies.
    pub fn host_openings(&self) -> Count {
        let path = design::LEVELS * design::HASH;
        let tags = levels(self.assumed.replicas) * design::HASH;
        let opening = design::LEAF + path + tags;
        let sealing = design::SEALING_LEAVES * (design::LEAF + path);
        design::OPENINGS * opening + design::SEALING_OPENINGS * sealing
    }

    /// Bytes of all openings of a host without paid replicas.
    pub fn base_openings(&self) -> Count {
        let tags = levels(design::BASE_CHUNKS) * design::HASH;
        design::BASE_OPENINGS * (design::LEAF + design::LEVELS * design::HASH + tags)
    }

    /// Events and bytes of all proofs of storage.
    pub fn proofs(&self) -> (Count, Count) {
        if self.changes.are_proofs_zonal {
            let events = self.zones() * 2;
            return (events, events * (wire::EVENT + design::COMMITMENT));
        }
        let (hosts, others) = (self.hosts(), self.members - self.hosts());
        let of_host = self.host_openings().div_ceil(wire::BODY_MAX);
        let of_other = self.base_openings().div_ceil(wire::BODY_MAX);
        let openings = hosts * of_host + others * of_other;
        let bodies = hosts * self.host_openings() + others * self.base_openings();
        let commitments = self.members * (wire::EVENT + design::COMMITMENT);
        (self.members + openings, commitments + openings * wire::EVENT + bodies)
    }

    /// Heartbeats.
    pub fn heartbeats(&self) -> Count {
        self.members * limit::HEARTBEATS
    }

    /// Events of every kind.
    pub fn events(&self) -> Count {
        self.members * self.assumed.events + self.heartbeats() + self.proofs().0
    }

    /// Lane blocks: at worst one an event, at most ten a second and lane.
    pub fn blocks(&self) -> Count {
        self.zones() * self.events().div_ceil(self.zones()).min(limit::LANE_BLOCKS)
    }

    /// Bytes of all lane blocks.
    pub fn lane_bytes(&self) -> Count {
        let own = self.members * self.assumed.events * wire::TRANSFER;
        let bytes = own + self.heartbeats() * wire::HEARTBEAT + self.proofs().1;
        bytes + self.events() * wire::EVENT_IN_BLOCK + self.blocks() * wire::BLOCK
    }

    /// Anchors: every 10 s at rest; two for a block, until they follow each other.
    pub fn anchors(&self) -> Count {
        let most = DAY * 1_000 / self.assumed.anchor_ms;
        (self.blocks() * 2).clamp(limit::IDLE_ANCHORS.min(most), most)
    }

    /// Tips of an anchor, on average.
    pub fn tips(&self) -> Count {
        self.blocks().div_ceil(self.anchors()).min(self.zones())
    }

    /// Bytes of an anchor's body.
    pub fn body(&self) -> Count {
        wire::BODY + self.quorum() * wire::STATEMENT + self.tips() * wire::TIP
    }

    /// Bytes of a certificate.
    pub fn certificate(&self) -> Count {
        wire::CERTIFICATE + self.quorum() * wire::SIGNER
    }

    /// Bytes of all anchors with their certificates.
    pub fn anchor_bytes(&self) -> Count {
        self.anchors() * (wire::DECIDED + self.body() + self.certificate())
    }

    /// Availability votes: one of each validator for each block; or one a second each.
    pub fn votes(&self) -> Count {
        let moments = if self.changes.is_gossip_narrow { DAY } else { self.blocks() };
        self.validators() * moments.min(self.blocks())
    }

    /// Bytes of such a vote in gossip.
    pub fn vote_bytes(&self) -> Count {
        let lanes = self.blocks().div_ceil(DAY).min(self.zones());
        let more = if self.changes.is_gossip_narrow { lanes * wire::TIP } else { 0 };
        wire::NEWS_VOTE + self.assumed.gossip + more
    }

    /// Time statements: one of each validator for each anchor.
    pub fn statements(&self) -> Count {
        self.validators() * self.anchors()
    }

    /// News of heights that a router tells: after each anchor, and every two seconds.
    pub fn heights_of_one(&self) -> Count {
        self.anchors().max(limit::HEIGHTS_TOLD)
    }

    /// News of heights that reach every node.
    pub fn heights(&self) -> Count {
        let tellers = self.zones();
        let heard = if self.changes.is_gossip_narrow { tellers.min(6) } else { tellers };
        heard * self.heights_of_one()
    }

    /// Rows of the state.
    pub fn rows(&self) -> Count {
        self.members * limit::MEMBER_ROWS + self.proof_rows()
    }

    /// Rows that proofs of storage and replicas would add: a set's root, and each replica.
    pub fn proof_rows(&self) -> Count {
        if self.changes.are_replicas_listed {
            return self.members * 2;
        }
        let replicas = self.members * design::BASE_CHUNKS + self.hosts() * self.assumed.replicas;
        self.members + replicas
    }
}

/// Levels of a binary tree over so many leaves.
pub fn levels(leaves: Count) -> Count {
    Count::from(leaves.max(1).next_power_of_two().trailing_zeros())
}

/// Bytes of memory for so many rows of the state, from two measured points.
pub fn memory(rows: Count) -> Count {
    let slope = measured::MEMORY_5M - measured::MEMORY_1M;
    let fixed = measured::MEMORY_1M - slope / 4;
    fixed + rows * slope / 4_000_000
}

/// Milliseconds to open a book of so many rows, from two measured points.
pub fn open_ms(rows: Count) -> Count {
    let slope = measured::OPEN_MS_5M - measured::OPEN_MS_1M;
    measured::OPEN_MS_1M - slope / 4 + rows * slope / 4_000_000
}
