//! `ddt wallet ui`, and what a browser does with it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::Value as Json;

use crate::support::cli;
use crate::support::http::{Answer, exchange};
use crate::support::{PATIENCE, eventually};

/// The password of a development network's wallets.
pub const PASSWORD: &str = "unsafe-test-password";

/// A running `ddt wallet ui`; killed when this is dropped.
pub struct Ui {
    process: Child,
    /// The address it printed.
    pub url: String,
    told: Receiver<String>,
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(from).lines().map_while(Result::ok);
        lines.for_each(|line| drop(sender.send(line)));
    });
    receiver
}

impl Ui {
    /// Starts it on a data folder.
    pub fn start(home: &Path, arguments: &[&str]) -> Ui {
        let mut command = cli::command(home);
        command.args(["wallet", "ui", "--json"]).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let said = lines(process.stdout.take().unwrap());
        let told = lines(process.stderr.take().unwrap());
        let line = said.recv_timeout(PATIENCE).expect("its one line");
        let envelope: Json = serde_json::from_str(&line).unwrap();
        assert_eq!((&envelope["version"], &envelope["ok"]), (&1.into(), &true.into()), "{line}");
        let url = envelope["data"]["url"].as_str().unwrap().to_string();
        Ui { process, url, told }
    }

    /// Waits for something it tells people.
    pub fn wait_for(&self, words: &str) {
        loop {
            let line = self.told.recv_timeout(PATIENCE).expect(words);
            if line.contains(words) {
                return;
            }
        }
    }

    /// Ctrl-C; answers the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        cli::signal(self.process.id(), "INT");
        eventually("the pages end", || self.process.try_wait().unwrap()).code()
    }
}

impl Drop for Ui {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser that was let in.
pub struct Browser {
    /// Host and port.
    pub address: String,
    /// The path before every page.
    pub room: String,
    /// The cookie, as it is sent.
    pub cookie: String,
    /// What the forms hold.
    pub form_key: String,
}

/// Host and port, and the rest, of an address.
pub fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}

/// What stands between two texts.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap_or_else(|| panic!("{before}: {text}")) + before.len();
    let length = text[start..].find(after).unwrap_or_else(|| panic!("{after}: {text}"));
    &text[start..start + length]
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte.is_ascii_alphanumeric() {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

impl Browser {
    /// Opens the printed address.
    pub fn enter(url: &str) -> Browser {
        let (address, path) = split(url);
        let answer = exchange(address, &format!("GET {path}"), &[], &[]).unwrap();
        assert_eq!(answer.status, 303, "{}", answer.text());
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_string();
        let place = answer.header("location").unwrap();
        let room = place.strip_suffix("/overview").unwrap().to_string();
        let mut browser =
            Browser { address: address.to_string(), room, cookie, form_key: String::new() };
        let text = browser.page("unlock");
        browser.form_key = between(&text, "name=\"form_key\" value=\"", "\"").to_string();
        browser
    }

    /// Enters, and opens a wallet.
    pub fn with_wallet(url: &str, name: &str) -> Browser {
        let browser = Browser::enter(url);
        let answer = browser.unlock(name, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Tries a password.
    pub fn unlock(&self, name: &str, password: &str) -> Answer {
        self.post("unlock", &[("wallet", name), ("password", password)])
    }

    /// Makes a request with the cookie and these headers.
    pub fn ask(&self, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("Cookie", self.cookie.as_str())];
        all.extend(headers);
        exchange(&self.address, request, &all, body).unwrap()
    }

    /// Asks for a page.
    pub fn get(&self, page: &str) -> Answer {
        self.ask(&format!("GET {}/{page}", self.room), &[], &[])
    }

    /// The text of a page that is there.
    pub fn page(&self, page: &str) -> String {
        let answer = self.get(page);
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
        answer.text()
    }

    /// Sends a form of the wallet's own.
    pub fn post(&self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [fields, &[("form_key", self.form_key.as_str())]].concat();
        let origin = format!("http://{}", self.address);
        let kind = "application/x-www-form-urlencoded";
        let headers = [("Origin", origin.as_str()), ("Content-Type", kind)];
        let request = format!("POST {}/{page}", self.room);
        self.ask(&request, &headers, encoded(&fields).as_bytes())
    }

    /// The page that an answer leads to, without the path before every page.
    pub fn next(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, 303, "{}", answer.text());
        let place = answer.header("location").unwrap();
        place.strip_prefix(&format!("{}/", self.room)).unwrap().to_string()
    }

    /// Fills a form that leads to a review; answers the review's id.
    pub fn propose(&self, page: &str, fields: &[(&str, &str)]) -> String {
        let place = self.next(&self.post(page, fields));
        place.strip_prefix("review?id=").unwrap_or_else(|| panic!("{place}")).to_string()
    }

    /// Agrees to a review; answers the page that says what became of it.
    pub fn agree(&self, id: &str) -> String {
        self.next(&self.post("confirm", &[("id", id)]))
    }

    /// Looks at a result until it is over; answers its text.
    pub fn finished(&self, result: &str) -> String {
        eventually("the event is final", || {
            let text = self.page(result);
            (!text.contains("http-equiv=\"refresh\"")).then_some(text)
        })
    }
}
