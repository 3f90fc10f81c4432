//! Records as people write them: `www A 192.0.2.1 300`, or as in a zone file,
//! `www 300 IN A 192.0.2.1`; and files of them.

use std::net::Ipv6Addr;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::failure::Failure;

/// Seconds that a record may be remembered where nothing else is said.
const TTL_DEFAULT: u32 = 3_600;
/// Longest file of records, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Each kind, how many words its value has, and an example.
const KINDS: [(&str, usize, &str); 7] = [
    ("a", 1, "www A 192.0.2.1 300"),
    ("aaaa", 1, "www AAAA 2001:db8::1 300"),
    ("cname", 1, "blog CNAME www.example.org 300"),
    ("txt", 1, "@ TXT \"hello world\" 300"),
    ("srv", 4, "_sip._tcp SRV 10 5 5060 sip.example.org 300"),
    ("tlsa", 4, "_443._tcp TLSA 3 1 1 <64 hex digits> 300"),
    ("key", 2, "@ KEY mail <64 hex digits> 300"),
];

/// A record, in the spelling that the ledger wants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// What stands before the name; @ for the name itself.
    #[serde(default = "itself")]
    pub label: String,
    /// Its kind, in lower case.
    pub kind: String,
    /// Seconds that it may be remembered.
    #[serde(default = "ttl_default")]
    pub ttl: u32,
    /// What it says.
    pub value: String,
}

fn itself() -> String {
    "@".to_string()
}

fn ttl_default() -> u32 {
    TTL_DEFAULT
}

/// What `--remove` names: a label and a kind, and perhaps one value of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    label: String,
    kind: String,
    value: Option<String>,
}

impl RecordLine {
    /// Reads a line.
    pub fn read(line: &str) -> Result<RecordLine, Failure> {
        let words = words(line)?;
        let wrong = |what: &str| wrong(line, what);
        let mut rest = words.as_slice();
        let (label, mut ttl) = (next(&mut rest).ok_or_else(|| wrong("it is empty"))?, None);
        let mut kind = next(&mut rest).ok_or_else(|| wrong("its kind is missing"))?;
        if kind.bytes().all(|b| b.is_ascii_digit()) {
            ttl = Some(seconds(line, &kind)?);
            kind = next(&mut rest).ok_or_else(|| wrong("its kind is missing"))?;
        }
        if kind.eq_ignore_ascii_case("in") {
            kind = next(&mut rest).ok_or_else(|| wrong("its kind is missing"))?;
        }
        let (kind, count, example) = known(line, &kind)?;
        let value =
            rest.get(..count).ok_or_else(|| wrong(&format!("want, for example: {example}")))?;
        match (rest.get(count..).unwrap_or_default(), ttl) {
            ([], _) => {}
            ([last], None) => ttl = Some(seconds(line, last)?),
            _ => return Err(wrong(&format!("it has too many words; for example: {example}"))),
        }
        let value = spelled(kind, &value.join(" "));
        let (label, ttl) = (label.to_ascii_lowercase(), ttl.unwrap_or(TTL_DEFAULT));
        Ok(RecordLine { label, kind: kind.to_string(), ttl, value })
    }

    /// Reads a record of the API's JSON.
    pub fn from_json(json: &Json) -> Option<RecordLine> {
        let text = |name: &str| Some(json.get(name)?.as_str()?.to_string());
        let ttl = u32::try_from(json.get("ttl")?.as_u64()?).ok()?;
        Some(RecordLine { label: text("label")?, kind: text("kind")?, ttl, value: text("value")? })
    }

    /// As the API and events have it.
    pub fn to_json(&self) -> Json {
        json!({ "label": self.label, "kind": self.kind, "ttl": self.ttl, "value": self.value })
    }

    /// As a line that [`RecordLine::read`] reads again.
    pub fn line(&self) -> String {
        let value = match self.kind.as_str() {
            "txt" => quoted(&self.value),
            _ => self.value.clone(),
        };
        format!("{} {} {value} {}", self.label, self.kind.to_ascii_uppercase(), self.ttl)
    }

    fn respelled(self) -> Result<RecordLine, Failure> {
        let (kind, ..) = known(&self.line(), &self.kind)?;
        let value = spelled(kind, &self.value);
        let label = self.label.to_ascii_lowercase();
        Ok(RecordLine { label, kind: kind.to_string(), value, ..self })
    }
}

