//! `ddt`: a DDT network, a wallet and a way to ask questions, in one binary.

mod backup;
mod bench;
mod cli;
mod config;
mod data_folder;
mod dev;
mod doctor;
mod failure;
mod log;
mod running;
mod secret_file;
mod syncing;
mod wallet_ui;

/// Anchors are many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
