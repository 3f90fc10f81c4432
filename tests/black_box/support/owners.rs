//! Operators who act with their wallets.

use super::cli::Ending;
use super::cluster::{Node, seed};

/// Gives a node's folder the wallet of a person or an operator, as `op`.
pub fn give_wallet(node: &Node, number: u8) {
    give_named(node, number, "op");
}

/// The same under a name.
pub fn give_named(node: &Node, number: u8, name: &str) {
    let folder = node.home.parent().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(format!("{name}-{number}"));
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        path.to_str().unwrap().to_string()
    };
    let seed_file = file("seed", &hex(&seed(number)));
    let password = file("password", "correct horse battery");
    let import =
        ["wallet", "import", name, "--seed-file", &seed_file, "--password-file", &password];
    node.ddt(&import).data();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs `ddt` on a node's folder with the password of that wallet.
pub fn ddt(node: &Node, number: u8, arguments: &[&str]) -> serde_json::Value {
    try_ddt(node, number, arguments).data()
}

/// The same, however it ends.
pub fn try_ddt(node: &Node, number: u8, arguments: &[&str]) -> Ending {
    let password = node.home.parent().unwrap().join(format!("password-{number}"));
    let password = ["--password-file", password.to_str().unwrap()];
    node.ddt(&[arguments, &password].concat())
}