impl Pattern {
    /// Reads `LABEL KIND [VALUE]`.
    pub fn read(text: &str) -> Result<Pattern, Failure> {
        let words = words(text)?;
        let [label, kind, value @ ..] = words.as_slice() else {
            return Err(wrong(text, "want LABEL KIND, or LABEL KIND VALUE"));
        };
        let (kind, ..) = known(text, kind)?;
        let value = (!value.is_empty()).then(|| spelled(kind, &value.join(" ")));
        Ok(Pattern { label: label.to_ascii_lowercase(), kind: kind.to_string(), value })
    }

    /// Whether the record is meant.
    pub fn is_of(&self, record: &RecordLine) -> bool {
        let is_value = self.value.as_ref().is_none_or(|value| *value == record.value);
        self.label == record.label && self.kind == record.kind && is_value
    }
}

/// Reads a file: TOML with `[[record]]` tables when it is called so, otherwise lines, in
/// which `;` and `#` begin a comment.
pub fn read_file(path: &Path) -> Result<Vec<RecordLine>, Failure> {
    let length = std::fs::metadata(path).map_err(|error| Failure::io(path, &error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(Failure::usage(format!("{} is too long for records", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let read = if is_toml { read_toml(&text) } else { read_lines(&text) };
    read.map_err(|failure| Failure::usage(format!("{}: {}", path.display(), failure.words)))
}

fn read_toml(text: &str) -> Result<Vec<RecordLine>, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        record: Vec<RecordLine>,
    }
    let file: File = toml::from_str(text).map_err(|error| Failure::usage(error.to_string()))?;
    file.record.into_iter().map(RecordLine::respelled).collect()
}

fn read_lines(text: &str) -> Result<Vec<RecordLine>, Failure> {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(at, line)| (at.saturating_add(1), without_comment(line).trim()));
    let at_line = |(at, line): (usize, &str)| {
        let read = RecordLine::read(line);
        read.map_err(|failure| Failure::usage(format!("line {at}: {}", failure.words)))
    };
    lines.filter(|(_, line)| !line.is_empty()).map(at_line).collect()
}

fn without_comment(line: &str) -> &str {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if !is_escaped => is_quoted = !is_quoted,
            ';' | '#' if !is_quoted => return line.get(..at).unwrap_or(line),
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    line
}

fn wrong(line: &str, what: &str) -> Failure {
    Failure::usage(format!("the record {line:?}: {what}"))
}

fn next(words: &mut &[String]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first.clone())
}

fn seconds(line: &str, word: &str) -> Result<u32, Failure> {
    let advice = "a ttl is a whole number of seconds, and text of several words stands in quotes";
    word.parse().map_err(|_| wrong(line, &format!("{word}: {advice}")))
}

fn known(line: &str, kind: &str) -> Result<(&'static str, usize, &'static str), Failure> {
    let found = KINDS.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(kind));
    found.ok_or_else(|| {
        let all = KINDS.map(|(known, ..)| known.to_ascii_uppercase()).join(", ");
        wrong(line, &format!("there is no kind {kind}; there are {all}"))
    })
}

