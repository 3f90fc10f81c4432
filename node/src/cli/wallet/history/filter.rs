//! Which lines of a history are wanted.

use ddt_contracts::REGISTRY;
use ddt_ledger::{AccountId, Amount, Millis, Refusal};

use super::History;
use super::rows::Line;
use crate::cli::Global;
use crate::cli::moment;
use crate::cli::wallets;
use crate::failure::Failure;

/// Receipts that are no event's.
const OTHER_KINDS: [&str; 2] = ["deadline", "fees"];

/// What is wanted.
pub struct Filter {
    kind: Option<String>,
    /// From this moment on.
    pub since: Option<Millis>,
    /// Up to this moment.
    pub until: Option<Millis>,
    with: Option<AccountId>,
    min: Amount,
}

impl Filter {
    /// Reads the flags; refuses a kind that nothing has.
    pub fn read(global: &Global, args: &History) -> Result<Filter, Failure> {
        if let Some(kind) = &args.kind {
            check_kind(kind)?;
        }
        let since = args.since.as_deref().map(moment::period).transpose()?.map(|(first, _)| first);
        let until = args.until.as_deref().map(moment::period).transpose()?.map(|(_, last)| last);
        if since.zip(until).is_some_and(|(since, until)| since > until) {
            return Err(Failure::usage("--since is later than --until: nothing lies between"));
        }
        let with = args.with.as_deref().map(|text| wallets::shown_account(global, text));
        let min = args.min.as_deref().map(str::parse::<Amount>).transpose();
        let min = min.map_err(|refusal: Refusal| Failure {
            field: Some("min".to_string()),
            ..Failure::from(refusal)
        })?;
        let (kind, with) = (args.kind.clone(), with.transpose()?);
        Ok(Filter { kind, since, until, with, min: min.unwrap_or(Amount::ZERO) })
    }

    /// Whether an event, or other receipt, of this name and subject may be wanted.
    pub fn takes_kind(&self, name: &str, subject: &str) -> bool {
        let Some(kind) = &self.kind else { return true };
        let is_of = name.strip_prefix(kind.as_str()).is_some_and(|rest| rest.starts_with('.'));
        name == kind || subject == kind || is_of
    }

    /// Whether a line is wanted, its time and kind aside.
    pub fn takes(&self, line: &Line) -> bool {
        let moved = line.incoming.max(line.outgoing);
        let is_with = self.with.is_none_or(|with| line.counterparty_account == Some(with));
        is_with && moved >= self.min
    }
}

fn check_kind(kind: &str) -> Result<(), Failure> {
    let deadlines = REGISTRY.programmes.iter().flat_map(|programme| programme.deadlines);
    let is_known = OTHER_KINDS.contains(&kind)
        || REGISTRY.programmes.iter().any(|programme| programme.name == kind)
        || REGISTRY.rows().any(|row| row.name == kind)
        || deadlines.into_iter().any(|deadline| deadline.name == kind);
    if is_known {
        return Ok(());
    }
    let programmes: Vec<&str> =
        REGISTRY.programmes.iter().map(|programme| programme.name).collect();
    let shown: String = kind.chars().take(40).collect();
    Err(Failure::usage(format!(
        "there is no kind {shown}: one of {}, fees, deadline, or an event (ddt send lists them)",
        programmes.join(", ")
    )))
}
