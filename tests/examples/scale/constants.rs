//! Every number that the tables start from, by where it comes from.

/// All quantities: bytes, counts, and milliseconds where the name says so.
pub type Count = u128;

/// Seconds of a day.
pub const DAY: Count = 86_400;

/// Sizes of encodings, in bytes. `tests/tests/scale.rs` makes each of them.
pub mod wire {
    use super::Count;

    /// A `bank.transfer` without a memo.
    pub const TRANSFER: Count = 233;
    /// A `zones.heartbeat` with its stamp.
    pub const HEARTBEAT: Count = 201;
    /// An event with an empty body.
    pub const EVENT: Count = 184;
    /// The longest body that an event may have.
    pub const BODY_MAX: Count = 16_384;
    /// A lane block without events: header, signature, count.
    pub const BLOCK: Count = 213;
    /// What an event costs in a block beside its own bytes: its length.
    pub const EVENT_IN_BLOCK: Count = 4;
    /// An anchor's body without statements and tips.
    pub const BODY: Count = 293;
    /// A time statement.
    pub const STATEMENT: Count = 104;
    /// A tip.
    pub const TIP: Count = 52;
    /// A certificate without signatures.
    pub const CERTIFICATE: Count = 48;
    /// A signature of a certificate, with its key.
    pub const SIGNER: Count = 96;
    /// What a decided anchor adds to body and certificate: the body's length.
    pub const DECIDED: Count = 4;
    /// News of an availability vote: version, kind, signed vote.
    pub const NEWS_VOTE: Count = 182;
    /// News of a time statement: version, kind, height, previous anchor, statement.
    pub const NEWS_TIME: Count = 146;
    /// News of a committed height: version, kind, height, anchor.
    pub const NEWS_COMMITTED: Count = 42;
    /// A vote in consensus (by its layout: the engine's package is not built for this test).
    pub const CONSENSUS_VOTE: Count = 132;
    /// What a proposal part adds to the body (by its layout, rounded up; no test holds it).
    pub const PROPOSAL: Count = 240;
    /// The answer to a submitted event: version, two kinds, soft receipt, signature.
    pub const SEQUENCED: Count = 159;
}

/// Parameters of a network and limits in the code, each a name that the test compares.
pub mod limit {
    use super::Count;

    /// Members of a zone, `zone_seats`.
    pub const SEATS: Count = 1_024;
    /// One in so many seats may be a newcomer's, and every member is one today (ZON-2).
    pub const NEWCOMER_SHARE: Count = 4;
    /// Lanes that one anchor moves, and so zones.
    pub const ZONES: Count = 1_024;
    /// Validators.
    pub const VALIDATORS: Count = 100;
    /// Anchors of an idle network a day, from `anchor_idle_ms`.
    pub const IDLE_ANCHORS: Count = 8_640;
    /// Blocks of a lane a day: one each 100 ms.
    pub const LANE_BLOCKS: Count = 864_000;
    /// How often a node tells its height a day, at least: every 2 s.
    pub const HEIGHTS_TOLD: Count = 43_200;
    /// Heartbeats of a member a day: three times before it would be inactive.
    pub const HEARTBEATS: Count = 2;
    /// Light stamps a day above which stamps grow: `stamp_target` in `stamp_period_ms`.
    pub const STAMPS: Count = 144_000;
    /// Deadlines of an anchor, `anchor_deadlines_max`.
    pub const DEADLINES: Count = 1_000;
    /// News a second of one author that others take, `news_rate`.
    pub const NEWS_RATE: Count = 5_000;
    /// Rows of a member: account, member, address, node key, and its lease in the agenda.
    pub const MEMBER_ROWS: Count = 5;
}

/// Measured, machine A of `docs/operate/performance.md`: two cores.
pub mod measured {
    use super::Count;

