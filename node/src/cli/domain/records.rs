//! What a name leads to: its records and its site.

use std::path::{Path, PathBuf};

use clap::Args;
use ddt_ledger::Hash;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::Value;
use serde_json::{Value as Json, json};

use super::super::Global;
use super::super::connection::text;
use super::super::output::Output;
use super::super::send::row;
use super::record_lines::{Pattern, RecordLine, read_file};
use super::{Desk, look, not_owned};
use crate::cli::plain::plain;
use crate::failure::Failure;

/// Say what a name leads to: its records, or its site.
#[derive(Args)]
pub struct SetArgs {
    /// The name
    name: String,
    /// All records it has then, each as one argument: "www A 192.0.2.1 300"
    records: Vec<String>,
    /// A file of all records it has then: lines like these, or TOML with tables named record
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A record that comes to the present ones
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["records", "file"])]
    add: Vec<String>,
    /// Which of the present records go: "LABEL KIND", or "LABEL KIND VALUE"
    #[arg(long, value_name = "WHICH", conflicts_with_all = ["records", "file"])]
    remove: Vec<String>,
    /// Remove all records
    #[arg(long, conflicts_with_all = ["records", "file", "add", "remove"])]
    clear: bool,
    /// Point the name to a site by its manifest's hash, or to none; its version rises by itself
    #[arg(
        long,
        value_name = "HASH|none",
        conflicts_with_all = ["records", "file", "add", "remove", "clear"]
    )]
    site: Option<String>,
    /// The owner's wallet
    #[arg(long)]
    from: Option<String>,
}

/// `ddt domain set`.
pub fn set(global: &Global, args: &SetArgs, output: &Output) -> Result<(), Failure> {
    let edit = Edit::read(args)?;
    let desk = Desk::open(global, &args.name, output)?;
    desk.record()?;
    let present = desk.view("domains.records")?;
    match edit {
        Edit::Site(manifest) => set_site(&desk, args, present.as_ref(), manifest),
        edit => set_records(&desk, args, &records_of(present.as_ref()), edit),
    }
}

/// What the command line asks for.
enum Edit {
    Replace(Vec<RecordLine>),
    Change { add: Vec<RecordLine>, remove: Vec<(String, Pattern)> },
    Site(Option<Hash>),
}

impl Edit {
    fn read(args: &SetArgs) -> Result<Edit, Failure> {
        let lines = |texts: &[String]| {
            texts.iter().map(|text| RecordLine::read(text)).collect::<Result<Vec<_>, _>>()
        };
        if let Some(site) = &args.site {
            return read_site(site).map(Edit::Site);
        }
        if !args.add.is_empty() || !args.remove.is_empty() {
            let pattern = |text: &String| Ok((text.clone(), Pattern::read(text)?));
            let remove = args.remove.iter().map(pattern).collect::<Result<_, Failure>>()?;
            return Ok(Edit::Change { add: lines(&args.add)?, remove });
        }
        if args.records.is_empty() && args.file.is_none() && !args.clear {
            let words = "which records? Give them, or --file, --add, --remove, --clear or --site";
            return Err(Failure::usage(words));
        }
        let mut all = args.file.as_deref().map(read_file).transpose()?.unwrap_or_default();
        all.extend(lines(&args.records)?);
        Ok(Edit::Replace(all))
    }

    /// The records that a name with these has then.
    fn of(self, present: &[RecordLine]) -> Result<Vec<RecordLine>, Failure> {
        let (add, remove) = match self {
            Edit::Replace(all) => return Ok(all),
            Edit::Change { add, remove } => (add, remove),
            Edit::Site(_) => (Vec::new(), Vec::new()),
        };
        let mut all = present.to_vec();
        for (words, pattern) in remove {
            let before = all.len();
            all.retain(|record| !pattern.is_of(record));
            if all.len() == before {
                let words = format!("there is no record {words}; ddt domain records shows all");
                return Err(Failure::usage(words));
            }
        }
        // The same record again may have another ttl.
        all.retain(|old| !add.iter().any(|new| is_same(old, new)));
        all.extend(add);
        Ok(all)
    }
}

/// Whether two records differ in their ttl at most.
fn is_same(one: &RecordLine, other: &RecordLine) -> bool {
    (&one.label, &one.kind, &one.value) == (&other.label, &other.kind, &other.value)
}

