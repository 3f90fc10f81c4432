//! What is kept of snapshots between starts: pieces of those that were begun, and which were
//! given up.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ddt_ledger::Hash;

use super::FOLDER;
use crate::failure::Failure;
use crate::secret_file;

/// Snapshots that were given up, one a line: when, and which.
const GIVEN_UP: &str = "given-up";
/// Most of them that are remembered; the oldest are forgotten.
const GIVEN_UP_MAX: usize = 64;
/// How long, in seconds: whoever did not give it may do so another day.
const GIVEN_UP_SECS: u64 = 60 * 60;
/// Most snapshots of which pieces are kept.
const BEGUN_MAX: usize = 2;

/// Where the pieces of a snapshot are kept while they are fetched.
pub fn folder_of(home: &Path, snapshot: &Hash) -> PathBuf {
    home.join(FOLDER).join(snapshot.to_string())
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The snapshots that were given up a short while ago, oldest first, and when.
fn marks(home: &Path, now: u64) -> Vec<(u64, Hash)> {
    // Whatever cannot be read costs some time, no more.
    let text = std::fs::read_to_string(home.join(FOLDER).join(GIVEN_UP)).unwrap_or_default();
    let line = |line: &str| {
        let (at, snapshot) = line.split_once(' ')?;
        Some((at.parse().ok()?, Hash::from_hex(snapshot)?))
    };
    let is_fresh = |at: u64| at <= now && now.saturating_sub(at) < GIVEN_UP_SECS;
    text.lines().filter_map(line).filter(|(at, _)| is_fresh(*at)).collect()
}

/// The snapshots that are not to be tried now, also after a restart.
pub fn given_up(home: &Path) -> Vec<Hash> {
    marks(home, now_secs()).into_iter().map(|(_, snapshot)| snapshot).collect()
}

/// Notes that a snapshot was given up.
///
/// # Errors
/// The disk failed.
pub fn give_up(home: &Path, snapshot: &Hash) -> Result<(), Failure> {
    let now = now_secs();
    let mut marks = marks(home, now);
    marks.retain(|(_, other)| other != snapshot);
    marks.push((now, *snapshot));
    let from = marks.len().saturating_sub(GIVEN_UP_MAX);
    let lines = marks.iter().skip(from).map(|(at, snapshot)| format!("{at} {snapshot}\n"));
    secret_file::replace(&home.join(FOLDER).join(GIVEN_UP), &lines.collect::<String>())
}

/// Whether pieces are here of a snapshot that was not given up.
pub fn has_begun(home: &Path) -> bool {
    let given_up = given_up(home);
    let entries = std::fs::read_dir(home.join(FOLDER)).into_iter().flatten().flatten();
    let mut folders = entries.filter(|entry| {
        let snapshot = entry.file_name().to_str().and_then(Hash::from_hex);
        snapshot.is_some_and(|snapshot| !given_up.contains(&snapshot))
    });
    folders.any(|folder| std::fs::read_dir(folder.path()).is_ok_and(|all| all.count() > 0))
}

/// Makes the folder of a snapshot, and throws away pieces of others: all but those of the one
/// of which most are here, unless it was given up.
///
/// # Errors
/// The disk failed.
pub fn keep_begun(home: &Path, folder: &Path) -> Result<(), Failure> {
    let all = home.join(FOLDER);
    let io = |error: std::io::Error| Failure::io(&all, &error);
    std::fs::create_dir_all(folder).map_err(io)?;
    let (mut others, given_up) = (Vec::new(), given_up(home));
    for entry in std::fs::read_dir(&all).map_err(io)? {
        let entry = entry.map_err(io)?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && path != folder {
            let snapshot = name.to_str().and_then(Hash::from_hex);
            let is_wanted = snapshot.is_some_and(|snapshot| !given_up.contains(&snapshot));
            let pieces = std::fs::read_dir(&path).map_err(io)?.count();
            others.push((is_wanted.then_some(pieces), path));
        }
    }
    others.sort();
    let kept = others.iter().rev().take(BEGUN_MAX.saturating_sub(1));
    let kept = kept.filter(|(pieces, _)| pieces.is_some()).count();
    let surplus = others.len().saturating_sub(kept);
    let mut old = others.into_iter().take(surplus);
    old.try_for_each(|(_, path)| std::fs::remove_dir_all(&path).map_err(io))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: a mark that a restart forgets, that lasts for ever, or a list without end.
    #[test]
    fn what_was_given_up_is_remembered_for_a_while() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path();
        std::fs::create_dir_all(home.join(FOLDER)).expect("a folder");
        let snapshot = |number: u8| Hash([number; 32]);
        (0..100).for_each(|number| give_up(home, &snapshot(number)).expect("a mark"));
        let marked = given_up(home);
        assert_eq!(marked.len(), GIVEN_UP_MAX);
        assert!(marked.contains(&snapshot(99)) && !marked.contains(&snapshot(0)));
        let now = now_secs();
        assert!(marks(home, now + GIVEN_UP_SECS + 1).is_empty());
        assert!(marks(home, now - 1000).is_empty(), "a clock that was set back");
    }

    /// Broken by: pieces that are thrown away because a newer snapshot is offered; pieces of
    /// every snapshot that was ever begun.
    #[test]
    fn pieces_of_the_fullest_other_snapshot_stay() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path();
        let folder = |number: u8| folder_of(home, &Hash([number; 32]));
        for number in 0..4 {
            std::fs::create_dir_all(folder(number)).expect("a folder");
            for piece in 0..number {
                std::fs::write(folder(number).join(format!("{piece}")), b"x").expect("a piece");
            }
        }
        keep_begun(home, &folder(9)).expect("room");
        assert!(folder(9).exists() && folder(3).exists());
        assert!(!folder(2).exists() && !folder(1).exists() && !folder(0).exists());
        give_up(home, &Hash([3; 32])).expect("a mark");
        keep_begun(home, &folder(8)).expect("room");
        assert!(folder(8).exists() && folder(9).exists() && !folder(3).exists());
        assert!(!has_begun(home), "two empty folders");
        std::fs::write(folder(8).join("0"), b"x").expect("a piece");
        assert!(has_begun(home));
        give_up(home, &Hash([8; 32])).expect("a mark");
        assert!(!has_begun(home));
    }
}