    /// Events a second through the ledger's whole path at 5 million accounts.
    pub const EVENTS_PER_SECOND: Count = 15_010;
    /// Signatures a second in batches, both cores.
    pub const BATCHED_PER_SECOND: Count = 67_367;
    /// Microseconds of a core to verify a signature alone.
    pub const ALONE_US: Count = 65;
    /// Bytes of store an event, at 1 million accounts.
    pub const STORE_PER_EVENT: Count = 1_426;
    /// Memory and opening at 1 and at 5 million accounts: the difference is the rows'.
    pub const MEMORY_1M: Count = 413_000_000;
    /// See `MEMORY_1M`.
    pub const MEMORY_5M: Count = 1_145_000_000;
    /// Milliseconds to open after a crash, at 1 million accounts.
    pub const OPEN_MS_1M: Count = 5_600;
    /// The same at 5 million.
    pub const OPEN_MS_5M: Count = 21_900;
}

/// The design of storage proofs, which no code implements yet: sizes from its description.
pub mod design {
    use super::Count;

    /// The body of a commitment.
    pub const COMMITMENT: Count = 270;
    /// A leaf of a chunk: 4 MiB in 4,096.
    pub const LEAF: Count = 1_024;
    /// Levels above a leaf.
    pub const LEVELS: Count = 12;
    /// A hash.
    pub const HASH: Count = 32;
    /// Openings of an epoch of a node that holds paid replicas.
    pub const OPENINGS: Count = 20;
    /// How many of them open the sealing too, with four parents and the data.
    pub const SEALING_OPENINGS: Count = 4;
    /// Leaves that opening the sealing adds, each with its path.
    pub const SEALING_LEAVES: Count = 5;
    /// Openings of a node that holds base replicas only.
    pub const BASE_OPENINGS: Count = 4;
    /// Base chunks of a node.
    pub const BASE_CHUNKS: Count = 16;
    /// A chunk.
    pub const CHUNK: Count = 4 * 1_024 * 1_024;
    /// One in so many of an epoch: a window for commitments, one for openings.
    pub const WINDOW_SHARE: Count = 24;
}

/// What nobody measured: everything here is a guess within a range.
#[derive(Clone, Copy, Debug)]
pub struct Assumed {
    /// Events a member signs a day, as long as a transfer.
    pub events: Count,
    /// One member in so many runs a full node.
    pub members_per_full: Count,
    /// One member in so many holds paid replicas.
    pub members_per_host: Count,
    /// Paid replicas of such a member.
    pub replicas: Count,
    /// Milliseconds between anchors while events come.
    pub anchor_ms: Count,
    /// How often a node receives each news, and sends it, on average.
    pub copies: Count,
    /// Bytes that gossip adds to news: author, number, topic, signature, framing.
    pub gossip: Count,
    /// The busiest hour, as a multiple of the mean.
    pub peak: Count,
    /// Bytes that HTTP adds to a request and to its answer, each.
    pub http: Count,
    /// Days that a replica stays with its holder.
    pub replica_days: Count,
}

/// The tables are made with these.
pub const BASE: Assumed = Assumed {
    events: 10,
    members_per_full: 100,
    members_per_host: 10,
    replicas: 100,
    anchor_ms: 1_000,
    copies: 3,
    gossip: 250,
    peak: 4,
    http: 500,
    replica_days: 90,
};

/// An assumption: name, lowest, highest, why, and how it is set.
pub type Range = (&'static str, Count, Count, &'static str, fn(&mut Assumed) -> &mut Count);

/// The assumptions with their ranges, in the order of the page.
pub const RANGES: [Range; 10] = [
    ("events a member signs a day", 1, 100, "nobody uses a network yet", |a| &mut a.events),
    ("members for one full node", 1, 1_000, "1: everybody runs one", |a| &mut a.members_per_full),
    ("members for one paid host", 1, 100, "1: everybody hosts", |a| &mut a.members_per_host),
    ("paid replicas of such a host", 10, 4_096, "4,096 is the least ceiling", |a| &mut a.replicas),
    ("ms between anchors under load", 250, 5_000, "never measured with many validators", |a| {
        &mut a.anchor_ms
    }),
    ("copies of each news", 1, 6, "a mesh of six; what is known already is not sent", |a| {
        &mut a.copies
    }),
    ("bytes that gossip adds", 200, 350, "counted from its fields", |a| &mut a.gossip),
    ("busiest hour over the mean", 2, 10, "people sleep", |a| &mut a.peak),
    ("bytes HTTP adds, each way", 200, 2_000, "headers", |a| &mut a.http),
    ("days a replica stays", 30, 365, "lives of hosts", |a| &mut a.replica_days),
];
