//! Signing and submitting an event: the words first, then the question, then the signature.

use std::collections::BTreeMap;

use clap::Args;
use ddt_api::Stage;
use ddt_contracts::REGISTRY;
use ddt_ledger::codec::encode;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Kind, Value};
use ddt_ledger::{AccountId, Amount};
use ddt_wallet::Unlocked;
use ddt_wallet::sign::sign;
use serde_json::{Value as Json, json};

use super::connection::{Connection, now_us, text};
use super::output::{Output, confirm, table};
use super::plain::plain;
use super::progress::Spinner;
use super::proposal::{Proposal, expected_refusal, propose, submit};
use super::wallet::current::current_key;
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// Sign and submit any event of the registry.
#[derive(Args)]
pub struct SendArgs {
    /// The event, programme.event; without one, all are listed
    event: Option<String>,
    /// Its fields, name=value
    fields: Vec<String>,
    /// The account that signs, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
    /// The account to sign for, where its owner key was replaced by this wallet's
    #[arg(long, value_name = "ACCOUNT")]
    author: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// How long to wait, and whether to insist.
#[derive(Args, Clone, Copy)]
pub struct Waiting {
    /// Stage to wait for: sequenced, final or proven
    #[arg(long, default_value = "final", value_parser = stage)]
    pub wait: Stage,
    /// Submit although the node expects a refusal (the fee is paid all the same)
    #[arg(long)]
    pub force: bool,
}

fn stage(word: &str) -> Result<Stage, String> {
    Stage::from_word(word).ok_or_else(|| "one of sequenced, final, proven".to_string())
}

/// `ddt send`.
pub fn run(global: &Global, args: &SendArgs, output: &Output) -> Result<(), Failure> {
    let Some(name) = &args.event else { return list(output) };
    let row = row(name)?;
    let values = parse_fields(global, row, &args.fields)?;
    let connection = Connection::open(global)?;
    let (wallet, first) = wallets::unlock(global, args.from.as_deref())?;
    let account = match &args.author {
        Some(text) => wallets::account(global, text)?,
        None => first,
    };
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row, values, args.waiting)?;
    sender.finish(&answer, args.waiting)
}

fn list(output: &Output) -> Result<(), Failure> {
    let rows: Vec<&Row> = REGISTRY.rows().collect();
    let data: Vec<Json> =
        rows.iter().map(|row| json!({ "tag": row.tag, "name": row.name })).collect();
    let words: Vec<(String, String)> = rows
        .iter()
        .map(|row| {
            let fields: Vec<&str> = row.fields.iter().map(|field| field.name).collect();
            (row.name.to_string(), fields.join(" "))
        })
        .collect();
    output.result(json!({ "events": data }), table(&words));
    Ok(())
}

/// The event with this name.
pub fn row(name: &str) -> Result<&'static Row, Failure> {
    REGISTRY.row_named(name).ok_or_else(|| {
        Failure::usage(format!("there is no event {name}: ddt send lists all there are"))
    })
}

/// Reads `name=value` arguments; where an account is wanted, a wallet's name will do.
pub fn parse_fields(
    global: &Global,
    row: &Row,
    texts: &[String],
) -> Result<BTreeMap<String, Value>, Failure> {
    let is_account = |name: &str| {
        row.fields.iter().any(|field| field.name == name && field.kind == Kind::Account)
    };
    let mut arguments = texts.to_vec();
    for argument in &mut arguments {
        match argument.split_once('=') {
            Some((name, text)) if is_account(name) && !text.starts_with("apt1") => {
                *argument = format!("{name}={}", wallets::account(global, text)?);
            }
            _ => {}
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    row.parse(&arguments).map_err(|error| {
        let names: Vec<&str> = row.fields.iter().map(|field| field.name).collect();
        let mut failure = Failure::from(error);
        failure.words.push_str(&format!(" {} has: {}.", row.name, names.join(", ")));
        failure
    })
}

/// How somebody agrees to a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// After reading the words.
    Asked,
    /// By --yes; the words are shown all the same.
    Given,
    /// With the purchase that this event belongs to.
    Earlier,
}

/// Whoever signs, and the node that is told.
pub struct Sender<'a> {
    /// Flags.
    pub global: &'a Global,
    /// The node.
    pub connection: &'a Connection,
    /// The open wallet.
    pub wallet: &'a Unlocked,
    /// The account that signs.
    pub account: AccountId,
    /// Where words go.
    pub output: &'a Output,
}

