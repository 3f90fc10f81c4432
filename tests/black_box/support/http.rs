//! HTTP by hand: requests that no well-behaved client makes must be possible.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value as Json;

use super::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of an answer of this status.
    pub fn json(&self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The stable code of a problem, which must be one in every respect.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json(self.status);
        assert_eq!(json["status"], self.status);
        assert_eq!(json["request_id"].as_str(), self.header("x-request-id"));
        let words = ["title", "detail"].map(|name| json[name].as_str().unwrap_or_default());
        assert!(words.iter().all(|words| !words.is_empty()), "{json}");
        let code = json["type"].as_str().unwrap().strip_prefix("urn:ddt:problem:");
        code.unwrap().to_string()
    }
}

/// Opens a connection that gives up in time.
pub fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes one request. HTTP/1.0, so that the answer ends with the connection.
pub fn exchange(
    address: &str,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = connect(address)?;
    let mut head = format!("{request} HTTP/1.0\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())?;
    read_answer(stream)
}

/// Reads an answer that ends with its connection.
pub fn read_answer(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let answer =
        Answer { status: status.ok_or_else(cut)?, headers, body: bytes.split_off(end + 4) };
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    // A killed node may have sent half an answer: that is none.
    if length.is_some_and(|length| answer.body.len() < length) {
        return Err(cut());
    }
    Ok(answer)
}

/// A live stream's messages.
pub struct Live(BufReader<TcpStream>);

/// One of them.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub id: String,
    pub data: Json,
}

impl Live {
    /// Opens a stream, from now on or after the message `last`.
    pub fn open(address: &str, topics: &str, last: Option<&str>) -> Live {
        let mut stream = connect(address).unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let path = format!("/v1/live?topics={topics}");
        let head = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut live = Live(BufReader::new(stream));
        let status = live.line();
        assert!(status.contains(" 200 "), "{status}");
        while !live.line().is_empty() {}
        live
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        assert_ne!(read, 0, "the stream goes on");
        line.trim_end().to_string()
    }

    /// The next message.
    pub fn next(&mut self) -> Message {
        let (mut topic, mut id, mut data) = (None, None, None);
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("event", text)) => topic = Some(text.to_string()),
                Some(("id", text)) => id = Some(text.to_string()),
                Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                _ => {}
            }
            if line.is_empty() && data.is_some() {
                let (topic, id) = (topic.take().unwrap(), id.take().unwrap());
                return Message { topic, id, data: data.take().unwrap() };
            }
        }
    }

    /// The next message that is wanted; at most `many` others may come before.
    pub fn find(&mut self, many: usize, wanted: impl Fn(&Message) -> bool) -> Message {
        for _ in 0..=many {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
        }
        panic!("{many} other messages came");
    }
}
