//! `ddt username` and `ddt lookup`: names that only whoever knows them can find.
//!
//! Names are turned into rows here, in this process, and go nowhere: not to the node, not
//! into a log, not into an error.

mod claim;
mod hold;
mod lookup;
mod row;

use clap::{Args, Subcommand};
use ddt_ledger::Address;
use ddt_wallet::username::Username;

pub use claim::{claim, words as claimed_words};
pub use lookup::{LookupArgs, lookup};
pub use row::Own;

use super::connection::Connection;
use super::output::Output;
use super::send::Sender;
use super::{Global, wallets};
use crate::failure::Failure;

/// What is hidden and what is not, said before anything is signed and in the help.
const ADVICE: &str = "\
What this hides: nothing on the ledger leads from your account to the username, or back. What \
it does not hide: whoever guesses the name can look it up, one Argon2id of 256 MiB a guess, so \
a name that is easily guessed is public. The node you ask learns which row you asked for and \
that you asked for the account beside it, so that node can link the two, though not to the \
name; whoever sees your network address submit the claim, or sees it appear \
whenever you are online, can link them. Use a node you trust, and do not tell both at once.";

/// Have a username.
#[derive(Subcommand)]
pub enum UsernameCommand {
    /// Take a free username; run it again if it was interrupted
    #[command(after_help = ADVICE)]
    Claim {
        #[command(flatten)]
        whose: Whose,
        /// The DDT address to name in it; by default the account's present one, if it has one
        #[arg(long, value_name = "ADDRESS")]
        address: Option<Address>,
    },
    /// Hand it to a fresh one-time key, with the account's present key and address
    Rotate {
        #[command(flatten)]
        whose: Whose,
        /// The DDT address to name in it; by default the account's present one, if it has one
        #[arg(long, value_name = "ADDRESS")]
        address: Option<Address>,
    },
    /// Keep it for another year
    Renew {
        #[command(flatten)]
        whose: Whose,
    },
    /// Give it up: anybody may take it at once
    Release {
        #[command(flatten)]
        whose: Whose,
    },
    /// How long it runs, and whether this wallet holds it
    Status {
        #[command(flatten)]
        whose: Whose,
    },
}

/// Which username, and whose wallet.
#[derive(Args)]
pub struct Whose {
    /// The username: 1 to 16 of a-z and 0-9
    name: String,
    /// The account it stands for, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
}

/// A username as typed. The error does not repeat it.
pub fn username(text: &str) -> Result<Username, Failure> {
    text.parse().map_err(|error: ddt_wallet::username::NameRule| Failure {
        field: Some("name".to_string()),
        ..Failure::usage(error.to_string())
    })
}

/// `ddt username …`.
pub fn run(global: &Global, command: UsernameCommand, output: &Output) -> Result<(), Failure> {
    let (UsernameCommand::Claim { whose, .. }
    | UsernameCommand::Rotate { whose, .. }
    | UsernameCommand::Renew { whose }
    | UsernameCommand::Release { whose }
    | UsernameCommand::Status { whose }) = &command;
    let name = username(&whose.name)?;
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, whose.from.as_deref())?;
    let own = Own(&Sender { global, connection: &connection, wallet: &wallet, account, output });
    match command {
        UsernameCommand::Claim { address, .. } => {
            let claimed = claim(&own, &name, address)?;
            output.result(claimed.clone(), claim::words(&claimed));
            Ok(())
        }
        UsernameCommand::Rotate { address, .. } => hold::rotate(&own, &name, address),
        UsernameCommand::Renew { .. } => hold::renew(&own, &name),
        UsernameCommand::Release { .. } => hold::release(&own, &name),
        UsernameCommand::Status { .. } => hold::status(&own, &name),
    }
}