impl Sender<'_> {
    /// Shows the event in words, asks, signs, submits and waits. Answers what the node said.
    pub fn send(
        &self,
        row: &'static Row,
        values: BTreeMap<String, Value>,
        waiting: Waiting,
    ) -> Result<Json, Failure> {
        self.send_after(row, values, waiting, now_us(), || Ok(()))
    }

    /// The same with a nonce chosen before, and with something to do between the consent and
    /// the submission.
    pub fn send_after(
        &self,
        row: &'static Row,
        values: BTreeMap<String, Value>,
        waiting: Waiting,
        nonce: u64,
        before_submission: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Json, Failure> {
        let consent = if self.global.yes { Consent::Given } else { Consent::Asked };
        self.sign_and_submit(row, values, waiting, consent, nonce, before_submission)
    }

    /// The same for an event that belongs to something already agreed to: nobody is asked.
    pub fn send_agreed(
        &self,
        row: &'static Row,
        values: BTreeMap<String, Value>,
        waiting: Waiting,
    ) -> Result<Json, Failure> {
        self.sign_and_submit(row, values, waiting, Consent::Earlier, now_us(), || Ok(()))
    }

    fn sign_and_submit(
        &self,
        row: &'static Row,
        values: BTreeMap<String, Value>,
        waiting: Waiting,
        consent: Consent,
        nonce: u64,
        before_submission: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Json, Failure> {
        let key = current_key(self.global, self.connection, self.wallet, &self.account)?.key;
        let proposal = propose(self.connection, row, &values, (self.account, &key), nonce)?;
        let Proposal { draft, description, fee } = proposal;
        let words = self.shown(&description.words, &description.fields, fee);
        match consent {
            // Whoever is asked sees the words, wherever the command's output goes.
            Consent::Asked => {
                eprintln!("{words}");
                confirm("Sign this?")?;
            }
            Consent::Given => self.output.note(words),
            Consent::Earlier => {}
        }
        if !waiting.force {
            // Not the signed bytes: a node that only forecasts has nothing it could submit.
            self.check_forecast(&encode(&draft))?;
        }
        before_submission()?;
        let signed = sign(draft, &key);
        let _spinner = Spinner::new(format!("waiting until it is {}", waiting.wait.word()));
        submit(self.connection, &signed, waiting.wait)
    }

    fn shown(&self, words: &str, fields: &[(&'static str, String)], fee: Amount) -> String {
        let mut rows: Vec<(String, String)> =
            fields.iter().map(|(name, value)| (name.to_string(), plain(value))).collect();
        rows.push(("from".to_string(), format!("{} ({})", self.account, self.wallet.name())));
        rows.push(("network".to_string(), self.connection.chain().to_string()));
        rows.push(("fee".to_string(), format!("{fee} APT")));
        format!("{}\n{}", plain(words), table(&rows).trim_end())
    }

    fn check_forecast(&self, draft: &[u8]) -> Result<(), Failure> {
        let Some(mut refusal) = expected_refusal(&self.connection.forecast_unsigned(draft)?) else {
            return Ok(());
        };
        refusal.words.push_str(" Nothing was submitted; --force submits it all the same.");
        Err(refusal)
    }

    /// Prints how the event ended; a refusal on the ledger is a failure of the command.
    pub fn finish(&self, answer: &Json, waiting: Waiting) -> Result<(), Failure> {
        finish(self.output, answer, waiting)
    }
}

/// Prints how the event ended; a refusal on the ledger is a failure of the command.
pub fn finish(output: &Output, answer: &Json, waiting: Waiting) -> Result<(), Failure> {
    check_outcome(answer)?;
    let stage = text(answer, "/stage").and_then(|word| Stage::from_word(&word));
    let is_reached = stage.is_some_and(|stage| stage >= waiting.wait);
    let verdict = match is_reached {
        true => "Done.".to_string(),
        false => format!("Not {} yet: it goes on; look again later.", waiting.wait.word()),
    };
    let mut rows = Vec::new();
    let mut show = |name: &str, pointer: &str| {
        if let Some(value) = text(answer, pointer) {
            rows.push((name.to_string(), value));
        }
    };
    show("event", "/event");
    show("stage", "/stage");
    show("number", "/soft_receipt/number");
    show("anchor", "/receipt/height");
    show("fee", "/receipt/fee");
    output.result(answer.clone(), format!("{verdict}\n{}", table(&rows)));
    Ok(())
}

/// A refused or void event is a failure, with the ledger's own code.
pub fn check_outcome(answer: &Json) -> Result<(), Failure> {
    let outcome = text(answer, "/receipt/outcome");
    let Some(outcome) = outcome.filter(|outcome| outcome != "done") else { return Ok(()) };
    let code = text(answer, "/receipt/refusal/code").unwrap_or_default();
    let words = text(answer, "/receipt/refusal/words").unwrap_or_default();
    Err(Failure::new(FailureKind::Refused, &code, format!("{outcome}: {words}")))
}
