//! Signed messages: a key stands behind a text or a file, and nothing moves.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use ddt_ledger::AccountId;
use ddt_wallet::SignedMessage;
use ddt_wallet::message::MESSAGE_BYTES_MAX;
use serde_json::json;

use super::current::{self, LedgerKey, current_key};
use super::keys::replacements;
use super::{Global, Output};
use crate::cli::connection::Connection;
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};

/// Longest file read for a signature, in bytes.
const SIGNATURE_FILE_BYTES_MAX: u64 = 1024;

/// `ddt wallet sign-message`.
#[derive(Args)]
pub struct SignMessage {
    /// The account that signs: NAME or NAME/1
    name: String,
    #[command(flatten)]
    message: Message,
    /// Ask no node which key is current
    #[arg(long)]
    offline: bool,
    /// How often the account's owner key was replaced; a node knows it
    #[arg(long, value_name = "R", requires = "offline")]
    rotations: Option<u32>,
}

/// What is signed.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Message {
    /// The text
    text: Option<String>,
    /// A file instead of a text, at most 16 MiB
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// `ddt wallet verify-message`.
#[derive(Args)]
pub struct VerifyMessage {
    /// Who is said to have signed: an account id, or a name known here
    account: String,
    /// The signature, ddt-message-1:…, or a file with it
    signature: String,
    #[command(flatten)]
    message: Message,
    /// Ask no node whether the key is the account's now: only its first key is known then
    #[arg(long)]
    offline: bool,
    /// Take a key that was replaced since, too
    #[arg(long)]
    old_key: bool,
}

impl Message {
    fn read(&self) -> Result<Vec<u8>, Failure> {
        match (&self.text, &self.file) {
            (Some(text), _) => Ok(text.as_bytes().to_vec()),
            (None, Some(path)) => read_bounded(path, MESSAGE_BYTES_MAX),
            (None, None) => Err(Failure::usage("a text or --file is wanted")),
        }
    }
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(bytes_max + 1).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
        return Ok(bytes);
    }
    Err(Failure::usage(format!("{} is longer than {bytes_max} bytes", path.display())))
}

/// Signs a message with the account's current key.
pub fn sign(global: &Global, args: &SignMessage, output: &Output) -> Result<(), Failure> {
    let message = args.message.read()?;
    let connection = match args.offline {
        true => None,
        false => Some(Connection::open(global)?),
    };
    let (wallet, index) = wallets::unlock_indexed(global, Some(&args.name))?;
    let account = wallet.keys().get(index).map(|key| key.account());
    let account = account.ok_or_else(|| Failure::fault("the wallet lost an account"))?;
    let found = match &connection {
        Some(connection) => current_key(global, connection, &wallet, &account)?,
        None => {
            let index = u32::try_from(index).map_err(|_| Failure::usage("no such account"))?;
            current::derive(&wallet, index, args.rotations.unwrap_or(0))?
        }
    };
    let signed = SignedMessage::sign(&account, &found.key, &message);
    let data = json!({
        "account": account, "key": signed.key, "path": found.path(),
        "signature": signed.to_string(), "message_bytes": message.len(),
    });
    output.result(data, signed.to_string());
    Ok(())
}

/// Whose key it is, as far as somebody knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The account's current owner key.
    Current,
    /// The account's first key; whether it still is, nobody was asked.
    First,
    /// A key that was replaced.
    Old,
}

/// Checks a signed message.
pub fn verify(global: &Global, args: &VerifyMessage, output: &Output) -> Result<(), Failure> {
    let account = wallets::shown_account(global, &args.account)?;
    let signed = read_signature(&args.signature)?;
    let message = args.message.read()?;
    if !signed.is_valid(&account, &message) {
        return Err(proof(
            "message.signature",
            format!(
                "the signature is not for this message and {account}: one of the three is \
                 another than was signed"
            ),
        ));
    }
    let standing = standing(global, args, &account, &signed)?;
    if standing == Standing::Old && !args.old_key {
        let words = format!(
            "an old key of {account} signed this, one that was replaced since: whoever stole it \
             may have. --old-key takes it all the same"
        );
        return Err(proof("message.old_key", words));
    }
    let first = match signed.is_first_key(&account) {
        true => "its first key",
        false => "not its first key",
    };
    let (word, words) = match standing {
        Standing::Current => ("current", format!("with its current key ({first})")),
        Standing::First => (
            "first",
            "with its first key; no node was asked whether that is still current".to_string(),
        ),
        Standing::Old => ("old", format!("with an OLD key, replaced since ({first})")),
    };
    let data = json!({
        "account": account, "key": signed.key, "standing": word,
        "is_first_key": signed.is_first_key(&account),
    });
    output.result(data, format!("Good: {account} signed this {words}."));
    Ok(())
}

fn standing(
    global: &Global,
    args: &VerifyMessage,
    account: &AccountId,
    signed: &SignedMessage,
) -> Result<Standing, Failure> {
    let is_first = signed.is_first_key(account);
    if args.offline {
        return match is_first {
            true => Ok(Standing::First),
            false => Err(proof(
                "message.key",
                format!(
                    "the signature is good for the key {}, which is not the first one of \
                     {account}; whether it replaced it, only a node can say: leave out --offline",
                    signed.key
                ),
            )),
        };
    }
    let connection = Connection::open(global)?;
    if LedgerKey::ask(&connection, account)?.is(account, &signed.key) {
        return Ok(Standing::Current);
    }
    let is_old = is_first
        || replacements(&connection, account)?
            .iter()
            .any(|change| [change.old, change.new].contains(&Some(signed.key)));
    match is_old {
        true => Ok(Standing::Old),
        false => {
            let words = format!(
                "the signature is good for the key {}, which is none of {account}'s: somebody \
                 else signed",
                signed.key
            );
            Err(proof("message.key", words))
        }
    }
}

fn proof(code: &str, words: String) -> Failure {
    Failure::new(FailureKind::Proof, code, words)
}

/// The armoured text itself, or the file it stands in.
fn read_signature(text: &str) -> Result<SignedMessage, Failure> {
    let path = Path::new(text);
    let read = match text.starts_with("ddt-message-") || !path.is_file() {
        true => text.as_bytes().to_vec(),
        false => read_bounded(path, SIGNATURE_FILE_BYTES_MAX)?,
    };
    String::from_utf8_lossy(&read).parse().map_err(|error| Failure::usage(format!("{error}")))
}