/// The one spelling that the ledger takes, where a person may write several.
fn spelled(kind: &str, value: &str) -> String {
    match kind {
        "aaaa" => value.parse::<Ipv6Addr>().map_or(value.to_string(), |ip| ip.to_string()),
        "cname" | "srv" if value.ends_with(" .") => value.to_string(),
        "cname" | "srv" => value.strip_suffix('.').unwrap_or(value).to_ascii_lowercase(),
        "tlsa" | "key" => value.to_ascii_lowercase(),
        _ => value.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits at spaces; quotes keep words together, a backslash keeps the next letter.
fn words(line: &str) -> Result<Vec<String>, Failure> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => {
                let escaped = letters.next().ok_or_else(|| wrong(line, "nothing follows \\"))?;
                word.get_or_insert_default().push(escaped);
            }
            letter if letter.is_whitespace() && !is_quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    if is_quoted {
        return Err(wrong(line, "a quote is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        RecordLine::read(line).map_or_else(|failure| failure.words, |record| record.line())
    }

    // Broken by: a word taken for a ttl that is part of a value, or the other way round.
    #[test]
    fn lines_are_read_in_both_orders() {
        let hex = "0".repeat(64);
        for (line, want) in [
            ("www A 192.0.2.1 300", "www A 192.0.2.1 300"),
            ("www a 192.0.2.1", "www A 192.0.2.1 3600"),
            ("WWW 300 IN A 192.0.2.1", "www A 192.0.2.1 300"),
            ("@ 60 aaaa 2001:DB8:0:0::1", "@ AAAA 2001:db8::1 60"),
            ("blog CNAME WWW.Example.org. 300", "blog CNAME www.example.org 300"),
            ("@ TXT \"two words 300\"", "@ TXT \"two words 300\" 3600"),
            ("@ TXT \"a \\\"quote\\\"; \\\\\" 60", "@ TXT \"a \\\"quote\\\"; \\\\\" 60"),
            ("@ TXT word 60", "@ TXT \"word\" 60"),
            ("_sip._tcp SRV 10 5 5060 . 60", "_sip._tcp SRV 10 5 5060 . 60"),
            (
                "_sip._tcp SRV 10 5 5060 sip.example.org.",
                "_sip._tcp SRV 10 5 5060 sip.example.org 3600",
            ),
            (&format!("_443._tcp TLSA 3 1 1 {hex}"), &format!("_443._tcp TLSA 3 1 1 {hex} 3600")),
            (&format!("@ KEY mail {hex} 60"), &format!("@ KEY mail {hex} 60")),
        ] {
            assert_eq!(read(line), want, "{line}");
            assert_eq!(read(&read(line)), want, "it is read again as it is shown");
        }
    }

    // Broken by: guessing where a line makes no sense.
    #[test]
    fn wrong_lines_say_what_is_wrong() {
        for (line, words) in [
            ("", "empty"),
            ("www", "kind is missing"),
            ("www 300", "kind is missing"),
            ("www MX 10 mail", "no kind MX; there are A, AAAA"),
            ("www A", "for example: www A 192.0.2.1 300"),
            ("www 60 A 192.0.2.1 60", "too many words"),
            ("www TXT two words", "in quotes"),
            ("www TXT \"open", "not closed"),
            ("www A 192.0.2.1 99999999999", "ttl"),
            ("@ SRV 1 2 3", "for example: _sip._tcp SRV"),
        ] {
            let told = RecordLine::read(line).unwrap_err().words;
            assert!(told.contains(words), "{line:?}: {told}");
        }
    }

    // Broken by: a comment inside quotes, or a file's error without its line.
    #[test]
    fn files_are_lines_or_toml() {
        let text = "; all of it\n@ TXT \"a ; # b\" 60 ; why\n\n  www\tA\t192.0.2.1 # there\n";
        let read: Vec<String> = read_lines(text).unwrap().iter().map(RecordLine::line).collect();
        assert_eq!(read, ["@ TXT \"a ; # b\" 60", "www A 192.0.2.1 3600"]);
        assert!(read_lines("@ TXT a\nwww").unwrap_err().words.starts_with("line 2:"));
        let toml = "[[record]]\nlabel = \"WWW\"\nkind = \"A\"\nvalue = \"192.0.2.1\"\n\n\
                    [[record]]\nkind = \"txt\"\nvalue = \"a b\"\nttl = 60\n";
        let read: Vec<String> = read_toml(toml).unwrap().iter().map(RecordLine::line).collect();
        assert_eq!(read, ["www A 192.0.2.1 3600", "@ TXT \"a b\" 60"]);
        for wrong in ["[[record]]\nkind = \"a\"\n", "record = 1\n", "[[records]]\n"] {
            assert!(read_toml(wrong).is_err(), "{wrong}");
        }
        let kind = "[[record]]\nkind = \"mx\"\nvalue = \"x\"\n";
        assert!(read_toml(kind).unwrap_err().words.contains("there is no kind mx"));
    }

    // Broken by: removing records of another kind or another value.
    #[test]
    fn a_pattern_is_of_one_label_and_kind_and_perhaps_one_value() {
        let record = RecordLine::read("www A 192.0.2.1 300").unwrap();
        for (pattern, is_of) in [
            ("www A", true),
            ("WWW a 192.0.2.1", true),
            ("www A 192.0.2.2", false),
            ("www AAAA", false),
            ("@ A", false),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().is_of(&record), is_of, "{pattern}");
        }
        assert!(Pattern::read("www").is_err());
        assert!(Pattern::read("www MX").is_err());
    }
}
