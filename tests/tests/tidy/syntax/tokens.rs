//! A Rust file as tokens, bracket by bracket, each marked as test code or not.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens directly inside one pair of brackets, or directly in the file.
#[derive(Default)]
pub struct Level {
    pieces: Vec<Piece>,
}

struct Piece {
    token: TokenTree,
    text: String,
    is_test: bool,
}

impl Level {
    /// How many tokens.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The identifier, punctuation or literal at a place; empty for brackets and past the end.
    pub fn text(&self, place: usize) -> &str {
        self.pieces.get(place).map_or("", |piece| &piece.text)
    }

    /// What the brackets at a place hold, as written but for spaces.
    pub fn group(&self, place: usize) -> String {
        match self.token(place) {
            Some(TokenTree::Group(group)) => group.stream().to_string().replace(' ', ""),
            _ => String::new(),
        }
    }

    /// The line a token starts at, from 1.
    pub fn line(&self, place: usize) -> usize {
        self.token(place).map_or(0, |token| token.span().start().line)
    }

    /// Whether a token is only compiled for tests.
    pub fn is_test(&self, place: usize) -> bool {
        self.pieces.get(place).is_some_and(|piece| piece.is_test)
    }

    fn token(&self, place: usize) -> Option<&TokenTree> {
        self.pieces.get(place).map(|piece| &piece.token)
    }

    fn is_body(&self, place: usize) -> bool {
        matches!(self.token(place), Some(TokenTree::Group(group))
            if group.delimiter() == Delimiter::Brace)
    }

    fn is_test_attribute(&self, place: usize) -> bool {
        let attribute = self.group(place);
        attribute == "cfg(test)" || attribute == "test" || attribute.ends_with("::test")
    }

    /// Marks the items, or the rest of the level, that attributes reserve for tests.
    fn mark_tests(&mut self) {
        let mut place = 0;
        while place < self.len() {
            let inner = self.text(place) == "#" && self.text(place + 1) == "!";
            if inner && self.is_test_attribute(place + 2) {
                self.mark(place, self.len());
                return;
            }
            if self.text(place) == "#" && self.is_test_attribute(place + 1) {
                let ends = |end: &usize| self.is_body(*end) || self.text(*end) == ";";
                let end = (place..self.len()).find(ends).unwrap_or(self.len());
                self.mark(place, end.saturating_add(1));
                place = end;
            }
            place += 1;
        }
    }

    fn mark(&mut self, from: usize, until: usize) {
        for piece in self.pieces.iter_mut().take(until).skip(from) {
            piece.is_test = true;
        }
    }
}

/// Every level of a file, the file's own first; none if the text does not lex.
pub fn levels(text: &str) -> Option<Vec<Level>> {
    let stream: TokenStream = text.parse().ok()?;
    let mut found = Vec::new();
    let mut waiting = vec![(stream, false)];
    while let Some((stream, is_test)) = waiting.pop() {
        let mut level = Level::default();
        for token in stream {
            let text = match &token {
                TokenTree::Group(_) => String::new(),
                token => token.to_string(),
            };
            level.pieces.push(Piece { token, text, is_test });
        }
        level.mark_tests();
        for piece in &level.pieces {
            if let TokenTree::Group(group) = &piece.token {
                waiting.push((group.stream(), piece.is_test));
            }
        }
        found.push(level);
    }
    Some(found)
}

/// Lines of the function whose `fn` stands at a place, if one with a body does.
pub fn function_lines(level: &Level, place: usize) -> Option<usize> {
    // A type such as `fn(u8)` has brackets after `fn`, a function its name.
    if level.text(place) != "fn" || level.text(place + 1).is_empty() {
        return None;
    }
    let ends = |end: &usize| level.is_body(*end) || level.text(*end) == ";";
    let end = (place..level.len()).find(ends)?;
    let TokenTree::Group(body) = level.token(end)? else { return None };
    Some(body.span_close().end().line - level.line(place) + 1)
}

/// Lines of a file before its trailing test module.
pub fn code_lines(text: &str) -> usize {
    let all = text.lines().count();
    let Some(file) = levels(text).and_then(|levels| levels.into_iter().next()) else {
        return all;
    };
    // A trailing test module is `#`, `[cfg(test)]`, `mod`, its name and its body.
    let Some(start) = file.len().checked_sub(5) else { return all };
    let is_tests = file.text(start) == "#"
        && file.group(start + 1) == "cfg(test)"
        && file.text(start + 2) == "mod"
        && file.is_body(start + 4);
    if is_tests { file.line(start) - 1 } else { all }
}
