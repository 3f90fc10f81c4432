//! A folder without a network: wallets, files of mode 0600, and a password of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ddt_ledger::Amount;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

/// A machine that no network reaches.
pub struct Desk {
    pub folder: TempDir,
    pub home: PathBuf,
    pub password: String,
}

impl Desk {
    pub fn new() -> Desk {
        let folder = folder();
        let home = folder.path().join("home");
        let password = secret(folder.path(), "password", "correct horse");
        Desk { folder, home, password }
    }

    /// Runs `ddt` there; the port of `--api` answers nobody.
    pub fn ddt(&self, arguments: &[&str]) -> Ending {
        let own = ["--password-file", &self.password, "--api", "http://127.0.0.1:1"];
        cli::ddt(&self.home, &[arguments, &own].concat())
    }

    /// A file of mode 0600.
    pub fn secret(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        secret(self.folder.path(), name, content)
    }

    /// A path where nothing is yet.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_string()
    }

    /// Makes a wallet and answers its words.
    pub fn wallet(&self, name: &str) -> String {
        let made = self.ddt(&["wallet", "new", name, "--short"]).data();
        text(&made, "/words").to_string()
    }

    /// Brings a network's wallet here by its words.
    pub fn import_from(&self, network: &Network, name: &str, accounts: &str) -> Json {
        let file = self.path(&format!("{name}.words"));
        let export = ["wallet", "export", name, "--words-file", &file, "--i-know"];
        assert_eq!(network.ddt(&export).code, Some(0));
        let import = ["wallet", "import", name, "--words-file", &file, "--accounts", accounts];
        self.ddt(&import).data()
    }
}

/// Writes a file that only this user may read.
pub fn secret(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    set_mode(&path, 0o600);
    path.to_str().unwrap().to_string()
}

pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The text at a JSON pointer.
pub fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{pointer}: {json}"))
}

pub fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

/// What a name has, as the command says it.
pub fn balance(network: &Network, name: &str) -> Amount {
    apt(text(&network.ddt(&["wallet", "balance", name]).data(), "/balance"))
}

/// The code and words of a command that must fail so.
pub fn refused(ending: &Ending, code: (i32, &str), says: &[&str]) {
    assert_eq!(ending.refusal(), (code.0, code.1.to_string()), "{ending:#?}");
    for part in says {
        assert!(ending.words().contains(part), "{part}: {ending:#?}");
    }
}
