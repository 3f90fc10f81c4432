//! Style as a test: each rule reads the repository and says, line by line, what to do.
//!
//! A rule is a function from sources to findings with a unit test on a bad sample beside it;
//! here the rules meet the tree.

mod layout;
mod links;
mod purity;
mod syntax;
mod text;
mod tree;

use tree::{Finding, Source, Tree};

/// Fails with every finding, one a line.
fn demand_none(findings: Vec<Finding>) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

/// Applies a rule on one file to every Rust file.
fn demand_of_rust(rule: fn(&Source) -> Vec<Finding>) {
    let tree = Tree::read();
    let sources: Vec<&Source> = tree.with_extension("rs").collect();
    assert!(sources.len() > 5, "the tree was not found");
    demand_none(sources.into_iter().flat_map(rule).collect());
}

/// Applies a rule on one file to every text file.
fn demand_of_text(rule: fn(&Source) -> Vec<Finding>) {
    demand_none(Tree::read().sources.iter().flat_map(rule).collect());
}

#[test]
fn lines_fit_a_screen() {
    demand_of_rust(text::long_lines);
}

#[test]
fn every_file_says_what_it_is() {
    demand_of_rust(text::no_file_doc);
}

#[test]
fn nothing_is_left_open() {
    demand_of_text(text::open_markers);
}

#[test]
fn no_path_leads_outside_the_project() {
    demand_of_text(text::foreign_paths);
}

#[test]
fn no_package_registry_is_named() {
    demand_of_text(text::registry_hosts);
}

#[test]
fn rust_files_parse() {
    demand_of_rust(syntax::unreadable);
}

#[test]
fn files_fit_a_head() {
    demand_of_rust(syntax::long_files);
}

#[test]
fn functions_fit_a_screen() {
    demand_of_rust(syntax::long_functions);
}

#[test]
fn module_names_say_something() {
    demand_of_rust(syntax::empty_names);
}

#[test]
fn no_unfinished_or_debugging_code() {
    demand_of_rust(syntax::banned_code);
}

#[test]
fn ignored_tests_say_why() {
    demand_of_rust(syntax::silent_ignores);
}

#[test]
fn pure_crates_do_not_panic() {
    demand_of_rust(syntax::panics_in_pure_crates);
}

#[test]
fn pure_crates_are_linted_strictly() {
    demand_none(purity::loose_settings(&Tree::read().sources));
}

#[test]
fn top_level_is_as_designed() {
    demand_none(layout::top_level(&Tree::read().top_level()));
}

#[test]
fn links_lead_somewhere() {
    let tree = Tree::read();
    let pages = tree.with_extension("md").filter(|page| links::is_ours(&page.path));
    demand_none(pages.flat_map(|page| links::broken(page, |path| tree.exists(path))).collect());
}
