//! How far a node is that follows the others from behind: a bar on a terminal, lines in the log.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A node that is no further behind just follows.
const BEHIND_MIN: u64 = 20;
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What is shown of a node that catches up; gone as soon as it has, or this is dropped.
struct Shown {
    bar: ProgressBar,
    lined: Instant,
}

impl Shown {
    fn new(own: u64) -> Shown {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::no_length(),
            false => ProgressBar::hidden(),
        };
        let style = "{spinner} {wide_bar} anchor {pos} of {len}  {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_position(own);
        // What is there already says nothing of how fast more comes.
        bar.reset_eta();
        Shown { bar, lined: Instant::now() }
    }

    fn tell(&mut self, (own, heard): (u64, u64)) {
        self.bar.set_length(heard);
        self.bar.set_position(own);
        if self.lined.elapsed() > LINE_EVERY {
            tracing::info!("catching up: at anchor {own} of {heard}");
            self.lined = Instant::now();
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Whether a node at anchor `own` has so much to catch up with that it is worth showing; once it
/// is shown, until it has arrived.
fn is_shown((own, heard): (u64, u64), is_under_way: bool) -> bool {
    let behind = heard.saturating_sub(own);
    if is_under_way { behind > 1 } else { behind >= BEHIND_MIN }
}

/// Shows how far the node is whenever it is far behind; never ends. `heights` says at which anchor
/// it is, and of which it has heard.
pub async fn show(heights: impl Fn() -> (u64, u64)) -> std::convert::Infallible {
    let mut shown: Option<Shown> = None;
    loop {
        let heights = heights();
        shown = match is_shown(heights, shown.is_some()) {
            true => Some(shown.unwrap_or_else(|| Shown::new(heights.0))),
            false => None,
        };
        if let Some(shown) = &mut shown {
            shown.tell(heights);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: a bar for every anchor that comes, or one that stays when the node has arrived.
    #[test]
    fn a_node_far_behind_is_shown_until_it_has_arrived() {
        for (heights, is_under_way, expected) in [
            ((0, 0), false, false),
            ((100, 119), false, false),
            ((100, 120), false, true),
            ((118, 120), true, true),
            ((119, 120), true, false),
            ((121, 120), true, false),
        ] {
            assert_eq!(is_shown(heights, is_under_way), expected, "{heights:?}");
        }
    }
}
