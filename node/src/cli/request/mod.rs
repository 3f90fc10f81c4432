//! `ddt request` and `ddt pay`: asking for money with a text or a picture, and answering.

mod qr;
pub mod uri;

use std::collections::BTreeMap;

use clap::Args;
use ddt_ledger::schema::Value;
use ddt_ledger::{Amount, ChainId, Millis};
use serde_json::json;

use self::uri::{Request, RequestError};
use super::connection::{Connection, home};
use super::output::Output;
use super::send::{Sender, Waiting, row};
use super::{Global, moment, wallets};
use crate::data_folder::read_genesis;
use crate::failure::{Failure, FailureKind};

/// Ask for money: prints a request that ddt pay answers, and its QR code.
#[derive(Args)]
pub struct RequestArgs {
    /// How many APT
    amount: String,
    /// Who receives: a wallet's name or an account id; by default the only wallet here
    #[arg(long, value_name = "WALLET")]
    to: Option<String>,
    /// A public remark, at most 128 bytes
    #[arg(long)]
    memo: Option<String>,
    /// Until when: 30m, 12h, 7d from now, or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// No picture
    #[arg(long)]
    no_qr: bool,
}

/// Pay what a request asks for.
#[derive(Args)]
pub struct PayArgs {
    /// The request, ddt:apt1…
    request: String,
    /// How many APT, where the request leaves it open
    #[arg(long, value_name = "APT")]
    amount: Option<String>,
    /// The wallet that pays
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Failure {
        Failure::new(FailureKind::Usage, error.code, error.words)
    }
}

fn amount(text: &str) -> Result<Amount, Failure> {
    text.parse().map_err(|refusal: ddt_ledger::Refusal| Failure {
        field: Some("amount".to_string()),
        ..Failure::from(refusal)
    })
}

/// `ddt request`.
pub fn request(global: &Global, args: &RequestArgs, output: &Output) -> Result<(), Failure> {
    let to = match &args.to {
        Some(text) => wallets::account(global, text)?,
        None => {
            let entry = wallets::choose(&wallets::keystore(global)?, None)?;
            let first = entry.accounts.first().copied();
            first.ok_or_else(|| Failure::fault("the wallet has no account"))?
        }
    };
    let expires = args.expires.as_deref();
    let expires = expires.map(|text| moment::read("--expires", text, moment::now())).transpose()?;
    let memo = args.memo.clone().filter(|memo| !memo.is_empty());
    let amount = Some(amount(&args.amount)?);
    let request = Request { to, amount, memo, expires, chain: chain(global)? };
    let uri = request.to_string();
    // Whoever is asked applies the same rules: what they would refuse is refused here.
    Request::read(&uri)?;
    let picture = (!args.no_qr).then(|| qr::code(&uri)).flatten();
    let shown = picture.map_or(uri.clone(), |picture| format!("{picture}\n{uri}"));
    output.result(json!({ "uri": uri, "to": to, "amount": request.amount }), shown);
    Ok(())
}

/// The network of this data folder, else of the node that answers.
pub fn chain(global: &Global) -> Result<ChainId, Failure> {
    let genesis = match global.api {
        Some(_) => None,
        None => read_genesis(&home(global).join("genesis.toml"))?,
    };
    match genesis {
        Some(genesis) => Ok(genesis.chain()),
        None => Ok(Connection::open(global)?.chain()),
    }
}

/// Whether a request may be paid on this network now.
pub fn check(request: &Request, chain: ChainId) -> Result<(), Failure> {
    let expired = request.expires.filter(|expires| *expires <= moment::now());
    if let Some(expires) = expired {
        let words = format!("the request ended at {}; ask for a new one", moment::show(expires));
        return Err(Failure::new(FailureKind::Usage, "request.expired", words));
    }
    if chain == request.chain {
        return Ok(());
    }
    let words = format!(
        "the request is for the network {}, and this node follows {chain}: choose another --api \
         or --home",
        request.chain
    );
    Err(Failure::new(FailureKind::Usage, "request.chain", words))
}

/// `ddt pay`.
pub fn pay(global: &Global, args: &PayArgs, output: &Output) -> Result<(), Failure> {
    let request = Request::read(&args.request)?;
    let amount = asked_amount(&request, args.amount.as_deref())?;
    let connection = Connection::open(global)?;
    check(&request, connection.chain())?;
    output.tell(words(&request));
    let mut values = BTreeMap::from([
        ("to".to_string(), Value::Account(request.to)),
        ("amount".to_string(), Value::Amount(amount)),
    ]);
    values.extend(request.memo.map(|memo| ("memo".to_string(), Value::Text(memo))));
    let (wallet, account) = wallets::unlock(global, args.from.as_deref())?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row("bank.transfer")?, values, args.waiting)?;
    sender.finish(&answer, args.waiting)
}

fn asked_amount(request: &Request, given: Option<&str>) -> Result<Amount, Failure> {
    match (request.amount, given.map(amount).transpose()?) {
        (Some(asked), Some(given)) if asked != given => Err(Failure::usage(format!(
            "the request asks for {asked} APT, not {given}: leave --amount out"
        ))),
        (Some(asked), _) => Ok(asked),
        (None, Some(given)) => Ok(given),
        (None, None) => {
            Err(Failure::usage("the request leaves it open how much: add --amount APT"))
        }
    }
}

fn words(request: &Request) -> String {
    let amount = request.amount.map_or("an open amount".to_string(), |a| format!("{a} APT"));
    let until = |expires: Millis| format!(", until {}", moment::show(expires));
    let until = request.expires.map(until).unwrap_or_default();
    let memo = request.memo.as_ref().map(|memo| format!(", for: {memo}")).unwrap_or_default();
    format!("{} asks for {amount}{memo}{until}", request.to)
}
