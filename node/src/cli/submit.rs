//! `ddt submit`: sending an event that was signed before, perhaps far from any network.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use ddt_contracts::REGISTRY;
use ddt_ledger::event::Checked;
use ddt_ledger::tickets::TICKET_NONCE_END;
use ddt_wallet::SignedFile;
use ddt_wallet::describe::describe;
use ddt_wallet::signed_file::{FILE_BYTES_MAX, SignedFileError};
use serde_json::{Value as Json, json};

use super::connection::{Connection, text};
use super::output::{Output, confirm, table};
use super::plain::plain;
use super::progress::Spinner;
use super::proposal::perhaps_taken;
use super::send::{Waiting, finish};
use super::{Global, moment};
use crate::failure::{Failure, FailureKind};

/// `ddt submit`.
#[derive(Args)]
pub struct SubmitArgs {
    /// The file that ddt wallet sign wrote
    file: PathBuf,
    #[command(flatten)]
    waiting: Waiting,
}

/// Checks a signed event, says what it does, asks, and submits it.
pub fn run(global: &Global, args: &SubmitArgs, output: &Output) -> Result<(), Failure> {
    let (file, event) = read(&args.file)?;
    let words = in_words(&file, &event)?;
    output.tell(words);
    let connection = Connection::open(global)?;
    if connection.chain() != file.chain {
        let words = format!(
            "this event was signed for the chain {}, and the node follows {}: submit it to a \
             node of its own network with --api",
            file.chain,
            connection.chain()
        );
        return Err(Failure::new(FailureKind::Refused, "event.chain", words));
    }
    if let Some(answer) = ended_already(&connection, &event)? {
        output.note("It was executed before; nothing is submitted again.");
        return finish(output, &answer, args.waiting);
    }
    check_forecast(&connection, &event, args.waiting.force)?;
    if !global.yes {
        confirm("Submit this?").map_err(|failure| Failure {
            words: failure.words.replace("signed", "submitted").replace("to sign", "to submit"),
            ..failure
        })?;
    }
    let spinner = Spinner::new(format!("waiting until it is {}", args.waiting.wait.word()));
    let answer = connection.submit(event.bytes(), args.waiting.wait);
    let answer = answer.map_err(|failure| perhaps_taken(failure, &event.id()))?;
    drop(spinner);
    finish(output, &answer, args.waiting)
}

fn read(path: &Path) -> Result<(SignedFile, Checked), Failure> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    let wrong = |words: String| {
        let words = format!("{}: {words}", path.display());
        Failure::new(FailureKind::Usage, "submit.file", words)
    };
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::usage(format!("there is no {}", path.display())),
        _ => io(error),
    })?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(wrong(format!("it is longer than {FILE_BYTES_MAX} bytes: no signed event is")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_string()))?;
    SignedFile::check(&text, &REGISTRY).map_err(|error| match error {
        SignedFileError::Refused(refusal) => Failure::from(refusal),
        other => wrong(other.to_string()),
    })
}

/// What the event does, from its bytes.
fn in_words(file: &SignedFile, event: &Checked) -> Result<String, Failure> {
    let description = describe(event.draft(), &REGISTRY)?;
    let mut rows: Vec<(String, String)> =
        description.fields.iter().map(|(name, value)| (name.to_string(), plain(value))).collect();
    let number = if file.nonce < TICKET_NONCE_END { "ticket" } else { "nonce" };
    for (name, value) in [
        ("from", file.author.to_string()),
        ("event", format!("{} {}", description.name, file.event)),
        (number, file.nonce.to_string()),
        ("valid until", moment::text(file.valid_until)),
    ] {
        rows.push((name.to_string(), value));
    }
    Ok(format!("{}\n{}", plain(&description.words), table(&rows).trim_end()))
}

/// The answer of an event that has its receipt already, in the form of a submission's.
fn ended_already(connection: &Connection, event: &Checked) -> Result<Option<Json>, Failure> {
    let id = event.id();
    let found = match connection.get(&format!("/v1/events/{id}")) {
        Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
        found => found?,
    };
    // A void event is not used up: it may be submitted again.
    let is_over = text(&found, "/outcome").is_some_and(|outcome| outcome != "void");
    let stage = text(&found, "/stage");
    Ok(is_over.then(|| json!({ "event": id, "stage": stage, "receipt": found })))
}

/// Says why the event would not be executed, in terms of what happened since it was signed.
fn check_forecast(connection: &Connection, event: &Checked, force: bool) -> Result<(), Failure> {
    let forecast = connection.forecast(event.bytes())?;
    let Some(code) = text(&forecast, "/refusal/code") else { return Ok(()) };
    let is_void = text(&forecast, "/outcome").as_deref() == Some("void");
    if force && !is_void {
        return Ok(());
    }
    let told = text(&forecast, "/refusal/words").unwrap_or_default();
    let since = match code.as_str() {
        "event.key" => {
            "The account's owner key was replaced since this was signed, or another one signed \
             it: sign it again with the present key (with --offline: --rotations)."
        }
        "event.ticket" => "Another event used the ticket, or it was never reserved.",
        "event.nonce_used" | "event.nonce_old" => {
            "The account did other things since this was signed; a ticket would have waited."
        }
        "event.expired" => "It was signed for a time that is over.",
        _ => "",
    };
    let advice = match is_void {
        true => "Nothing was submitted.",
        false => "Nothing was submitted; --force submits it all the same.",
    };
    let words = [told.as_str(), since, advice].join(" ").replace("  ", " ");
    Err(Failure::new(FailureKind::Refused, &code, words))
}
