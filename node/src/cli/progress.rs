//! A spinner for what takes longer than a moment; silent where nobody watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

/// Turns while something is waited for.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// A spinner with these words; hidden unless standard error is a terminal.
    pub fn new(words: impl Into<String>) -> Spinner {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(words.into());
        Spinner(bar)
    }

    /// Other words.
    pub fn say(&self, words: impl Into<String>) {
        self.0.set_message(words.into());
    }
}

/// Counts bytes while they come.
pub struct Bytes(ProgressBar);

impl Bytes {
    /// Counts from zero; hidden unless standard error is a terminal.
    pub fn new(words: impl Into<String>) -> Bytes {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let style = "{spinner} {msg}  {bytes} ({bytes_per_sec})";
        if let Ok(style) = indicatif::ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(words.into());
        Bytes(bar)
    }

    /// The same reader, counted.
    pub fn counted<R: std::io::Read>(&self, reader: R) -> impl std::io::Read {
        self.0.wrap_read(reader)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
