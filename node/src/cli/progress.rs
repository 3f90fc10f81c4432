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

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
