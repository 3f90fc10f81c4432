//! `ddt man`: manual pages, one for every command.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use serde_json::json;

use super::output::Output;
use crate::failure::Failure;

/// Print or write manual pages.
#[derive(Args)]
pub struct ManArgs {
    /// Write the page of every command into this folder; without it, print the first page
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// `ddt man`.
pub fn run(args: &ManArgs, output: &Output) -> Result<(), Failure> {
    let mut command = super::command();
    command.build();
    let Some(folder) = &args.out else {
        let page = page(&command, "ddt")?;
        let _ = std::io::stdout().lock().write_all(&page);
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder, &error))?;
    let mut pages = Vec::new();
    collect(&command, "ddt", &mut pages)?;
    let mut names = Vec::new();
    for (name, page) in pages {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, page).map_err(|error| Failure::io(&path, &error))?;
        names.push(path.display().to_string());
    }
    let words = format!("Wrote {} pages into {}.", names.len(), folder.display());
    output.result(json!({ "pages": names }), words);
    Ok(())
}

/// The pages of a command and of all below it, by name.
fn collect(
    command: &Command,
    name: &str,
    pages: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Failure> {
    pages.push((name.to_string(), page(command, name)?));
    let below = command.get_subcommands();
    for inner in below.filter(|inner| inner.get_name() != "help" && !inner.is_hide_set()) {
        collect(inner, &format!("{name}-{}", inner.get_name()), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let man = Man::new(command.clone().version(super::VERSION));
    let man = man.title(name.to_uppercase()).section("1").source(format!("ddt {}", super::VERSION));
    let made = man.render(&mut page);
    made.map_err(|error| Failure::fault(format!("the page of {name}: {error}")))?;
    Ok(page)
}
