//! What happened: the last lines for people, a hash of all for comparing two runs.

use std::collections::VecDeque;
use std::fmt;

use ddt_ledger::{Domain, Hash};

const LINES_KEPT: usize = 120;
const TRACE: Domain = Domain("ddt sim trace");

/// The trace of a run.
#[derive(Debug, Default)]
pub struct Trace {
    lines: VecDeque<String>,
    hash: Hash,
    /// Prints each line at once.
    pub is_loud: bool,
}

impl Trace {
    /// Notes a line.
    pub fn note(&mut self, line: String) {
        self.hash = TRACE.hash(&[&self.hash.0, line.as_bytes()]);
        if self.is_loud {
            println!("{line}");
        }
        self.lines.push_back(line);
        if self.lines.len() > LINES_KEPT {
            self.lines.pop_front();
        }
    }

    /// Of all lines so far.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}
