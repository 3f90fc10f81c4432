//! Texts of strangers on somebody's screen: nothing in them may move the cursor, hide a part
//! or turn it around.

/// The text with every control and direction character shown as `�`.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if is_tricky(letter) { '\u{fffd}' } else { letter }).collect()
}

/// The same for several lines, each of which stays one.
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<String>>().join("\n")
}

fn is_tricky(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    /// Breaks when: a character that is not seen passes, or one that people write does not.
    #[test]
    fn what_is_shown_is_what_is_there() {
        for (text, shown) in [
            ("für den Tee ☕", "für den Tee ☕"),
            ("a\u{1b}[2Jb", "a\u{fffd}[2Jb"),
            ("1\r\n2\t3\u{85}", "1\u{fffd}\u{fffd}2\u{fffd}3\u{fffd}"),
            ("to \u{202e}ecila", "to \u{fffd}ecila"),
            ("a\u{200b}b\u{2066}c", "a\u{fffd}b\u{fffd}c"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }
}
