//! The `ddt` command, run to its end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use serde_json::Value as Json;

use super::PATIENCE;

/// The binary under test.
pub const DDT: &str = env!("CARGO_BIN_EXE_ddt");

/// How a command ended.
#[derive(Debug)]
pub struct Ending {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// `ddt` with nothing of this machine's settings in its way.
pub fn command(home: &Path) -> Command {
    alone(Command::new(DDT), home)
}

fn alone(mut command: Command, home: &Path) -> Command {
    for name in ["DDT_API", "DDT_PASSWORD_FILE"] {
        command.env_remove(name);
    }
    command.env("DDT_HOME", home).stdin(Stdio::null());
    command
}

/// The same in a network namespace; needs root.
pub fn inside(home: &Path, namespace: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, DDT]);
    alone(command, home)
}

/// The same, with no file growing beyond so many bytes: writes fail as on a full disk.
pub fn bounded(home: &Path, bytes: u64) -> Command {
    let mut shell = Command::new("sh");
    // POSIX counts in blocks of 512 bytes. A signal that is ignored stays so.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    shell.args(["-c", &script, DDT]);
    alone(shell, home)
}

/// Runs a command to its end; panics when it does not end in time.
pub fn finish(command: &mut Command) -> Ending {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (pid, (sender, receiver)) = (child.id(), mpsc::channel());
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        signal(pid, "KILL");
        panic!("{command:?} does not end");
    });
    let output = output.unwrap();
    Ending {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `ddt` for scripts: JSON, and no questions.
pub fn ddt(home: &Path, arguments: &[&str]) -> Ending {
    finish(command(home).args(arguments).args(["--json", "--yes"]))
}

/// Sends a signal to a process that this test started.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.unwrap().success(), "kill -{name} {pid}");
}

impl Ending {
    /// The one envelope on standard output.
    pub fn envelope(&self) -> Json {
        let lines: Vec<&str> = self.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "one line of JSON is wanted: {self:#?}");
        let envelope: Json = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(envelope["version"], 1);
        envelope
    }

    /// The data of a command that went well.
    pub fn data(&self) -> Json {
        assert_eq!(self.code, Some(0), "{self:#?}");
        let envelope = self.envelope();
        assert_eq!(envelope["ok"], true);
        envelope["data"].clone()
    }

    /// The exit code and the problem's stable code of a command that failed.
    pub fn refusal(&self) -> (i32, String) {
        let envelope = self.envelope();
        assert_eq!(envelope["ok"], false, "{self:#?}");
        let kind = envelope["error"]["type"].as_str().unwrap();
        let code = kind.strip_prefix("urn:ddt:problem:").unwrap();
        (self.code.unwrap(), code.to_string())
    }

    /// What the failure says to people.
    pub fn words(&self) -> String {
        self.envelope()["error"]["detail"].as_str().unwrap().to_string()
    }
}
