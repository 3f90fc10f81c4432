//! The tables of the page, in Markdown.

use super::constants::{BASE, Count, DAY, RANGES, design, wire};
use super::formulas::{Changes, Network, memory, open_ms};
use super::limits::LIMITS;
use super::nodes::{
    Cost, KINDS, Kind, consensus, core_seconds, cost, gossip, peak_events, proof_bytes,
    pruned_bytes,
};

/// The numbers of members that the tables are made for: 10^3 to 10^9.
const POWERS: [u32; 7] = [3, 4, 5, 6, 7, 8, 9];

/// Every table with its name.
pub fn all() -> Vec<(&'static str, String)> {
    let mut tables = vec![
        ("assumptions", assumptions()),
        ("sizes", sizes()),
        ("network", network_table()),
        ("causes", causes()),
    ];
    let names = ["validator", "router", "full", "pruned", "host", "wallet"];
    for (name, (kind, _)) in names.into_iter().zip(KINDS) {
        tables.push((name, node_table(kind)));
    }
    tables.push(("machine", machine()));
    tables.push(("limits", limits()));
    tables.push(("ranges", ranges()));
    tables.push(("changes", changes()));
    tables
}

/// A number with three digits and a unit.
fn short(number: Count, unit: &str) -> String {
    let scales = [(18, "E"), (15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")];
    for (power, prefix) in scales {
        let scale: Count = 10_u128.pow(power);
        if number < scale {
            continue;
        }
        let (whole, rest) = (number / scale, number % scale);
        let text = match whole {
            0..10 => format!("{whole}.{:02}", rest * 100 / scale),
            10..100 => format!("{whole}.{}", rest * 10 / scale),
            _ => whole.to_string(),
        };
        return format!("{text} {prefix}{unit}");
    }
    format!("{number} {unit}").trim_end().to_string()
}

fn bytes(number: Count) -> String {
    short(number, "B")
}

/// A count: whole up to ten thousand, then with three digits.
fn many(number: Count) -> String {
    match number {
        0..10_000 => exact(number),
        _ => short(number, "").replacen(' ', "", 1),
    }
}

/// A count with all its digits.
fn exact(number: Count) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", exact(number / 1_000), number % 1_000),
    }
}

fn rate(bytes_a_day: Count) -> String {
    short(bytes_a_day * 8 / DAY, "bit/s")
}

fn seconds(number: Count) -> String {
    match number {
        0..120 => format!("{number} s"),
        120..7_200 => format!("{} min", number / 60),
        7_200..172_800 => format!("{} h", number / 3_600),
        _ => format!("{} days", exact(number / DAY)),
    }
}

/// A table of rows under a head.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_cells = head.iter().map(|cell| (*cell).to_string()).collect();
    let mut text = line(head_cells) + &format!("|{}\n", "---|".repeat(head.len()));
    rows.into_iter().for_each(|row| text.push_str(&line(row)));
    text
}

/// One row for each number of members.
fn by_members(head: &[&str], row: impl Fn(&Network) -> Vec<String>) -> String {
    let rows = POWERS.map(|power| {
        let network = Network::new(10_u128.pow(power), BASE);
        [vec![format!("10^{power}")], row(&network)].concat()
    });
    table(&[&["members"], head].concat(), rows.into())
}

fn assumptions() -> String {
    let row = |(name, low, high, why, field): super::constants::Range| {
        let mut base = BASE;
        let used = *field(&mut base);
        let range = format!("{} to {}", exact(low), exact(high));
        [name.into(), exact(used), range, why.into()].into()
    };
    table(&["assumption", "used", "range", "why"], RANGES.into_iter().map(row).collect())
}

fn sizes() -> String {
    let network = Network::new(1_000_000, BASE);
    let rows = [
        ("a transfer", wire::TRANSFER),
        ("a heartbeat", wire::HEARTBEAT),
        ("a block, beside its events", wire::BLOCK),
        ("an availability vote, as news", wire::NEWS_VOTE),
        ("a time statement, as news", wire::NEWS_TIME),
        ("a height, as news", wire::NEWS_COMMITTED),
        ("an anchor's body: beside statements and tips", wire::BODY),
        ("for each statement in it", wire::STATEMENT),
        ("for each tip in it", wire::TIP),
        ("a certificate, for each signer", wire::SIGNER),
        ("a soft receipt, as an answer", wire::SEQUENCED),
        ("a commitment (design)", wire::EVENT + design::COMMITMENT),
        ("a paid host's openings of an epoch (design)", network.host_openings()),
        ("what one event's body holds", wire::BODY_MAX),
        ("another host's openings (design)", network.base_openings()),
    ];
    let row = |(name, size): (&str, Count)| vec![name.to_string(), exact(size)];
    table(&["what", "bytes"], rows.into_iter().map(row).collect())
}

fn network_table() -> String {
    let head = ["zones", "validators", "full nodes", "events", "blocks", "anchors", "tips of one"];
    by_members(&head, |n| {
        let numbers = [n.zones(), n.validators(), n.full_nodes(), n.events(), n.blocks()];
        let mut row: Vec<String> = numbers.into_iter().map(many).collect();
        row.extend([many(n.anchors()), many(n.tips())]);
        row
    })
}

