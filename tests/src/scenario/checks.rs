//! What a story says must be so.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::accounts::each_hold;
use ddt_ledger::book::Party;
use ddt_ledger::routers::LEDGER_HOLDS;
use ddt_ledger::schema::{FieldError, FieldInfo, Fields, Value};
use ddt_ledger::system::Supply;
use ddt_ledger::view::{Found, Page};
use ddt_ledger::{AccountId, Amount, Zone};

use super::line::Statement;
use super::reading::{check_pages, check_proof};
use super::run::{Story, compare};
use crate::network::Network;

/// What a view is asked with, if the words say that.
type Query = Result<BTreeMap<String, Value>, FieldError>;

/// What a view answers.
type Answer = Result<Found<Fields>, FieldError>;

/// Rows of a page, unless told.
const ROWS: usize = 100;

impl Story {
    /// Checks a statement about the state.
    pub(super) fn check(&mut self, statement: Statement) -> Result<(), String> {
        match statement {
            Statement::Has(name, terms) => self.check_money(&name, &terms),
            Statement::Deadlines(count) if count == self.deadlines => Ok(()),
            Statement::Deadlines(_) => Err(format!("the ledger did {}", self.deadlines)),
            Statement::Domain { name, owner, status } => {
                self.check_domain(&name, &owner, status.as_deref())
            }
            Statement::View { name, words, answer } => self.check_view(&name, words, &answer),
            other => Err(format!("{other:?} is out of place")),
        }
    }

    fn check_money(&mut self, name: &str, terms: &[String]) -> Result<(), String> {
        self.started();
        let party = match name.split_once('/') {
            Some((owner, key)) => Party::Allowance {
                account: self.names.person(owner)?.id(),
                key: self.names.person(key)?.key(),
            },
            None if name == "pool" || name == "held" => Party::Pool,
            None => Party::Account(self.names.person(name)?.id()),
        };
        let network = self.started();
        let has = match name {
            "held" => held(network),
            _ => network.recount().of(&party),
        };
        let (mut sum, mut sign) = (0i128, 1i128);
        for term in terms {
            let amount = match term.as_str() {
                "+" => None,
                "-" => {
                    sign = -1;
                    continue;
                }
                "held" => Some(held(network)),
                "fees" => Some(network.recount().fees(&party)),
                "half" => Some(network.recount().halves()),
                "voids" => Some(network.recount().voids()),
                zone if zone.starts_with("half") => {
                    let zone = zone[4..].parse().map_err(|_| format!("{term}?"))?;
                    Some(network.recount().half(Zone(zone)))
                }
                number => Some(number.parse::<Amount>().map_err(|error| error.to_string())?),
            };
            sum += sign * amount.map_or(0, |amount| amount.units() as i128);
            sign = 1;
        }
        if i128::try_from(has.units()) == Ok(sum) {
            return Ok(());
        }
        let wanted = u128::try_from(sum).ok().and_then(Amount::from_units);
        Err(format!("{name} has {has}, not {wanted:?}"))
    }

    fn check_domain(
        &mut self,
        name: &str,
        owner: &str,
        status: Option<&str>,
    ) -> Result<(), String> {
        let found = self.ask("domains.record", &[format!("name={name}")], &Page::first(1))?;
        let known = |owner: &String| match self
            .names
            .people
            .iter()
            .find(|(_, person)| person.id().to_string() == *owner)
        {
            Some((name, _)) => name.clone(),
            None => owner.clone(),
        };
        let is = match found {
            Ok(found) => {
                let row = flat(&found.rows);
                format!("{} {}", known(&row["owner"]), row["status"])
            }
            Err(_) => "nobody".to_string(),
        };
        let wanted = [Some(owner), status].into_iter().flatten().collect::<Vec<_>>().join(" ");
        compare(&wanted, &is)
    }

