//! Scenarios: stories about a network in the language of `ddt send`, with what must come of
//! them.
//!
//! One statement a line; `#` starts a comment. First what the network starts from:
//!
//! ```text
//! network zones=3 domain_year_ms=5000   zones and parameters; a development network's otherwise
//! alice 100                             an account and its balance; with 0 it is not open yet
//! pool 50                               what is in the pool
//! keys laptop phone                     further keys
//! ```
//!
//! Then what happens. Events wait, and are anchored together, in one block for each zone, as
//! soon as another kind of statement follows:
//!
//! ```text
//! alice bank.transfer to=bob amount=5 memo="for you"   -> ok
//! carol bank.transfer to=bob amount=1                  -> refused ledger.insufficient_funds
//! alice commits hello years=1 cap=100 as c1            -> ok     domains.commit
//! carol reveals c1                                     -> ok     domains.reveal
//! again c1 @zone=2                          -> void event.nonce_used     the same bytes
//! repeat 32 alice bank.transfer to=bob amount=1        -> ok
//! time +3s                       the next anchor is 3 s after the last one
//! anchor                         an anchor now, with or without events
//! wait 2m                        anchors until the epoch clock has advanced so much
//! ```
//!
//! An event ends as `ok`, `refused CODE`, `void CODE`, or `invalid CODE` where nobody would
//! sequence it; `ok or void CODE` admits both. Names stand for accounts and keys, a label for
//! its commit's hash or its event's id (`… as l1`), `#word` for the word's hash,
//! `sha256:word` for that one's SHA-256, `possession:key` for that key's signature, `+1h` for
//! a moment so long after the last anchor, `sealed:word` for a username's ciphertext,
//! `claim:row,sealed,salt` for its commit's hash.
//! What is not a field starts with `@`: `@key=laptop @role=node @zone=2 @nonce=7 @nonce=+11m
//! @valid=+8d @version=2 @chain=other @tag=9 @signature=wrong @bytes=cut|more|long`. `@stamp`
//! sets the field `stamp` to one whose work is done (`@stamp=wrong`: it is not; `@stamp=old`:
//! over a beacon that has passed; `@stamp=light`: enough for a light stamp only).
//!
//! And what must be so after the last anchor:
//!
//! ```text
//! alice has 100 - 5 - fees       also pool, held, router1, alice/laptop (its allowance);
//!                                half is half of all fees, half2 of those in zone 2; fees
//!                                out of an escrow are those of whoever paid into it; voids
//!                                is what bonds paid for void events
//! domain hello is bob pending    or: domain hello is nobody
//! deadlines 2                    so many pieces of its own work the ledger did
//! view domains.of_owner owner=bob @limit=1     -> rows=1 record.name=hello
//! view domains.record name=ghost               -> refused view.not_found
//! ```

mod checks;
mod line;
mod reading;
mod run;
mod sign;
mod stamp;
mod statement;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::network::{Network, Observation};
use run::Story;

/// What a scenario showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Every "no" that was given.
    pub observed: BTreeSet<Observation>,
    /// Every event that was done.
    pub done: BTreeSet<&'static str>,
    /// Every view that was asked and says in which row its answer stands.
    pub proven: BTreeSet<String>,
}

/// Where and why a scenario does not hold, or is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub words: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.words)
    }
}

/// Runs a scenario's text; `file` stands in errors.
pub fn run_text(file: &str, text: &str) -> Result<Report, Trouble> {
    let (story, last) = told(file, text)?;
    story.end(last).map_err(|(line, words)| trouble(file, line, words))
}

/// The network at the end of a scenario's text, to go on with; `file` stands in errors.
pub fn network_after(file: &str, text: &str) -> Result<Network, Trouble> {
    let (story, last) = told(file, text)?;
    story.network(last).map_err(|(line, words)| trouble(file, line, words))
}

fn trouble(file: &str, line: usize, words: String) -> Trouble {
    Trouble { file: file.to_string(), line, words }
}

/// The story of a text, and its last line.
fn told(file: &str, text: &str) -> Result<(Story, usize), Trouble> {
    let mut story = Story::default();
    let mut last = 0;
    for (line, statement) in (1..).zip(text.lines()) {
        story.line(line, statement).map_err(|(line, words)| trouble(file, line, words))?;
        last = line;
    }
    Ok((story, last))
}

/// Runs every scenario of a folder, in the order of their names.
pub fn run_folder(folder: &Path) -> Vec<(String, Result<Report, Trouble>)> {
    let entries = std::fs::read_dir(folder).expect("a folder of scenarios");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let run = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("a readable scenario");
        let report = run_text(&name, &text);
        (name, report)
    };
    paths.iter().map(run).collect()
}

/// The project's own scenarios.
pub fn run_all() -> Vec<(String, Result<Report, Trouble>)> {
    run_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
}
