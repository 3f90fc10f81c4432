//! Parsers of the node's commands: its own files, compiled here once more.

#[path = "../../../node/src/cli/domain/record_lines.rs"]
pub mod record_lines;
#[path = "../../../node/src/cli/request/uri.rs"]
pub mod uri;
