//! The tables of framing tricks: the whole story in one write, byte by byte, and in the pieces given.

use wire::smtp::server::{Role, Server};

use crate::chat::{self, Act, Trace};
use crate::shared::{corpus, pieces, rows};
use crate::smtp_server::settings;

const BEFORE: &str = "EHLO c.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<a@rcpt.test>\r\nDATA\r\nSubject: x\r\n\r\nline";
const AFTER: &str = "MAIL FROM:<smuggled@sender.test>\r\nRCPT TO:<b@rcpt.test>\r\nDATA\r\nSubject: y\r\n\r\nsmuggled\r\n.\r\nQUIT\r\n";

fn server() -> Server {
    Server::new(settings(Role::Mx), [1; 32])
}

fn story(bytes: &str) -> Vec<Vec<u8>> {
    let mut story = pieces(bytes);
    story
        .first_mut()
        .expect("a piece")
        .splice(0..0, BEFORE.bytes());
    story.last_mut().expect("a piece").extend(AFTER.bytes());
    story
}

/// In one write, byte by byte, and as the table cuts it.
fn traces(name: &str, story: &[Vec<u8>]) -> Trace {
    let whole = [Act::Say(story.concat())];
    let trace = chat::run_all(name, &whole, server);
    let cut: Vec<_> = story.iter().cloned().map(Act::Say).collect();
    assert_eq!(
        trace,
        chat::run(&mut server(), &cut, &|bytes| vec![bytes.to_vec()]),
        "{name}: as cut"
    );
    trace
}

fn last_reply(trace: &Trace) -> String {
    chat::replies(&trace.sent).pop().unwrap_or_default()
}

#[test]
fn end_of_data() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    let rows = rows(&dir.join("end-of-data.tsv"));
    assert!(rows.len() >= 43);
    for row in rows {
        let (id, bytes, wanted) = (&row[0], &row[1], &row[2]);
        if let Some((_, count)) = bytes
            .split_once("{A*4")
            .filter(|_| id.starts_with("buffer-edge"))
        {
            let tail = count.split_once('}').expect("a brace").1;
            for count in [4088..4098, 8184..8194, 16376..16386, 65528..65538]
                .into_iter()
                .flatten()
            {
                judge(
                    &format!("{id} {count}"),
                    &format!("{{A*{count}}}{tail}"),
                    wanted,
                );
            }
        } else {
            judge(id, bytes, wanted);
        }
    }
}

fn judge(id: &str, bytes: &str, wanted: &str) {
    let trace = traces(id, &story(bytes));
    let said = chat::replies(&trace.sent).join("\n");
    let first = trace
        .messages
        .first()
        .map(|message| String::from_utf8_lossy(message).into_owned());
    let head = "Subject: x\r\n\r\nline";
    match id.split(' ').next().expect("a word") {
        // Content: the message goes on to the end that stands behind the second one.
        id if wanted.starts_with("content") => {
            let first = first.unwrap_or_else(|| panic!("{id}: not kept\n{said}"));
            let text = pieces(bytes).concat();
            let text = String::from_utf8_lossy(&text).replace("\r\n.", "\r\n");
            assert_eq!(
                first,
                format!("{head}{text}{}", &AFTER[..AFTER.len() - 9]),
                "{id}"
            );
            assert_eq!(trace.messages.len(), 1, "{id}\n{said}");
            assert!(last_reply(&trace).starts_with("221"), "{id}\n{said}");
        }
        "crlf-dot-crlf-lf" | "crlf-dot-crlf-cr" => {
            assert_eq!(first.as_deref(), Some("Subject: x\r\n\r\nline\r\n"), "{id}");
            assert_eq!(trace.messages.len(), 1, "{id}\n{said}");
            assert!(
                last_reply(&trace).starts_with("500 5.5.2 Bare"),
                "{id}\n{said}"
            );
            assert!(trace.closed, "{id}");
        }
        // True ends: what follows is a second message, by right.
        "crlf-dot-crlf"
        | "split-cr-lf"
        | "split-dot"
        | "overlong-line-then-end"
        | "buffer-edge" => {
            let first = first.unwrap_or_else(|| panic!("{id}: not kept\n{said}"));
            assert!(
                first.starts_with(head) && first.ends_with("\r\n") && !first.contains("MAIL"),
                "{id}"
            );
            assert_eq!(trace.messages.len(), 2, "{id}\n{said}");
            assert!(last_reply(&trace).starts_with("221"), "{id}\n{said}");
        }
        "dot-crlf-first" => first_line_is_a_dot(),
        // All others: refused, closed, and nothing after it was a command.
        id => {
            assert!(
                wanted.starts_with("refuse"),
                "{id}: a new kind of wish: {wanted}"
            );
            assert!(trace.messages.is_empty(), "{id}: kept");
            let last = last_reply(&trace);
            assert!(last.starts_with("554 5.6.0"), "{id}\n{said}");
            assert!(
                last.contains("Bare CR") || last.contains("Bare LF") || last.contains("NUL"),
                "{id}: {last}"
            );
            assert!(trace.closed, "{id}");
        }
    }
}

