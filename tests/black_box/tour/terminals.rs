//! The tour of docs/tour.md, run as it stands there in two terminals.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::support::PATIENCE;
use crate::support::cli;
use crate::support::network::{Network, folder};

const MARKER: &str = "<!-- ci: tour ";
const DONE: &str = "-- the block is done --";

/// Whose blocks there are, and their lines, in order.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(who) = line.trim().strip_prefix(MARKER) else { continue };
        let opened = lines.next().unwrap_or_default();
        assert!(opened.starts_with("```"), "a fenced block right after {line}");
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        found.push((who.trim_end_matches(" -->").to_string(), block.join("\n")));
    }
    found
}

/// A shell that keeps what it was told, like a terminal.
struct Terminal {
    shell: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Terminal {
    fn open(desk: &Path, api: &str) -> Terminal {
        let programs = Path::new(cli::DDT).parent().unwrap().to_str().unwrap();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["-euxo", "pipefail", "-s"]);
        bash.current_dir(desk).env("PATH", path).env("DDT_API", api);
        bash.env_remove("DDT_HOME").env_remove("DDT_PASSWORD_FILE");
        let mut shell = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        input.write_all(b"exec 2>&1\n").unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Terminal { shell, input, lines }
    }

    /// Types a block and waits for its end; panics when a command of it fails.
    fn run(&mut self, block: &str) -> String {
        // Commands must not read what is typed next.
        let typed = format!("{{\n{block}\n}} < /dev/null\necho '{DONE}'\n");
        self.input.write_all(typed.as_bytes()).unwrap();
        self.input.flush().unwrap();
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE * 2) {
                Ok(line) if line == DONE => return said,
                Ok(line) => said.push_str(&format!("{line}\n")),
                Err(_) => panic!("the block did not end well:\n{block}\n\n{said}"),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

// Broken by: a page whose commands do not work any more; whatever of names, coins and wallets
// does not fit together from one person to another.
#[test]
fn two_people_do_what_the_tour_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/tour.md")).unwrap();
    let (network, desk) = (Network::new(), folder());
    let api = network.text("api").to_string();
    let mut alice = Terminal::open(desk.path(), &api);
    alice.run(&format!("export DDT_HOME={}", network.home.display()));
    let mut erin = Terminal::open(desk.path(), &api);
    let blocks = blocks(&page);
    assert!(blocks.len() >= 10, "the tour has {} blocks", blocks.len());
    for (who, block) in blocks {
        match who.as_str() {
            "alice" => alice.run(&block),
            "erin" => erin.run(&block),
            other => panic!("nobody is called {other}"),
        };
    }
    let said = erin.run("ddt wallet balance erin");
    assert!(said.contains("erin"), "{said}");
    let owner = network.ddt(&["domain", "resolve", "tealeaves"]).data();
    let alice = network.signer("alice").account.to_string();
    assert!(owner.to_string().contains(&alice), "{owner}");
}
