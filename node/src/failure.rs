//! Why a command failed, what to tell the user, and the exit code.

use std::fmt;
use std::path::Path;

use ddt_ledger::Refusal;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::schema::FieldError;
use serde_json::{Value as Json, json};

/// What kind of failure it is. Its number is the exit code, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Disk, network or program.
    Fault = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A rule of the network says no.
    Refused = 3,
    /// What was asked for does not exist.
    NotFound = 4,
    /// No node answers.
    Unreachable = 5,
    /// The wallet does not open.
    Wallet = 6,
    /// A proof does not hold.
    Proof = 7,
    /// The user said no.
    Declined = 8,
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// A stable code, as in the API's problems.
    pub code: String,
    /// One or two sentences: what is wrong, and what to do.
    pub words: String,
    /// The field it is about.
    pub field: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, code: &str, words: impl Into<String>) -> Failure {
        Failure { kind, code: code.to_string(), words: words.into(), field: None }
    }

    /// Disk, network or program.
    pub fn fault(words: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Fault, "fault", words)
    }

    /// A command line that makes no sense.
    pub fn usage(words: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Usage, "usage", words)
    }

    /// A file that cannot be read or written.
    pub fn io(path: &Path, error: &std::io::Error) -> Failure {
        let advice = match error.kind() {
            std::io::ErrorKind::StorageFull => "the disk is full: free some space",
            std::io::ErrorKind::PermissionDenied => "check its owner and permissions",
            std::io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
            std::io::ErrorKind::NotFound => "check the path",
            _ => "check the disk",
        };
        Failure::fault(format!("{}: {error}; {advice}", path.display()))
    }

    /// As RFC 9457 problem details.
    pub fn to_problem(&self) -> Json {
        let mut problem = json!({
            "type": format!("urn:ddt:problem:{}", self.code),
            "title": self.code,
            "detail": self.words,
        });
        if let (Some(field), Some(object)) = (&self.field, problem.as_object_mut()) {
            object.insert("field".to_string(), Json::from(field.as_str()));
        }
        problem
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

impl std::error::Error for Failure {}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Failure {
        Failure::fault(fault.context)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::new(FailureKind::Refused, refusal.code, refusal.words)
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Failure {
        let field = Some(error.field).filter(|field| !field.is_empty());
        let kind = FailureKind::Usage;
        let (code, words) = (error.refusal.code.to_string(), error.refusal.words.to_string());
        Failure { kind, code, words, field }
    }
}
