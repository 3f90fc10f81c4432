//! `ddt`: a DDT network, a wallet and a way to ask questions, in one binary.

mod bench;
mod cli;
mod data_folder;
mod dev;
mod failure;
mod router;
mod secret_file;
mod wallet_ui;

fn main() -> std::process::ExitCode {
    cli::main()
}
