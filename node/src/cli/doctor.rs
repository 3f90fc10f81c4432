//! `ddt doctor`: what is wrong on this machine, and what to do about it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::{Global, home};
use crate::doctor::{Finding, Level, Patient, examine};
use crate::failure::Failure;

/// Look for what is wrong.
#[derive(Args)]
pub struct DoctorArgs {
    /// Where no node runs, also recount the whole ledger
    #[arg(long)]
    deep: bool,
}

fn line(finding: &Finding) -> String {
    let mark = match finding.level {
        Level::Ok => "ok     ",
        Level::Warning => "warning",
        Level::Problem => "PROBLEM",
    };
    let first = format!("{mark}  {:<9} {}", finding.check, finding.words);
    match &finding.advice {
        Some(advice) => format!("{first}\n                   → {advice}"),
        None => first,
    }
}

/// `ddt doctor`. The exit code is 0 when there is no problem, else 1.
pub fn run(
    global: &Global,
    settings: Result<(), Failure>,
    args: &DoctorArgs,
    output: &Output,
) -> ExitCode {
    let patient = Patient {
        home: home(global),
        api: global.api.clone(),
        password_file: global.password_file.clone(),
        listen: global.config.listen,
        network: [
            ("network.listen", global.config.network.listen),
            ("consensus.listen", global.config.consensus.listen),
        ],
        is_deep: args.deep,
    };
    let findings = examine(&patient, &settings);
    let (problems, warnings) = (findings.count(Level::Problem), findings.count(Level::Warning));
    let mut words: Vec<String> = findings.0.iter().map(line).collect();
    words.push(match (problems, warnings) {
        (0, 0) => "\nAll is well.".to_string(),
        (problems, warnings) => format!("\nProblems: {problems}. Warnings: {warnings}."),
    });
    let data = json!({ "problems": problems, "warnings": warnings, "checks": findings.0 });
    output.result(data, words.join("\n"));
    ExitCode::from(u8::from(problems > 0))
}