fn read_site(text: &str) -> Result<Option<Hash>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || {
        let words = "want the 64 hex digits of a site's manifest, or none";
        Failure { field: Some("site".to_string()), ..Failure::usage(words) }
    };
    Hash::from_hex(text).map(Some).ok_or_else(wrong)
}

fn set_site(
    desk: &Desk,
    args: &SetArgs,
    present: Option<&Json>,
    manifest: Option<Hash>,
) -> Result<(), Failure> {
    let version = present.and_then(|row| row.pointer("/version")?.as_u64()).unwrap_or_default();
    let values = [
        ("manifest", manifest.map_or(Value::Nothing, Value::Hash)),
        ("version", Value::Count(version.saturating_add(1))),
    ];
    desk.send(args.from.as_deref(), "domains.set_site", values)
}

fn set_records(
    desk: &Desk,
    args: &SetArgs,
    present: &[RecordLine],
    edit: Edit,
) -> Result<(), Failure> {
    let wanted = edit.of(present)?;
    if wanted == present {
        let data = json!({ "name": desk.name.to_string(), "changed": false });
        desk.output.result(data, "Nothing changes: the name has these very records.");
        return Ok(());
    }
    let event = row("domains.set_records")?;
    for record in &wanted {
        check(event, desk, record)?;
    }
    for gone in present.iter().filter(|record| !wanted.contains(record)) {
        desk.output.tell(format!("- {}", plain(&gone.line())));
    }
    for new in wanted.iter().filter(|record| !present.contains(record)) {
        desk.output.tell(format!("+ {}", plain(&new.line())));
    }
    desk.send(args.from.as_deref(), event.name, [("records", list(event, &wanted)?)])
}

/// The event's list of these records.
fn list(event: &Row, records: &[RecordLine]) -> Result<Value, Failure> {
    let field = event.fields.iter().find(|field| field.name == "records");
    let field = field.ok_or_else(|| Failure::fault("the event has no records"))?;
    let json: Json = records.iter().map(RecordLine::to_json).collect();
    Value::from_json(&field.kind, &json).map_err(|error| error.inside("records").into())
}

/// Checks one record by the network's own rules, so that the failure names it.
fn check(event: &Row, desk: &Desk, record: &RecordLine) -> Result<(), Failure> {
    let of_record = |failure: Failure| Failure { field: Some(record.line()), ..failure };
    let records = list(event, std::slice::from_ref(record)).map_err(of_record)?;
    let name = Value::Text(desk.name.to_string());
    let values = [("name".to_string(), name), ("records".to_string(), records)].into();
    let body = (event.build)(&values).map_err(|error| of_record(error.into()))?;
    (event.check)(&body).map_err(|refusal| of_record(refusal.into()))
}

fn records_of(row: Option<&Json>) -> Vec<RecordLine> {
    let records = row.and_then(|row| row.pointer("/records")?.as_array());
    records.into_iter().flatten().filter_map(RecordLine::from_json).collect()
}

/// `ddt domain records`.
pub fn show(
    global: &Global,
    name: &str,
    proof: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let desk = Desk::open(global, name, output)?;
    if let Some(path) = proof {
        look::write_proof(&desk.connection, "domains.records", &desk.name, path)?;
    }
    let name = &desk.name;
    let record = desk.view("domains.record")?.ok_or_else(|| not_owned(name))?;
    let status = text(&record, "/status").unwrap_or_default();
    let row = desk.view("domains.records")?;
    let records = records_of(row.as_ref());
    let mut words = format!("{name}.ddt is {status}.\n");
    for record in &records {
        words.push_str(&format!("  {}\n", plain(&record.line())));
    }
    let get = |pointer: &str| row.as_ref().and_then(|row| text(row, pointer));
    match get("/manifest") {
        Some(manifest) => {
            let version = get("/version").unwrap_or_default();
            words.push_str(&format!("  site {manifest}, version {version}\n"));
        }
        None if records.is_empty() => words.push_str("It leads to nothing yet.\n"),
        None => {}
    }
    let data = json!({
        "name": name.to_string(),
        "status": status,
        "records": records.iter().map(RecordLine::to_json).collect::<Vec<_>>(),
        "manifest": get("/manifest"),
        "version": row.as_ref().and_then(|row| row.pointer("/version").cloned()),
    });
    output.result(data, words);
    Ok(())
}
