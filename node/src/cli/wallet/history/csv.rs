//! Comma-separated values (RFC 4180), safe to open in a spreadsheet.

use super::rows::Line;
use crate::cli::moment;
use crate::cli::plain::plain;

const HEADER: &str = "time,anchor,account,account_id,event,id,outcome,reason,counterparty,\
                      counterparty_id,in,out,fee,effect,memo";

/// The whole table, each line ended by CR LF.
pub fn text(lines: &[Line]) -> String {
    let mut table = format!("{HEADER}\r\n");
    for line in lines {
        table.push_str(&record(line).join(","));
        table.push_str("\r\n");
    }
    table
}

fn record(line: &Line) -> Vec<String> {
    let id = |text: Option<String>| text.unwrap_or_default();
    vec![
        field(&moment::text(line.time)),
        line.place.0.to_string(),
        field(&line.account_name),
        line.account.to_string(),
        field(&line.event),
        field(&id(line.id.clone())),
        field(&line.outcome),
        field(&line.reason),
        field(&line.counterparty),
        id(line.counterparty_account.map(|account| account.to_string())),
        line.incoming.to_string(),
        line.outgoing.to_string(),
        line.fee.to_string(),
        // A number of ours: its minus begins no formula.
        line.effect().trim_start_matches('+').to_string(),
        field(line.memo.as_deref().unwrap_or_default()),
    ]
}

/// A text as a field. What a spreadsheet would take for a formula gets an apostrophe before
/// it: a remark of a stranger must compute nothing.
fn field(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    let is_formula = begins.is_some_and(|letter| {
        matches!(letter, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    });
    let is_odd = text.starts_with(['\t', '\r', '\n']);
    // Control characters help nobody in a table, and some programs end a field at them.
    let mut safe = plain(text);
    if is_formula || is_odd {
        safe.insert(0, '\'');
    }
    match safe.contains([',', '"', '\r', '\n']) || safe.starts_with(' ') || safe.ends_with(' ') {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    /// Breaks when: a stranger's remark is a formula, or ends its field early.
    #[test]
    fn remarks_stay_texts() {
        for (text, written) in [
            ("lunch", "lunch"),
            ("", ""),
            ("tea, two", "\"tea, two\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\t=1", "'\u{fffd}=1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("two\r\nlines", "two\u{fffd}\u{fffd}lines"),
            (" edge ", "\" edge \""),
        ] {
            assert_eq!(field(text), written, "{text:?}");
        }
    }
}
