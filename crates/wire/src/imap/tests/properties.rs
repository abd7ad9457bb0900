//! Whatever comes, the parser answers and the machine comes to rest; what we write we can read.

use proptest::prelude::*;

use super::super::*;
use super::machine::{server, talk};
use crate::Machine;

/// Pieces of commands, so that random input gets past the first word.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "a ",
        "FETCH ",
        "UID ",
        "STORE ",
        "SEARCH ",
        "LIST ",
        "SELECT ",
        "APPEND ",
        "SORT ",
        "THREAD ",
        "STATUS ",
        "1:*",
        "$",
        "(",
        ")",
        "[",
        "]",
        "<0.1>",
        "{3}\r\n",
        "{2+}\r\n",
        "~{1}\r\n",
        "\"",
        "\\",
        "\\Seen",
        "FLAGS",
        "BODY",
        "BODY.PEEK",
        "HEADER.FIELDS ",
        "NOT ",
        "OR ",
        "ALL",
        "TEXT ",
        "RETURN ",
        "(USE (\\Junk))",
        "1",
        "4294967295",
        "18446744073709551616",
        ",",
        ":",
        "*",
        "%",
        " ",
        "\r\n",
        "\n",
        "\0",
        "\u{e4}",
        "&",
        "&AOQ-",
        "17-Jul-1996",
        "\"17-Jul-1996 02:44:25 -0700\"",
        "CHARSET UTF-8 ",
        "LOGIN x secret\r\n",
        "IDLE\r\n",
        "DONE\r\n",
        "STARTTLS\r\n",
        "AUTHENTICATE PLAIN",
        "NIL",
        "MODSEQ ",
        "QRESYNC ",
        "(1 2 3)",
    ]);
    prop::collection::vec(word, 0..30).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_parser_answers(text in scraps(), utf8 in any::<bool>()) {
        let dialect = if utf8 { Dialect::Utf8 } else { Dialect::Rev1 };
        let _ = parse(&text, vec![b"abc".to_vec(), b"ab".to_vec()], dialect);
    }

    #[test]
    fn the_parser_answers_to_bytes(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&text, Vec::new(), Dialect::Utf8);
    }

    #[test]
    fn cuts_do_not_matter(text in scraps(), cut in any::<prop::sample::Index>(), logged_in in any::<bool>()) {
        let run = |cuts: &[usize]| {
            let mut server = server();
            let mut said = talk(&mut server).0;
            let mut at = 0;
            if logged_in {
                server.receive(b"l LOGIN x secret\r\n");
                said.push_str(&talk(&mut server).0);
                server.set_phase(Phase::Selected);
            }
            for cut in cuts.iter().copied().chain([text.len()]) {
                server.receive(&text[at..cut]);
                at = cut;
                let (more, closed) = talk(&mut server);
                said.push_str(&more);
                if closed || more.contains("<handshake>") {
                    break;
                }
            }
            said
        };
        // What follows STARTTLS in one packet closes the connection; that depends on the cut.
        prop_assume!(!text.windows(8).any(|window| window == b"STARTTLS"));
        let cut = if text.is_empty() { 0 } else { cut.index(text.len()) };
        prop_assert_eq!(run(&[cut]), run(&[]));
    }

    #[test]
    fn names_come_back(name in "\\PC{0,30}") {
        let mut out = Vec::new();
        mutf7::encode(&name, &mut out);
        prop_assert!(out.is_ascii());
        let decoded = mutf7::decode(&out);
        prop_assert_eq!(decoded.as_deref(), Some(name.as_str()));
    }

    #[test]
    fn decoding_names_never_fails_badly(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(name) = mutf7::decode(&bytes) {
            let mut out = Vec::new();
            mutf7::encode(&name, &mut out);
            let again = mutf7::decode(&out);
            prop_assert_eq!(again.as_deref(), Some(name.as_str()));
        }
    }

    #[test]
    fn strings_come_back(value in prop::collection::vec(any::<u8>(), 0..60)) {
        let text = String::from_utf8_lossy(&value).into_owned();
        let mut line = b"a LOGIN ".to_vec();
        write::string(&mut line, text.as_bytes(), Dialect::Utf8);
        line.extend_from_slice(b" x\r\n");
        let mut server = server();
        talk(&mut server);
        server.set_dialect(Dialect::Utf8);
        server.receive(&line);
        let mut asked = None;
        loop {
            match server.step() {
                crate::Step::Send(_) => {}
                crate::Step::Event(Event::Ask(crate::sasl::server::Question::Password { login, .. })) => {
                    asked = Some(login);
                    break;
                }
                _ => break,
            }
        }
        prop_assert_eq!(asked, Some(text));
    }

    #[test]
    fn sets_resolve_to_what_they_say(pairs in prop::collection::vec((1u32..50, 1u32..50), 1..10), last in 0u32..60) {
        let text: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}:{b}")).collect();
        let line = format!("a FETCH {},* FLAGS", text.join(","));
        let Ok(Tagged { command: Command::Fetch(fetch), .. }) = parse(line.as_bytes(), Vec::new(), Dialect::Rev1) else {
            panic!("{line}")
        };
        let resolved = fetch.set.resolve(last);
        for number in 1..60 {
            let want = number == last || pairs.iter().any(|(a, b)| (*a.min(b)..=*a.max(b)).contains(&number));
            prop_assert_eq!(resolved.iter().any(|range| range.contains(&number)), want);
        }
    }
}
