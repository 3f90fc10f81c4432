//! One line of a scenario: its words, and what kind of statement it is.

use ddt_ledger::{Amount, Millis};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Nothing.
    Empty,
    /// `network key=value …`
    Network(Vec<String>),
    /// `alice 100`, `pool 50`
    Fund(String, Amount),
    /// `keys laptop …`
    Keys(Vec<String>),
    /// An event, so often.
    Event { who: String, what: What, words: Vec<String>, times: u64, ends: String },
    /// `time +3s`
    Time(Millis),
    /// `wait 2m`
    Wait(Millis),
    /// `anchor`
    Anchor,
    /// `alice has …`
    Has(String, Vec<String>),
    /// `domain hello is bob pending`
    Domain { name: String, owner: String, status: Option<String> },
    /// `deadlines 2`
    Deadlines(usize),
    /// `view name field=value … -> …`
    View { name: String, words: Vec<String>, answer: Vec<String> },
}

/// Which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `bank.transfer …`
    Row(String),
    /// `commits hello … as c1`
    Commit { name: String, label: String },
    /// `reveals c1 …`
    Reveal(String),
    /// `again c1`
    Again(String),
}

/// Words that begin statements, so nobody may have them for a name.
pub(super) const RESERVED: [&str; 12] = [
    "network",
    "pool",
    "held",
    "nobody",
    "keys",
    "time",
    "wait",
    "anchor",
    "domain",
    "deadlines",
    "view",
    "again",
];

impl Statement {
    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<Statement, String> {
        let mut words = split(line)?;
        let right = words.iter().position(|word| word == "->").map(|at| words.split_off(at));
        let ends = right.map(|right| right[1..].to_vec());
        let first = words.first().cloned().unwrap_or_default();
        let second = words.get(1).cloned().unwrap_or_default();
        match (first.as_str(), words.len(), ends) {
            ("", _, None) => Ok(Statement::Empty),
            ("network", 2.., None) => Ok(Statement::Network(words.split_off(1))),
            ("keys", 2.., None) => Ok(Statement::Keys(words.split_off(1))),
            ("time", 2, None) => Ok(Statement::Time(duration(second.trim_start_matches('+'))?)),
            ("wait", 2, None) => Ok(Statement::Wait(duration(&second)?)),
            ("anchor", 1, None) => Ok(Statement::Anchor),
            ("deadlines", 2, None) => {
                second.parse().map(Statement::Deadlines).map_err(|_| "deadlines how many?".into())
            }
            ("domain", 4 | 5, None) if words[2] == "is" => Ok(Statement::Domain {
                name: second,
                owner: words[3].clone(),
                status: words.get(4).cloned(),
            }),
            ("view", 2.., Some(answer)) => {
                Ok(Statement::View { name: second, words: words.split_off(2), answer })
            }
            (_, 3.., None) if second == "has" => Ok(Statement::Has(first, words.split_off(2))),
            (_, 2, None) => second
                .parse()
                .map(|amount| Statement::Fund(first, amount))
                .map_err(|_| "this is no statement".to_string()),
            (_, 2.., Some(ends)) => event(words, ends.join(" ")),
            _ => Err("this is no statement, or it lacks -> and how it ends".to_string()),
        }
    }
}

fn event(mut words: Vec<String>, ends: String) -> Result<Statement, String> {
    let mut times = 1;
    if words[0] == "repeat" && words.len() > 3 {
        times = words[1].parse().map_err(|_| "repeat how often?".to_string())?;
        words.drain(..2);
    }
    let mut rest = words.split_off(2);
    let (who, verb) = (words[0].clone(), words[1].clone());
    let what = match verb.as_str() {
        _ if who == "again" => What::Again(verb),
        "commits" => {
            let label = rest.iter().position(|word| word == "as").filter(|at| at + 2 <= rest.len());
            let at = label.ok_or("commits what, as what?")?;
            let label = rest.drain(at..at + 2).next_back().unwrap_or_default();
            let name = if rest.is_empty() { String::new() } else { rest.remove(0) };
            What::Commit { name, label }
        }
        "reveals" if !rest.is_empty() => What::Reveal(rest.remove(0)),
        name if name.contains('.') => What::Row(verb),
        _ => return Err(format!("{verb} is no event")),
    };
    Ok(Statement::Event { who, what, words: rest, times, ends })
}

/// Words between spaces, `"` around those with spaces in them; `#` at a word's start ends
/// the line.
fn split(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_open) = (false, false);
    for letter in line.chars() {
        match letter {
            '"' => (is_quoted, is_open) = (!is_quoted, true),
            '#' if !is_open => break,
            ' ' | '\t' if !is_quoted => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            _ => {
                word.push(letter);
                is_open = true;
            }
        }
    }
    if is_quoted {
        return Err("a \" does not close".to_string());
    }
    words.extend(is_open.then_some(word));
    Ok(words)
}

/// `250ms`, `3s`, `2m`, `8d`.
pub(super) fn duration(text: &str) -> Result<Millis, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{text} is no time such as 3s")),
    };
    let count: u64 = digits.parse().map_err(|_| format!("{text} is no time such as 3s"))?;
    count.checked_mul(unit).map(Millis).ok_or_else(|| format!("{text} is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_comments_are_told_apart() {
        let words = split("a  memo=\"x # y\" salt=#z # rest").expect("closed");
        assert_eq!(words, ["a", "memo=x # y", "salt=#z"]);
        assert!(split("a \"b").is_err());
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for line in ["alice", "alice sends -> ok", "alice bank.transfer to=bob", "time soon"] {
            assert!(Statement::read(line).is_err(), "{line}");
        }
    }
}
