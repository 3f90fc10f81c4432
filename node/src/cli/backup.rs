//! `ddt backup` and `ddt restore`.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tempfile::NamedTempFile;

use super::Global;
use super::connection::{failure, home, own_node};
use super::output::Output;
use super::progress::{Bytes, Spinner};
use crate::backup::take::{OwnStores, take};
use crate::backup::{Manifest, archive, restore as restoring, restored};
use crate::data_folder::DataFolder;
use crate::data_folder::migration::Layout;
use crate::failure::Failure;
use crate::secret_file;

/// Copy a data folder into one file.
#[derive(Args)]
pub struct BackupArgs {
    /// The new file; or a folder, in which it is named after network and anchor
    #[arg(value_name = "FILE|DIR")]
    to: PathBuf,
    /// With the wallets' files, which are worth nothing without their password
    #[arg(long)]
    with_wallets: bool,
}

/// Make a data folder from a backup.
#[derive(Args)]
pub struct RestoreArgs {
    /// The new data folder; empty, or not there yet
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Also recount everything, and compare with what the validators certified
    #[arg(long)]
    verify: bool,
}

/// `ddt backup`.
pub fn run(global: &Global, args: &BackupArgs, output: &Output) -> Result<(), Failure> {
    let (home, to) = (home(global), &args.to);
    let is_folder = to.is_dir();
    if !is_folder && to.exists() {
        let words = format!("{} is there already: choose another file", to.display());
        return Err(Failure::usage(words));
    }
    let new = secret_file::beside(&if is_folder { to.join("ddt.backup") } else { to.clone() })?;
    let (manifest, is_running) = make(&home, &new, args.with_wallets)?;
    let file = match is_folder {
        true => to.join(format!("ddt-{}-{}.backup", manifest.network, manifest.height)),
        false => to.clone(),
    };
    secret_file::place(new, &file)?;
    let bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    let words = format!(
        "Wrote {} ({bytes} bytes): the network {} after anchor {}, root {}.\nIt holds the \
         node's key{}: keep it where only you can read it.",
        file.display(),
        manifest.network,
        manifest.height,
        manifest.root,
        if args.with_wallets { " and the wallets" } else { "; wallets are not in it" },
    );
    let data = json!({
        "file": file.display().to_string(),
        "bytes": bytes,
        "node_was_running": is_running,
        "manifest": manifest,
    });
    output.result(data, words);
    Ok(())
}

/// Writes the file, durably, and reads it again.
fn make(home: &Path, new: &NamedTempFile, wallets: bool) -> Result<(Manifest, bool), Failure> {
    let running = own_node(home)?;
    let is_running = running.is_some();
    match running {
        Some(node) => {
            let path = format!("/v1/backup?wallets={}", u8::from(wallets));
            let stream = node.stream(&path).map_err(failure)?;
            let progress = Bytes::new("The node copies its stores");
            write(new, |out| copy(progress.counted(stream), out, new.path()))?;
        }
        None => {
            let spinner = Spinner::new("Copying the stores");
            write(new, |out| offline(home, wallets, out))?;
            drop(spinner);
        }
    }
    let spinner = Spinner::new("Reading the backup again");
    let manifest = archive::read(new.path(), None)?;
    drop(spinner);
    Ok((manifest, is_running))
}

type Out<'f> = BufWriter<&'f File>;

fn write(
    new: &NamedTempFile,
    fill: impl FnOnce(&mut Out) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(256 * 1024, new.as_file());
    fill(&mut out)?;
    let written = out.flush().and_then(|()| new.as_file().sync_all());
    written.map_err(|error| Failure::io(new.path(), &error))
}

fn copy(mut from: impl Read, out: &mut Out, new: &Path) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut buffer).map_err(|error| {
            Failure::fault(format!("the node broke off: {error}; its log says why"))
        })?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { return Ok(()) };
        out.write_all(part).map_err(|error| Failure::io(new, &error))?;
    }
}

/// No node runs: the folder is held, so that none begins.
fn offline(home: &Path, wallets: bool, out: &mut Out) -> Result<(), Failure> {
    if !home.join("VERSION").exists() {
        let words = format!("{} is no data folder: name one with --home", home.display());
        return Err(Failure::usage(words));
    }
    let folder = DataFolder::hold(home)?;
    if Layout::read(home)? != Layout::Now {
        let words = format!("{} has an older layout: start a node on it first", home.display());
        return Err(Failure::fault(words));
    }
    let missing = || Failure::fault(format!("{} has no genesis file", home.display()));
    let genesis = folder.genesis()?.ok_or_else(missing)?;
    let stores = OwnStores::open(home, &genesis)?;
    take(home, &stores.lent(), wallets)?.write(out)
}

/// `ddt restore`.
pub fn restore(args: &RestoreArgs, output: &Output) -> Result<(), Failure> {
    let spinner = Spinner::new("Restoring");
    let (manifest, verdict) = restoring::restore(&args.from, &args.to, args.verify)?;
    drop(spinner);
    let to = args.to.display();
    let mut words = vec![format!(
        "Restored {to}: the network {} after anchor {}, root {}.",
        manifest.network, manifest.height, manifest.root
    )];
    if let Some(verdict) = verdict {
        words.push(format!(
            "Verified: everything adds up, and the state after anchor {} is what {} of {} \
             validators signed.",
            verdict.height, verdict.signers.0, verdict.signers.1
        ));
    }
    words.push(format!(
        "Its router signs nothing yet: start it with {} once you know that the old folder is \
         lost and will never run again.",
        restored::FLAG
    ));
    let data = json!({
        "home": to.to_string(),
        "manifest": manifest,
        "verified": verdict.map(|verdict| json!({
            "height": verdict.height,
            "signed": verdict.signers.0,
            "validators": verdict.signers.1,
        })),
    });
    output.result(data, words.join("\n"));
    Ok(())
}
