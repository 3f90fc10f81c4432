//! What must hold after every anchor, counted a second time from the receipts alone.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::accounts::{Account, Duty, each_hold};
use ddt_ledger::audit::audit;
use ddt_ledger::book::Party;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ALL as VOIDS, Checked, Role};
use ddt_ledger::genesis::Genesis;
use ddt_ledger::receipt::{EventPlace, Outcome, Receipt, Subject};
use ddt_ledger::routers::{LEDGER_HOLDS, bond_party};
use ddt_ledger::state::{StateReader, StateTree};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::Supply;
use ddt_ledger::{AccountId, Amount, Hash, Zone};

/// Most rows of a test's state.
const ROWS_MAX: usize = 1_000_000;

/// The state agrees with itself: every audit is clean, and the root is that of the rows.
pub fn check_state(snapshot: &Snapshot, root: Hash) -> Result<(), String> {
    let broken = audit(&REGISTRY, snapshot);
    if !broken.is_empty() {
        return Err(format!("the audit found: {}", broken.join("; ")));
    }
    let rows = snapshot.after(&[], &[], ROWS_MAX).map_err(|fault| fault.to_string())?;
    rows.iter().try_for_each(|(key, value)| check_shown(key, value))?;
    if StateTree::build(rows).root() != root {
        return Err("the state root is not that of the rows".to_string());
    }
    snapshot.fault().map_or(Ok(()), |fault| Err(fault.to_string()))
}

/// Who checks a proof of a programme's row, or of its absence, is told what it says.
fn check_shown(key: &[u8], value: &[u8]) -> Result<(), String> {
    let Some((table, own)) = key.split_first_chunk::<2>() else { return Ok(()) };
    let table = u16::from_be_bytes(*table);
    let Some(info) = REGISTRY.tables().find(|info| info.id == table) else { return Ok(()) };
    let parts = |value| (info.show)(own, value).map_or(0, |parts| parts.len());
    match parts(None) > 0 && parts(Some(value)) > parts(None) {
        true => Ok(()),
        false => Err(format!("a row of {} cannot be shown", info.name)),
    }
}

/// A receipt says only what its event declared, and a stamp stands in the place of its fee.
pub fn check_receipt(receipt: &Receipt, place: &EventPlace, event: &Checked) -> Result<(), String> {
    let row = REGISTRY.row(place.tag).ok_or("a receipt of an unknown event")?;
    let bytes = event.bytes().len();
    let is_stamped = (row.stamp)(event.draft().body.as_slice()).is_some();
    // A router's own word costs nothing; whoever else signs in that role pays.
    let is_free = row.is_free && receipt.fee.is_zero() && event.draft().role == Role::Router;
    let fee_units = if is_stamped || is_free { 0 } else { 500_000 + 2_000 * bytes as u128 };
    let (codes, fee_units, postings_max) = match &receipt.outcome {
        Outcome::Bug(code) => return Err(format!("{} has a bug: {code}", row.name)),
        Outcome::Done => (None, fee_units, usize::MAX),
        Outcome::Refused(code) => (Some((row.refusals, code)), fee_units, 1),
        Outcome::Void(code) if row.refusals.iter().any(|refusal| refusal.code == code) => {
            // What is free is void where its rules refuse it, and nothing else is.
            let is_own = row.is_free && event.draft().role == Role::Router;
            (Some((if is_own { row.refusals } else { VOIDS }, code)), 0, 0)
        }
        Outcome::Void(code) => (Some((VOIDS, code)), 0, 0),
    };
    if let Some((declared, code)) = codes
        && declared.iter().all(|refusal| refusal.code != code)
    {
        return Err(format!("{} does not declare {code}", row.name));
    }
    if receipt.fee.units() != fee_units {
        return Err(format!("{} of {bytes} bytes paid a fee of {}", row.name, receipt.fee));
    }
    if receipt.postings.len() > postings_max {
        return Err(format!("{} moved money although {:?}", row.name, receipt.outcome));
    }
    Ok(())
}

/// All money, recounted from genesis and receipts.
#[derive(Clone, Debug)]
pub struct Recount {
    genesis: Amount,
    /// Bonds that were lost.
    burned: Amount,
    /// What bonds paid for void events.
    voids: Amount,
    money: BTreeMap<Vec<u8>, (Party, Amount)>,
    /// Who paid into a hold.
    funders: BTreeMap<Vec<u8>, AccountId>,
    /// Fees by who paid them: a hold's count as its funder's.
    fees: BTreeMap<Vec<u8>, Amount>,
    halves: BTreeMap<Zone, Amount>,
}

impl Recount {
    /// What there is at genesis.
    pub fn start(genesis: &Genesis) -> Recount {
        let accounts = genesis.accounts.iter();
        let accounts = accounts.map(|a| (Party::Account(AccountId::of(&a.key)), a.balance));
        let allowances = genesis.node_keys.iter().map(|duty| {
            let (account, key) = (duty.account, duty.key);
            (Party::Allowance { account, key }, duty.allowance)
        });
        let pool = (Party::Pool, genesis.pool);
        let bonds = genesis.zones.iter().map(|zone| (bond_party(&zone.router), zone.bond));
        let parties = accounts.chain(allowances).chain(bonds).chain([pool]);
        let parties: Vec<(Party, Amount)> = parties.collect();
        let sum = parties.iter().try_fold(Amount::ZERO, |sum, (_, amount)| sum.plus(*amount));
        Recount {
            genesis: sum.expect("a genesis that started"),
            burned: Amount::ZERO,
            voids: Amount::ZERO,
            money: parties.into_iter().map(|entry| (encode(&entry.0), entry)).collect(),
            funders: BTreeMap::new(),
            fees: BTreeMap::new(),
            halves: BTreeMap::new(),
        }
    }

