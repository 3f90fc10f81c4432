//! How far a new node has come: a bar on a terminal, lines in the log, and a note in the data
//! folder for `ddt node status`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value as Json;

use crate::doctor::folder;

/// The note, in the data folder.
const FILE: &str = "sync.json";
/// How often the note is written, and a line of the log.
const NOTE_EVERY: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Pieces come.
    Fetching,
    /// The book is made.
    Building,
}

#[derive(Serialize)]
struct Note {
    phase: Phase,
    anchor: u64,
    pieces: usize,
    here: usize,
    resumed: usize,
    bytes: u64,
    sources: usize,
}

/// How far it has come.
pub struct Progress {
    path: PathBuf,
    note: Note,
    bar: ProgressBar,
    noted: Option<Instant>,
    lined: Instant,
}

impl Progress {
    /// Begins with the pieces that are on disk already.
    pub fn begin(home: &Path, anchor: u64, (pieces, here): (usize, usize), bytes: u64) -> Progress {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(pieces as u64),
            false => ProgressBar::hidden(),
        };
        let style = "{spinner} {wide_bar} {pos} of {len} pieces  {msg}  {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_position(here as u64);
        let phase = Phase::Fetching;
        let note = Note { phase, anchor, pieces, here, resumed: here, bytes, sources: 0 };
        tracing::info!("fetching the snapshot of anchor {anchor}: {here} of {pieces} pieces here");
        let path = home.join(FILE);
        Progress { path, note, bar, noted: None, lined: Instant::now() }
    }

    /// A piece more.
    pub fn piece(&mut self, bytes: usize) {
        self.note.here = self.note.here.saturating_add(1);
        self.note.bytes = self.note.bytes.saturating_add(bytes as u64);
        self.bar.inc(1);
    }

    /// What it does now.
    pub fn say(&mut self, phase: Phase) {
        self.note.phase = phase;
        self.noted = None;
        self.bar.set_message("building the book");
        let (anchor, resumed) = (self.note.anchor, self.note.resumed);
        tracing::info!("building the book of anchor {anchor}; {resumed} pieces were here before");
        self.tell(self.note.sources);
    }

    /// Tells whoever wants to know, now and then.
    pub fn tell(&mut self, sources: usize) {
        self.note.sources = sources;
        self.bar.tick();
        if self.noted.is_none_or(|noted| noted.elapsed() > NOTE_EVERY) {
            let text = serde_json::to_string(&self.note).unwrap_or_default();
            // Only what people see depends on it.
            let _ = crate::secret_file::replace(&self.path, &text);
            self.noted = Some(Instant::now());
        }
        if self.lined.elapsed() > LINE_EVERY {
            let Note { here, pieces, sources, .. } = self.note;
            tracing::info!("{here} of {pieces} pieces here, from {sources} peers");
            self.lined = Instant::now();
        }
    }

    /// Takes the note back.
    pub fn forget(home: &Path) {
        let _ = std::fs::remove_file(home.join(FILE));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What a node that is still syncing in this folder says. A note that a killed node left behind
/// is nobody's word.
pub fn told(home: &Path) -> Option<Json> {
    let note = std::fs::read_to_string(home.join(FILE)).ok()?;
    let is_its = matches!(folder::held(home), Ok(folder::Held::By(_)));
    is_its.then(|| serde_json::from_str(&note).ok()).flatten()
}