fn causes() -> String {
    let head =
        ["own events", "heartbeats", "proofs", "blocks", "anchors", "votes", "times", "heights"];
    by_members(&head, |n| {
        let news = gossip(n, false);
        let own = n.members * n.assumed.events * (wire::TRANSFER + wire::EVENT_IN_BLOCK);
        let beats = n.heartbeats() * (wire::HEARTBEAT + wire::EVENT_IN_BLOCK);
        let proofs = n.proofs().1 + n.proofs().0 * wire::EVENT_IN_BLOCK;
        let lanes = [own, beats, proofs, n.blocks() * wire::BLOCK];
        let rest = [n.anchor_bytes(), news.votes, news.statements, news.heights];
        lanes.into_iter().chain(rest).map(bytes).collect()
    })
}

fn cells(cost: &Cost) -> Vec<String> {
    let mut row = vec![bytes(cost.bytes_in), bytes(cost.bytes_out), rate(cost.bytes_in)];
    row.extend([cost.messages, cost.made, cost.verified].map(many));
    row
}

fn node_table(kind: Kind) -> String {
    let head = ["in", "out", "in, mean", "messages", "signed", "verified"];
    match kind {
        Kind::Host | Kind::Wallet => {
            let head = [&head[..], &["a proof of a row"]].concat();
            by_members(&head, |n| [cells(&cost(n, kind)), vec![bytes(proof_bytes(n))]].concat())
        }
        Kind::Pruned => {
            let head = ["kept of two epochs", "grows for good", "memory of the state"];
            by_members(&head, |n| {
                let cost = cost(n, kind);
                [pruned_bytes(n), cost.disk, cost.memory].map(bytes).into()
            })
        }
        Kind::Validator => {
            let head = [&head[..], &["of it consensus", "disk"]].concat();
            by_members(&head, |n| {
                let cost = cost(n, kind);
                let more = vec![bytes(consensus(n).1), bytes(cost.disk)];
                [cells(&cost), more].concat()
            })
        }
        _ => {
            let head = [&head[..], &["disk"]].concat();
            by_members(&head, |n| {
                let cost = cost(n, kind);
                [cells(&cost), vec![bytes(cost.disk)]].concat()
            })
        }
    }
}

fn machine() -> String {
    let head = [
        "events/s, mean",
        "busiest hour",
        "core time: executed",
        "core time: news",
        "rows today",
        "memory",
        "start",
        "rows with replicas",
        "memory",
        "start",
    ];
    by_members(&head, |n| {
        let (executed, heard) = core_seconds(n);
        let rows = n.rows() - n.proof_rows();
        let mut row = vec![many(n.events() / DAY), many(peak_events(n))];
        row.extend([executed, heard].map(seconds));
        for rows in [rows, n.rows()] {
            row.extend([many(rows), bytes(memory(rows)), seconds(open_ms(rows) / 1_000)]);
        }
        row
    })
}

fn limits() -> String {
    let mut limits: Vec<_> =
        LIMITS.iter().map(|limit| (limit.reached_at(Changes::default()), limit)).collect();
    limits.sort_by_key(|(at, _)| at.unwrap_or(Count::MAX));
    let row = |(at, limit): &(Option<Count>, &super::limits::Limit)| {
        let at = at.map_or("never".to_string(), many);
        vec![at, limit.what.into(), limit.bound.into(), limit.change.into()]
    };
    let head = ["members", "what stops", "at", "what must change"];
    table(&head, limits.iter().map(row).collect())
}

fn ranges() -> String {
    let full = |assumed| {
        let cost = cost(&Network::new(1_000_000, assumed), Kind::Full);
        [bytes(cost.bytes_in), bytes(cost.disk), bytes(cost.memory)]
    };
    let mut rows = vec![[vec!["as above".to_string(), String::new()], full(BASE).into()].concat()];
    for (name, low, high, _, field) in RANGES {
        for value in [low, high] {
            let mut assumed = BASE;
            *field(&mut assumed) = value;
            let what = vec![name.to_string(), exact(value)];
            rows.push([what, full(assumed).into()].concat());
        }
    }
    let base = full(BASE);
    rows.retain(|row| row[1].is_empty() || row[2..] != base);
    table(&["assumption", "changed to", "in", "disk", "memory"], rows)
}

fn changes() -> String {
    let narrow = Changes { is_gossip_narrow: true, ..Changes::default() };
    let zonal = Changes { are_proofs_zonal: true, ..narrow };
    let listed = Changes { are_replicas_listed: true, ..zonal };
    let head = ["as it is", "A: narrow news", "B: proofs in zones", "memory", "C: replicas listed"];
    by_members(&head, |n| {
        let of = |changes| cost(&Network { changes, ..*n }, Kind::Full);
        let stages = [Changes::default(), narrow, zonal].map(|changes| of(changes).bytes_in);
        let memory = [Changes::default(), listed].map(|changes| of(changes).memory);
        stages.into_iter().chain(memory).map(bytes).collect()
    })
}
