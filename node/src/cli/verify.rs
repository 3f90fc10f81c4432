//! `ddt verify`: checking a proof offline, with nothing but the genesis file.

use std::path::{Path, PathBuf};

use clap::Args;
use ddt_contracts::REGISTRY;
use ddt_ledger::proof::{Claim, Proof, Verified};
use ddt_ledger::schema::Value;
use serde_json::{Value as Json, json};

use super::output::Output;
use super::query::show;
use crate::data_folder::read_genesis;
use crate::failure::{Failure, FailureKind};

/// Longest proof file, in bytes.
const PROOF_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Check a proof offline.
#[derive(Args)]
pub struct VerifyArgs {
    /// The proof, as ddt ledger proof or ?proof=1 gives it
    proof: PathBuf,
    /// The network's genesis file
    #[arg(long)]
    genesis: PathBuf,
}

/// `ddt verify`.
pub fn run(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let genesis = read_genesis(&args.genesis)?;
    let missing = || Failure::usage(format!("there is no {}", args.genesis.display()));
    let genesis = genesis.ok_or_else(missing)?;
    let proof = read(&args.proof)?;
    let verified = proof.verify(&genesis);
    let verified =
        verified.map_err(|error| Failure::new(FailureKind::Proof, "proof", error.to_string()))?;
    let (what, values) = claim(&proof, &verified);
    let (signed, of) = verified.signers;
    let words = format!(
        "Proven: {what}\n{}\nIt holds after anchor {} of the network {} ({}), as {signed} of {of} \
         validators signed.\nAssumed: this genesis file is the right one, and fewer than a third \
         of the validators of any time since were dishonest.",
        show(&values).trim_end(),
        verified.height,
        genesis.name,
        verified.chain,
    );
    let data = json!({
        "proven": what,
        "values": values,
        "height": verified.height,
        "chain": verified.chain,
        "state_root": verified.state_root,
        "signed": signed,
        "validators": of,
    });
    output.result(data, words);
    Ok(())
}

fn read(path: &Path) -> Result<Proof, Failure> {
    let length = std::fs::metadata(path).map_err(|error| Failure::io(path, &error))?.len();
    if length > PROOF_BYTES_MAX {
        return Err(Failure::usage(format!("{} is too long for a proof", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    let json: Json = serde_json::from_str(&text).map_err(|error| bad(path, &error))?;
    // An API answer with its proof inside is as good as the proof alone.
    let proof = json.get("proof").unwrap_or(&json);
    serde_json::from_value(proof.clone()).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &serde_json::Error) -> Failure {
    let words = format!("{} is no proof: {error}", path.display());
    Failure::new(FailureKind::Proof, "proof", words)
}

/// What the proven bytes say: read from them, not from anything that stands beside them.
fn claim(proof: &Proof, verified: &Verified) -> (String, Json) {
    match &proof.claim {
        Claim::Receipt { .. } => {
            let receipt = verified.receipt.as_ref();
            let values = receipt.and_then(|receipt| serde_json::to_value(receipt).ok());
            ("a receipt".to_string(), values.unwrap_or_default())
        }
        Claim::Row { key, value, .. } => {
            let Some(row) = REGISTRY.describe_row(&key.0, value.as_ref().map(|v| v.0.as_slice()))
            else {
                return ("a row".to_string(), json!({ "key": key, "value": value }));
            };
            (row.words, Value::Group(row.values).to_json())
        }
    }
}
