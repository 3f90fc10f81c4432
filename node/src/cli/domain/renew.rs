//! Renewing: now, or by itself from money put aside.

use clap::Args;
use ddt_ledger::Amount;
use ddt_ledger::schema::Value;
use serde_json::Value as Json;

use super::super::Global;
use super::super::connection::text;
use super::super::output::Output;
use super::{Desk, amount, amount_at, refused, term};
use crate::cli::moment;
use crate::failure::Failure;

/// Make a name's term longer, now or by itself.
#[derive(Args)]
pub struct RenewArgs {
    /// The name
    name: String,
    /// How much longer, in years; with --auto each time
    #[arg(long, default_value_t = 1)]
    years: u8,
    /// The highest price to pay, in APT; by default the price shown now
    #[arg(long, value_name = "APT")]
    max_price: Option<String>,
    /// Let the network renew the name by itself, from money put aside now
    #[arg(long)]
    auto: bool,
    /// How much to put aside, in APT, beside what is there already
    #[arg(long, value_name = "APT", requires = "auto")]
    allowance: Option<String>,
    /// Renew by itself no more; what was put aside comes back
    #[arg(long, conflicts_with_all = ["auto", "years", "max_price"])]
    auto_off: bool,
    /// The wallet that pays; for --auto and --auto-off the owner's
    #[arg(long)]
    from: Option<String>,
}

/// `ddt domain renew`.
pub fn run(global: &Global, args: &RenewArgs, output: &Output) -> Result<(), Failure> {
    let max = args.max_price.as_deref().map(|text| amount("max-price", text)).transpose()?;
    let allowance = args.allowance.as_deref().map(|text| amount("allowance", text)).transpose()?;
    let desk = Desk::open(global, &args.name, output)?;
    let record = desk.record()?;
    let from = args.from.as_deref();
    if args.auto_off {
        return stop(&desk, from);
    }
    // A renewal has no premium: the name was never free.
    let price = amount_at(&desk.quote(args.years)?, "/price")?;
    let cap = max.unwrap_or(price);
    if cap < price {
        let words = format!(
            "{} more for {}.ddt costs {price} APT, more than --max-price {cap}",
            term(args.years),
            desk.name
        );
        return Err(refused("domains.price_above_cap", words));
    }
    let until = moment::show_at(&record, "/until");
    output.tell(format!("{}.ddt is {}'s until {until}.", desk.name, owner(&record)));
    match args.auto {
        true => prepay(&desk, args, (price, cap), allowance),
        false => {
            output.tell(format!("{} more: {price} APT, at most {cap} APT", term(args.years)));
            let years = Value::Count(u64::from(args.years));
            let values = [("years", years), ("price_max", Value::Amount(cap))];
            desk.send(from, "domains.renew", values)
        }
    }
}

fn owner(record: &Json) -> String {
    text(record, "/owner").unwrap_or_default()
}

fn prepay(
    desk: &Desk,
    args: &RenewArgs,
    (price, cap): (Amount, Amount),
    allowance: Option<Amount>,
) -> Result<(), Failure> {
    let there = match desk.view("domains.prepaid")? {
        Some(prepaid) => Some(amount_at(&prepaid, "/balance")?),
        None => None,
    };
    let amount = allowance.or(there.map(|_| Amount::ZERO)).ok_or_else(|| {
        let words = format!("one renewal costs {price} APT: say how much to put aside");
        Failure { field: Some("allowance".to_string()), ..Failure::usage(words) }
    })?;
    let there = there.unwrap_or_default();
    let aside = there.plus(amount).unwrap_or(Amount::MAX);
    let each = term(args.years);
    desk.output.tell(format!(
        "Renewed by itself for {each} each time: {price} APT now, at most {cap} APT.\n\
         Put aside are {there} APT, then {aside} APT. Nodes renew it shortly before its end."
    ));
    if aside < price {
        desk.output.tell("That is less than one renewal costs: add more, or it will not be made.");
    }
    let values = [
        ("years", Value::Count(u64::from(args.years))),
        ("price_max", Value::Amount(cap)),
        ("amount", Value::Amount(amount)),
    ];
    desk.send(args.from.as_deref(), "domains.prepay_renewal", values)
}

fn stop(desk: &Desk, from: Option<&str>) -> Result<(), Failure> {
    let prepaid = desk.view("domains.prepaid")?.ok_or_else(|| {
        let words = format!("{}.ddt is not renewed by itself", desk.name);
        refused("domains.no_prepaid", words)
    })?;
    let aside = amount_at(&prepaid, "/balance")?;
    desk.output.tell(format!("{aside} APT are put aside for {}.ddt and come back.", desk.name));
    desk.send(from, "domains.stop_renewal", [])
}