    fn check_view(
        &mut self,
        name: &str,
        mut words: Vec<String>,
        answer: &[String],
    ) -> Result<(), String> {
        let mut page = Page::first(ROWS);
        for option in words.extract_if(.., |word| word.starts_with('@')) {
            page.limit = match option.split_once('=') {
                Some(("@limit", number)) => number.parse().map_err(|_| format!("{option}?"))?,
                Some(("@after", text)) => {
                    page.after = Some(text.as_bytes().to_vec());
                    continue;
                }
                _ => return Err(format!("there is no option {option}")),
            };
        }
        let said = self.ask(name, &words, &page)?;
        self.check_reading(name, &words, &page, &said)?;
        let found = match said {
            Ok(found) => found,
            Err(error) => {
                self.started().observe(name, error.refusal.code);
                return compare(&answer.join(" "), &format!("refused {}", error.refusal.code));
            }
        };
        let row = flat(&found.rows);
        for wanted in answer {
            let (path, text) = wanted.split_once('=').ok_or(format!("{wanted}: want x=y"))?;
            let is = match path {
                "rows" => Some(found.rows.len().to_string()),
                "next" => found.next.as_ref().map(|next| String::from_utf8_lossy(next).into()),
                path => row.get(path).cloned(),
            };
            let person = self.names.people.get(text);
            let ids = person.map(|person| [person.id().to_string(), person.key().to_string()]);
            let hash = self.names.hash(text).map(|hash| hash.to_string());
            // JSON in single quotes, as in events.
            let json = text.replace('\'', "\"");
            let same = ids.into_iter().flatten().chain(hash);
            let mut same = same.chain([text.to_string(), json]);
            if same.all(|text| Some(text) != is) {
                return Err(format!("{path} is {is:?}, not {text}"));
            }
        }
        Ok(())
    }

    /// Whatever page or proof is asked for, the answer is the same.
    fn check_reading(
        &mut self,
        name: &str,
        words: &[String],
        page: &Page,
        said: &Answer,
    ) -> Result<(), String> {
        let Ok(query) = self.query(name, words)? else { return Ok(()) };
        let network = self.started();
        if said.is_ok() && *page == Page::first(ROWS) {
            check_pages(network, name, &query)?;
        }
        if check_proof(network, name, &query, said)? {
            self.report.proven.insert(name.to_string());
        }
        Ok(())
    }

    fn ask(&mut self, name: &str, words: &[String], page: &Page) -> Result<Answer, String> {
        Ok(match self.query(name, words)? {
            Ok(query) => self.started().view(name, &query, page),
            Err(error) => Err(error),
        })
    }

    fn query(&mut self, name: &str, words: &[String]) -> Result<Query, String> {
        let view = REGISTRY.view(name).ok_or(format!("there is no view {name}"))?;
        self.started();
        let words = self.names.resolve(view.query, &AccountId([0; 32]), words)?;
        Ok(query(view.query, &words))
    }
}

/// What is held beside routers' bonds.
fn held(network: &Network) -> Amount {
    let snapshot = network.snapshot();
    let mut held = Supply::read(&snapshot).held;
    each_hold(&snapshot, LEDGER_HOLDS, |_, bond| {
        held = held.minus(bond).expect("bonds are held");
    });
    held
}

fn query(fields: &[FieldInfo], words: &[String]) -> Query {
    let mut values = BTreeMap::new();
    for word in words {
        let (name, text) = word.split_once('=').unwrap_or((word, ""));
        let field = fields.iter().find(|field| field.name == name);
        let Some(field) = field else { continue };
        let value = Value::parse(&field.kind, text).map_err(|error| error.inside(name))?;
        values.insert(name.to_string(), value);
    }
    Ok(values)
}

/// The first row's values by path, `a.b` inside groups.
fn flat(rows: &[Fields]) -> BTreeMap<String, String> {
    fn visit(prefix: &str, fields: &Fields, out: &mut BTreeMap<String, String>) {
        for (name, value) in fields {
            match value {
                Value::Group(inner) => visit(&format!("{prefix}{name}."), inner, out),
                value => {
                    out.insert(format!("{prefix}{name}"), value.to_string());
                }
            }
        }
    }
    let mut out = BTreeMap::new();
    if let Some(first) = rows.first() {
        visit("", first, &mut out);
    }
    out
}
