//! `ddt wallet`: making wallets, seeing what is in them, paying, signing ahead of time.

mod backup;
pub mod book;
mod claims;
pub mod current;
mod history;
mod keys;
mod lock;
mod make;
mod messages;
mod names;
mod offline;
mod pages;
mod pay;
mod removal;
mod show;
mod tickets;

use clap::Subcommand;

use super::Global;
use super::output::Output;
use crate::failure::Failure;

/// Make wallets, see what is in them, pay.
#[derive(Subcommand)]
pub enum WalletCommand {
    /// Make a wallet and show its words once
    New(make::New),
    /// Bring a wallet back from its words, a seed or a wallet's file
    Import(make::Import),
    /// Show an account without its key
    Watch(make::Watch),
    /// Make the next account of a wallet: NAME/1, NAME/2, …
    AddAccount(make::AddAccount),
    /// The wallets here and their accounts
    List,
    /// What an account has
    Balance {
        /// NAME or NAME/1 of a wallet here, or an account id; without it, every one here
        account: Option<String>,
    },
    /// Pay: ddt wallet send 5 apt1… --from alice
    Send(pay::Send),
    /// What happened to an account, newest first; as CSV too
    History(Box<history::History>),
    /// Names for the accounts of others
    #[command(subcommand)]
    Book(book::BookCommand),
    /// The keys of an account: the current one and those it replaced
    Keys(keys::Keys),
    /// Replace an account's owner key by the next one of the same words
    Rotate(keys::Rotate),
    /// Show or write a wallet's words, the one backup
    Export(backup::Export),
    /// See whether a backup's words are this wallet's
    CheckWords(backup::CheckWords),
    /// Change a wallet's password
    Password(backup::Password),
    /// Delete a wallet's file here; asks for its words first
    Remove(removal::Remove),
    /// Numbers for events signed ahead of time
    #[command(subcommand)]
    Tickets(tickets::TicketsCommand),
    /// Sign an event into a file, with --offline away from every network
    Sign(offline::Sign),
    /// Sign a text or a file, which is no event and moves nothing
    SignMessage(messages::SignMessage),
    /// Check a signed text or file
    VerifyMessage(messages::VerifyMessage),
    /// The wallet as pages in a browser on this machine
    Ui(super::ui::UiArgs),
}

/// `ddt wallet …`.
pub fn run(global: &Global, command: WalletCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WalletCommand::New(args) => make::new(global, &args, output),
        WalletCommand::Import(args) => make::import(global, &args, output),
        WalletCommand::Watch(args) => make::watch(global, &args, output),
        WalletCommand::AddAccount(args) => make::add_account(global, &args, output),
        WalletCommand::List => show::list(global, output),
        WalletCommand::Balance { account } => show::balance(global, account.as_deref(), output),
        WalletCommand::Send(args) => pay::send(global, args, output),
        WalletCommand::History(args) => history::run(global, &args, output),
        WalletCommand::Book(command) => book::run(global, &command, output),
        WalletCommand::Keys(args) => keys::show(global, &args, output),
        WalletCommand::Rotate(args) => keys::rotate(global, &args, output),
        WalletCommand::Export(args) => backup::export(global, &args, output),
        WalletCommand::CheckWords(args) => backup::check_words(global, &args, output),
        WalletCommand::Password(args) => backup::password(global, &args, output),
        WalletCommand::Remove(args) => removal::run(global, &args, output),
        WalletCommand::Tickets(command) => tickets::run(global, &command, output),
        WalletCommand::Sign(args) => offline::sign(global, &args, output),
        WalletCommand::SignMessage(args) => messages::sign(global, &args, output),
        WalletCommand::VerifyMessage(args) => messages::verify(global, &args, output),
        WalletCommand::Ui(args) => super::ui::run(global, &args, output),
    }
}