    /// Books every posting of an anchor.
    pub fn apply(&mut self, receipts: &[Receipt]) -> Result<(), String> {
        let mut zones: BTreeMap<Zone, Amount> = BTreeMap::new();
        for receipt in receipts {
            for posting in &receipt.postings {
                self.fund(&posting.from, &posting.to);
                self.change(&posting.from, |had| had.minus(posting.amount))?;
                if posting.to == Party::Burned {
                    is_bond(&posting.from)?;
                    raise(&mut self.burned, posting.amount);
                    continue;
                }
                if posting.to == Party::Pool && is_bond(&posting.from).is_ok() {
                    raise(&mut self.voids, posting.amount);
                }
                self.change(&posting.to, |had| had.plus(posting.amount))?;
                if let Party::Fees(zone) = posting.to {
                    let place = self.payer(&posting.from);
                    raise(self.fees.entry(place).or_default(), posting.amount);
                    raise(zones.entry(zone).or_default(), posting.amount);
                }
            }
        }
        for (zone, fees) in zones {
            raise(self.halves.entry(zone).or_default(), fees.half());
        }
        Ok(())
    }

    fn change(
        &mut self,
        party: &Party,
        change: impl FnOnce(Amount) -> Option<Amount>,
    ) -> Result<(), String> {
        if matches!(party, Party::Minted | Party::Genesis) {
            return Err("money was made".to_string());
        }
        let entry = self.money.entry(encode(party)).or_insert((party.clone(), Amount::ZERO));
        let after = change(entry.1);
        entry.1 = after.ok_or_else(|| format!("a posting that {party:?} cannot have"))?;
        Ok(())
    }

    fn fund(&mut self, from: &Party, to: &Party) {
        let funder = match from {
            Party::Account(id) => Some(*id),
            _ => self.funders.get(&encode(from)).copied(),
        };
        if let (Party::Hold { .. }, Some(funder)) = (to, funder) {
            self.funders.insert(encode(to), funder);
        }
    }

    fn payer(&self, party: &Party) -> Vec<u8> {
        let place = encode(party);
        self.funders.get(&place).map_or(place, |funder| encode(&Party::Account(*funder)))
    }

    /// What a party has.
    pub fn of(&self, party: &Party) -> Amount {
        self.money.get(&encode(party)).map_or(Amount::ZERO, |(_, amount)| *amount)
    }

    /// Fees paid by a party so far: by an account also out of its holds.
    pub fn fees(&self, party: &Party) -> Amount {
        self.fees.get(&encode(party)).copied().unwrap_or_default()
    }

    /// Half of the fees of a zone so far.
    pub fn half(&self, zone: Zone) -> Amount {
        self.halves.get(&zone).copied().unwrap_or_default()
    }

    /// Half of all fees so far.
    pub fn halves(&self) -> Amount {
        let mut sum = Amount::ZERO;
        self.halves.values().for_each(|half| raise(&mut sum, *half));
        sum
    }

    /// What bonds paid for void events so far.
    pub fn voids(&self) -> Amount {
        self.voids
    }

    /// The state says the same, party by party and in its totals.
    pub fn check(&self, snapshot: &Snapshot) -> Result<(), String> {
        let supply = Supply::read(snapshot);
        let mut holds = BTreeMap::new();
        let programmes = REGISTRY.programmes.iter().map(|programme| programme.id);
        for programme in programmes.chain([LEDGER_HOLDS]) {
            each_hold(snapshot, programme, |key, amount| {
                let party = Party::Hold { programme, key };
                holds.insert(encode(&party), amount);
            });
        }
        let mut sum = Amount::ZERO;
        for (place, (party, counted)) in &self.money {
            let noted = match party {
                Party::Account(id) => Account::read(snapshot, id).map(|row| row.balance),
                Party::Allowance { account, key } => {
                    Duty::read(snapshot, account, key).map(|row| row.allowance)
                }
                Party::Hold { .. } => holds.remove(place),
                Party::Pool => Some(supply.pool),
                _ => None,
            };
            if noted.unwrap_or_default() != *counted {
                return Err(format!("receipts give {party:?} {counted}, the state {noted:?}"));
            }
            raise(&mut sum, *counted);
        }
        let is_all = holds.is_empty() && supply.minted.is_zero() && supply.burned == self.burned;
        if is_all && sum.plus(self.burned) == Some(self.genesis) && supply.total() == Some(sum) {
            return Ok(());
        }
        Err(format!("{sum} APT counted, {holds:?} unknown, of {supply:?}"))
    }
}

/// Only bonds are burned.
fn is_bond(party: &Party) -> Result<(), String> {
    match party {
        Party::Hold { programme: LEDGER_HOLDS, .. } => Ok(()),
        other => Err(format!("money of {other:?} was burned")),
    }
}

fn raise(sum: &mut Amount, part: Amount) {
    *sum = sum.plus(part).expect("no more than the whole supply");
}

/// The events of an anchor's receipts, with their places.
pub fn event_receipts(receipts: &[Receipt]) -> impl Iterator<Item = (&EventPlace, &Receipt)> {
    receipts.iter().filter_map(|receipt| match &receipt.subject {
        Subject::Event(place) => Some((place, receipt)),
        _ => None,
    })
}
