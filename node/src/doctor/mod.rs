//! Looking for what is wrong on this machine. Nothing is ever changed.

pub mod folder;
mod network;
mod overlay;
mod routers;
mod secrets;
mod stores;

use std::path::PathBuf;

use serde::Serialize;

use crate::failure::Failure;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work, or it is not safe.
    Problem,
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was checked; stable.
    pub check: &'static str,
    /// How it went.
    pub level: Level,
    /// What was found.
    pub words: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// What is looked at.
pub struct Patient {
    /// The data folder.
    pub home: PathBuf,
    /// The node that was named, if one was.
    pub api: Option<String>,
    /// The keystore's password file, if one was named.
    pub password_file: Option<PathBuf>,
    /// Where a node would listen, if that was said.
    pub listen: Option<std::net::SocketAddr>,
    /// Where it would meet other nodes: the setting's name, and its value.
    pub network: [(&'static str, std::net::SocketAddr); 2],
    /// Whether everything is recounted.
    pub is_deep: bool,
}

/// Findings in order.
#[derive(Default)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// All is well.
    pub fn ok(&mut self, check: &'static str, words: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, words: words.into(), advice: None });
    }

    /// Somebody should look.
    pub fn warn(&mut self, check: &'static str, words: impl Into<String>, advice: &str) {
        self.put(check, Level::Warning, words.into(), advice);
    }

    /// Something is wrong.
    pub fn problem(&mut self, check: &'static str, words: impl Into<String>, advice: &str) {
        self.put(check, Level::Problem, words.into(), advice);
    }

    fn put(&mut self, check: &'static str, level: Level, words: String, advice: &str) {
        self.0.push(Finding { check, level, words, advice: Some(advice.to_string()) });
    }

    /// How many went so.
    pub fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }
}

/// Looks at everything.
pub fn examine(patient: &Patient, settings: &Result<(), Failure>) -> Findings {
    let mut findings = Findings::default();
    match settings {
        Ok(()) => findings.ok("settings", "the settings are right"),
        Err(failure) => findings.problem(
            "settings",
            failure.to_string(),
            "correct it; ddt config show lists all settings. The defaults were used below",
        ),
    }
    for name in crate::config::unknown_variables() {
        let words = format!("the variable {name} is set, and there is no such setting");
        findings.warn("settings", words, "correct its name, or unset it");
    }
    let is_there = folder::check(patient, &mut findings);
    if is_there {
        secrets::check(patient, &mut findings);
    }
    let node = network::check(patient, &mut findings);
    if is_there {
        stores::check(patient, node.as_ref(), &mut findings);
    }
    findings
}
