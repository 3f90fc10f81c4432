//! Every story in `scenarios/` ends as it says.

use ddt_tests::scenario::{run_all, run_text};

/// Broken by: whatever a programme promises and does not keep. For instance a reveal that
/// skips `present.order < commit.order` breaks contest.txt; an expiry that keeps the escrow
/// breaks expiry.txt; a rotation that leaves the old key current breaks keys.txt.
#[test]
fn every_story_holds() {
    let reports = run_all();
    assert!(reports.len() > 5, "the scenarios were not found");
    let troubles: Vec<String> =
        reports.iter().filter_map(|(_, report)| Some(report.as_ref().err()?.to_string())).collect();
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
}
