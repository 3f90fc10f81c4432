//! Pointing a name to a site.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Hash, Refusal, event, refusals};

use super::name::{DomainName, RULE};
use super::ownership::{NOT_OWNER, NOT_REGISTERED, PENDING, by_author, owned};
use super::records;

event! {
    /// Points the author's name to a site, or to none.
    SetSite = "domains.set_site", Owner,
    "Point {name}.ddt to version {version} of its site: {manifest}"
    {
        /// The name.
        name: DomainName,
        /// The site's manifest; nothing when the name has no site any more.
        manifest: Option<Hash>,
        /// Higher than the version before, so that nothing older comes back.
        version: u64,
    }
}

refusals! {
    VERSION = "domains.version_not_higher",
        "The version must be higher than the present one; domains.records shows that.";
}

impl Event for SetSite {
    const REFUSALS: &'static [Refusal] = &[RULE, NOT_REGISTERED, PENDING, NOT_OWNER, VERSION];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        by_author(owned(&self.name, cx, book)?, cx)?;
        let mut row = records::read(&self.name, book);
        if self.version <= row.version {
            return Err(VERSION);
        }
        row.site = self.manifest;
        row.version = self.version;
        records::write(&self.name, &row, book);
        Ok(())
    }
}
