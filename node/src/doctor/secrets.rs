//! Keys, tokens and wallets: whether they can be read, and by nobody else.

use std::path::Path;

use ddt_wallet::Keystore;

use super::{Findings, Patient};
use crate::secret_file;

/// Files that only their owner may read.
const SECRETS: [&str; 4] = ["node.key", "token", "password", "run.json"];

/// Checks them.
pub fn check(patient: &Patient, findings: &mut Findings) {
    let home = &patient.home;
    let named = patient.password_file.iter().map(|path| (path.clone(), true));
    let own = SECRETS.iter().map(|name| (home.join(name), false));
    let mut seen = 0;
    for (path, is_wanted) in own.chain(named) {
        match secret_file::read(&path) {
            Ok(Some(_)) => seen += 1,
            Ok(None) if !is_wanted => {}
            Ok(None) => {
                let words = format!("there is no {}", path.display());
                let advice = "correct --password-file, DDT_PASSWORD_FILE or password_file";
                findings.problem("secrets", words, advice);
            }
            Err(failure) => findings.problem(
                "secrets",
                failure.words,
                "only their owner may read keys and tokens",
            ),
        }
    }
    if seen > 0 && findings.0.iter().all(|finding| finding.check != "secrets") {
        findings.ok("secrets", format!("{seen} secret files, each of mode 0600"));
    }
    wallets(&home.join("keystore"), findings);
}

fn wallets(path: &Path, findings: &mut Findings) {
    if !path.exists() {
        findings.ok("wallets", "none here yet");
        return;
    }
    let listing = Keystore::open_dir(path).and_then(|keystore| keystore.list());
    match listing {
        Ok(listing) => {
            for problem in &listing.problems {
                let advice = "restore this wallet from a backup, or from its words";
                findings.problem("wallets", problem.to_string(), advice);
            }
            let tests = listing.entries.iter().filter(|entry| entry.unsafe_test).count();
            let of = match tests {
                0 => String::new(),
                tests => format!(", {tests} of them UNSAFE test wallets"),
            };
            findings.ok("wallets", format!("{} can be read{of}", listing.entries.len()));
        }
        Err(error) => {
            let advice = "the folder must have mode 0700 and its files 0600";
            findings.problem("wallets", error.to_string(), advice);
        }
    }
}
