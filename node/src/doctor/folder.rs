//! The data folder: whether it is there, ours, roomy, unlocked and of this layout.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;

use super::{Findings, Patient};
use crate::backup::restored::{FLAG, Restored};
use crate::data_folder::migration::Layout;
use crate::data_folder::space::free_bytes;
use crate::running::Records;

/// Below this a node may stop at any moment.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// Below this somebody should make room.
const FREE_BYTES_ENOUGH: u64 = 2 * 1024 * 1024 * 1024;

/// Who holds a folder.
pub enum Held {
    /// Nobody; and nobody can while this lives.
    Free(Option<File>),
    /// The process with this pid.
    By(String),
}

/// Whether a process holds the folder. Nothing is written; a free folder stays free for
/// nobody else until the answer is dropped.
pub fn held(home: &Path) -> std::io::Result<Held> {
    let mut file = match File::open(home.join("LOCK")) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Held::Free(None)),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(Held::Free(Some(file))),
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            Ok(Held::By(pid.trim().to_string()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Checks the folder; answers whether it is there.
pub fn check(patient: &Patient, findings: &mut Findings) -> bool {
    let home = &patient.home;
    let name = home.display();
    match std::fs::metadata(home) {
        Ok(metadata) if metadata.is_dir() => {
            findings.ok("folder", format!("{name} is there"));
            mode_and_owner(home, &metadata, findings);
        }
        Ok(_) => {
            let words = format!("{name} is no folder");
            findings.problem("folder", words, "name another one with --home or DDT_HOME");
            return false;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let advice = "ddt dev --state makes it; or name another one with --home or DDT_HOME";
            findings.warn("folder", format!("{name} is not there yet"), advice);
            return false;
        }
        Err(error) => {
            let advice = "check its owner and permissions, and those of the folders above it";
            findings.problem("folder", format!("{name}: {error}"), advice);
            return false;
        }
    }
    room(home, findings);
    match held(home) {
        Ok(Held::Free(_)) => findings.ok("lock", "no process holds the folder"),
        Ok(Held::By(pid)) => findings.ok("lock", format!("the process {pid} holds the folder")),
        Err(error) => findings.problem("lock", format!("LOCK: {error}"), "check its owner"),
    }
    layout(home, findings);
    restored(home, findings);
    records(home, findings);
    true
}

fn room(home: &Path, findings: &mut Findings) {
    let Some(free) = free_bytes(home) else { return };
    let words = format!("{} MiB are free", free / 1024 / 1024);
    match free {
        _ if free < FREE_BYTES_MIN => {
            findings.problem("disk", words, "free some space now: a node without any stops");
        }
        _ if free < FREE_BYTES_ENOUGH => findings.warn("disk", words, "free some space soon"),
        _ => findings.ok("disk", words),
    }
}

fn layout(home: &Path, findings: &mut Findings) {
    match Layout::read(home) {
        Ok(Layout::Now) => findings.ok("layout", "of this release"),
        Ok(Layout::New) => findings.ok("layout", "none yet: no node has run here"),
        Ok(Layout::Older(version)) => {
            let advice = "the next start copies the folder and brings it up to date";
            findings.warn("layout", format!("of an older release ({version})"), advice);
        }
        Ok(Layout::Underway(from, copy)) => {
            let words = format!("half way from {from}; the copy is in {copy}");
            findings.warn("layout", words, "start the node: it goes on");
        }
        Err(failure) => findings.problem("layout", failure.words, "nothing was changed"),
    }
}

/// Whether a router that lost what it signed signs nothing here.
fn records(home: &Path, findings: &mut Findings) {
    let advice = "docs/operate/router.md says what to do about a lost disk";
    match Records::at(home).lost_and_accepted() {
        Ok(None) => {}
        Ok(Some(false)) => {
            findings.problem("records", "this router lost what it signed: it signs nothing", advice)
        }
        Ok(Some(true)) => {
            let words = "this router lost what it signed: it signs once it has caught up";
            findings.warn("records", words, advice);
        }
        Err(failure) => findings.problem("records", failure.to_string(), advice),
    }
}

fn restored(home: &Path, findings: &mut Findings) {
    match Restored::read(home) {
        Ok(Some(mark)) if !mark.is_continued => {
            let words = format!("restored from a backup taken after anchor {}", mark.height);
            let advice = format!("its router signs nothing until it is started with {FLAG}");
            findings.warn("restored", words, &advice);
        }
        Ok(_) => {}
        Err(failure) => findings.problem("restored", failure.words, "restore again"),
    }
}

#[cfg(unix)]
fn mode_and_owner(home: &Path, metadata: &std::fs::Metadata, findings: &mut Findings) {
    use std::os::unix::fs::MetadataExt;
    let name = home.display();
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != own {
        let words = format!("{name} belongs to user {owner}, this is user {own}");
        let advice = "run ddt as its owner, or give it away with chown -R";
        findings.problem("owner", words, advice);
    } else if rustix::fs::access(home, rustix::fs::Access::WRITE_OK).is_err() {
        let words = format!("{name} cannot be written");
        findings.problem("owner", words, "check its mode, and whether the disk is read-only");
    } else {
        findings.ok("owner", "this user's, and may be written");
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let advice = format!("run chmod 700 {name}");
        findings.warn("mode", format!("{name} has mode {mode:o}: others may look in"), &advice);
    } else {
        findings.ok("mode", format!("{mode:o}"));
    }
}

#[cfg(not(unix))]
fn mode_and_owner(_: &Path, _: &std::fs::Metadata, _: &mut Findings) {}