fn first_line_is_a_dot() {
    let story = "EHLO c.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<a@rcpt.test>\r\nDATA\r\n.\r\nQUIT\r\n";
    let trace = traces("dot-crlf-first", &[story.as_bytes().to_vec()]);
    assert_eq!(trace.messages, [Vec::<u8>::new()]);
    assert!(last_reply(&trace).starts_with("221"));
}

#[test]
fn other_framing() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    let rows = rows(&dir.join("other-framing.tsv"));
    assert!(rows.len() >= 14);
    let mut skipped = Vec::new();
    for row in rows {
        let (id, bytes) = (row[0].as_str(), row[2].as_str());
        if !other_framing_row(id, bytes) {
            skipped.push(id.to_owned());
        }
    }
    // These are about our own doors (JMAP, API), not about the wire.
    assert_eq!(skipped, ["header-crlf"]);
}

fn other_framing_row(id: &str, bytes: &str) -> bool {
    let bytes = || pieces(bytes).concat();
    let hello = b"EHLO c.test\r\n".to_vec();
    let envelope =
        b"EHLO c.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<a@rcpt.test>\r\n".to_vec();
    let binary =
        b"EHLO c.test\r\nMAIL FROM:<a@sender.test> BODY=BINARYMIME\r\nRCPT TO:<a@rcpt.test>\r\n"
            .to_vec();
    let tail = b"NOOP\r\n".to_vec();
    let run = |parts: &[Vec<u8>]| traces(id, &[parts.concat()]);
    match id {
        "bdat-bare-lf" => {
            let trace = run(&[envelope, bytes(), tail.clone()]);
            assert!(trace.messages.is_empty() && !trace.closed);
            let replies = chat::replies(&trace.sent);
            assert!(
                replies[4].starts_with("554 5.6.0 Bare LF") && replies[5].starts_with("250"),
                "{replies:?}"
            );
            let trace = run(&[binary, bytes(), tail]);
            assert_eq!(trace.messages, [b"line\n.\nline2".to_vec()]);
            assert!(last_reply(&trace).starts_with("250"));
        }
        "bdat-dot" => assert_eq!(run(&[envelope, bytes()]).messages, [b"\r\n.\r\n".to_vec()]),
        "bdat-short-count" => {
            let trace = run(&[envelope, bytes()]);
            assert_eq!(trace.messages, [b"abcd".to_vec()]);
            assert!(last_reply(&trace).starts_with("221"));
        }
        "bdat-huge-count" | "bdat-negative" => {
            let trace = run(&[envelope, bytes(), tail]);
            assert!(
                last_reply(&trace).starts_with("501") && trace.closed && trace.messages.is_empty()
            );
        }
        "bdat-then-data" => {
            let trace = run(&[envelope, bytes()]);
            assert!(last_reply(&trace).starts_with("503 5.5.1") && trace.messages.is_empty());
        }
        "cmd-bare-lf" | "cmd-bare-cr" => {
            let trace = run(&[hello, bytes(), tail]);
            assert_eq!(chat::replies(&trace.sent).len(), 3);
            assert!(last_reply(&trace).starts_with("500 5.5.2 Bare") && trace.closed);
        }
        "cmd-nul" => {
            let trace = run(&[hello, bytes(), tail]);
            assert!(last_reply(&trace).starts_with("50") && trace.messages.is_empty());
        }
        "addr-crlf" => {
            let trace = run(&[envelope, bytes(), b".\r\n".to_vec()]);
            let replies = chat::replies(&trace.sent);
            assert!(replies[4].starts_with("501"), "{replies:?}");
        }
        "data-refused-then-body" => {
            let refused = b"EHLO c.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<nobody@rcpt.test>\r\nDATA\r\nSubject: x\r\n\r\nline\r\nline\r\nline\r\n.\r\n".to_vec();
            let trace = run(&[refused]);
            assert!(chat::replies(&trace.sent)[4].starts_with("554 5.5.1"));
            assert!(
                last_reply(&trace).starts_with("421") && trace.closed && trace.messages.is_empty()
            );
        }
        "data-pipelined-body" => {
            let trace = run(&[
                envelope,
                b"DATA\r\nSubject: x\r\n\r\nline\r\n.\r\nQUIT\r\n".to_vec(),
            ]);
            assert_eq!(trace.messages, [b"Subject: x\r\n\r\nline\r\n".to_vec()]);
            assert!(last_reply(&trace).starts_with("221"));
        }
        "early-talk" => {
            let mut settings = settings(Role::Mx);
            settings.greeting_delay = Some(std::time::Duration::from_secs(1));
            let make = || Server::new(settings.clone(), [1; 32]);
            let trace = chat::run_all(id, &[Act::Say(hello)], make);
            assert_eq!(chat::replies(&trace.sent).len(), 1);
            assert!(last_reply(&trace).starts_with("554") && trace.closed);
        }
        _ => return false,
    }
    true
}
