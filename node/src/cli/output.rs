//! What a command prints: words for people, or one JSON envelope for scripts. Words may hold
//! texts of strangers, so nothing in them may move the cursor or turn them around.

use std::io::{IsTerminal, Write};

use serde_json::{Value as Json, json};

use super::plain::plain_lines;
use crate::failure::{Failure, FailureKind};

/// The version of the JSON envelope.
const ENVELOPE_VERSION: u32 = 1;

/// How a command prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    is_json: bool,
    is_asking: bool,
}

impl Output {
    /// JSON envelopes, or words; `is_asking` where somebody agrees before anything is signed.
    pub fn new(is_json: bool, is_asking: bool) -> Output {
        Output { is_json, is_asking }
    }

    /// Whether a script reads.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// The command's result: `data` for scripts, `words` for people.
    pub fn result(&self, data: Json, words: impl AsRef<str>) {
        if self.is_json {
            let envelope = json!({ "version": ENVELOPE_VERSION, "ok": true, "data": data });
            self.line(&envelope.to_string());
        } else {
            self.line(&plain_lines(words.as_ref().trim_end()));
        }
    }

    /// Something on the way, for people only.
    pub fn note(&self, words: impl AsRef<str>) {
        if !self.is_json {
            self.line(&plain_lines(words.as_ref()));
        }
    }

    /// What somebody may be asked to agree to: whoever is asked sees it, wherever the
    /// command's output goes.
    pub fn tell(&self, words: impl AsRef<str>) {
        match self.is_asking {
            true => eprintln!("{}", plain_lines(words.as_ref())),
            false => self.note(words),
        }
    }

    /// Says what will be done, and asks whether to, unless that was agreed to with `--yes`.
    ///
    /// # Errors
    /// Nobody agreed.
    pub fn agree(&self, words: impl AsRef<str>, question: &str) -> Result<(), Failure> {
        self.tell(words);
        if self.is_asking { confirm(question) } else { Ok(()) }
    }

    /// Why the command failed.
    pub fn failure(&self, failure: &Failure) {
        if self.is_json {
            let problem = failure.to_problem();
            let envelope = json!({ "version": ENVELOPE_VERSION, "ok": false, "error": problem });
            self.line(&envelope.to_string());
        } else {
            eprintln!("error: {}", plain_lines(&failure.to_string()));
        }
    }

    /// A closed pipe is no error of ours: whoever reads has read enough.
    fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }
}

/// Asks a person to agree; without a terminal nobody agrees.
pub fn confirm(question: &str) -> Result<(), Failure> {
    let declined = |words: &str| Err(Failure::new(FailureKind::Declined, "declined", words));
    if !std::io::stdin().is_terminal() {
        return declined("nobody is there to agree: add --yes to sign without asking");
    }
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match (read, answer.trim()) {
        (Ok(_), "y" | "Y" | "yes") => Ok(()),
        _ => declined("nothing was signed"),
    }
}

/// Two columns, aligned.
pub fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| format!("  {name:width$}  {value}\n");
    rows.iter().map(line).collect()
}

/// Several columns below a head, aligned.
pub fn columns<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_string);
    let mut widths = [0; N];
    for row in std::iter::once(&head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:width$}"));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    std::iter::once(&head).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    // Broken by: a column as wide as its head alone, or spaces at a line's end.
    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [["0", "apt1long"], ["1023", "–"]].map(|row| row.map(str::to_string));
        let shown = columns(["zone", "router"], &rows);
        assert_eq!(shown, "  zone  router\n  0     apt1long\n  1023  –\n");
    }
}
