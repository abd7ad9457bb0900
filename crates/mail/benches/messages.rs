//! What reading a message costs: on the delivery path (`Summary::of`) and per FETCH or SEARCH.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mail::{Extension, Needle, Structure, Summary};

const HEADER: &str = "Return-Path: <list-bounces@lists.example.org>\r\n\
Received: from mx.example.org (mx.example.org [192.0.2.1])\r\n\tby mx.example.net with ESMTPS (TLS1.3 TLS_AES_128_GCM_SHA256)\r\n\tid 0123456789ABCDEF\r\n\tfor <ann@example.net>; Sat, 21 Nov 2026 11:28:00 +0000\r\n\
Received: from host.example.com (host.example.com [198.51.100.7])\r\n\tby mx.example.org (Postfix) with ESMTPSA id 4TqX9s0Zr5z1Q\r\n\tfor <list@lists.example.org>; Sat, 21 Nov 2026 11:27:58 +0000 (UTC)\r\n\
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2026;\r\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\r\n\
From: =?utf-8?q?J=C3=BCrgen?= Example <juergen@example.com>\r\n\
To: Some List <list@lists.example.org>\r\nCc: Ann <ann@example.net>, \"Bob, B.\" <bob@example.net>\r\n\
Subject: Re: [list] A question about the delivery path and its cost\r\n\
Date: Sat, 21 Nov 2026 12:27:55 +0100\r\nMessage-ID: <a1b2c3d4-e5f6@example.com>\r\n\
In-Reply-To: <previous-message@example.net>\r\nReferences: <first@example.net> <second@example.net>\r\n <previous-message@example.net>\r\n\
MIME-Version: 1.0\r\nList-Id: Some List <list.lists.example.org>\r\nList-Unsubscribe: <mailto:list-leave@lists.example.org>\r\n\
X-Spam-Status: No, score=-1.9\r\n";

fn plain() -> Vec<u8> {
    let mut message = format!("{HEADER}Content-Type: text/plain; charset=utf-8\r\n\r\n");
    let mut number = 0;
    while message.len() < 10 * 1024 {
        number += 1;
        let _ = write!(
            message,
            "This is line {number} of a letter that says -- not much -- at some length.\r\n"
        );
    }
    message.into_bytes()
}

fn mixed() -> Vec<u8> {
    let mut message = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=\"=_outer_\"\r\n\r\n--=_outer_\r\nContent-Type: multipart/alternative; boundary=\"=_inner_\"\r\n\r\n--=_inner_\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    );
    for _ in 0..30 {
        message.push_str("Gr=C3=BC=C3=9Fe, and some more words to make the line long enough.\r\n");
    }
    message.push_str("--=_inner_\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>");
    for _ in 0..30 {
        message.push_str("<p>Gr&uuml;&szlig;e, and <b>some</b> more words.</p>\r\n");
    }
    message.push_str("</body></html>\r\n--=_inner_--\r\n--=_outer_\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment; filename=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    while message.len() < 10 * 1024 {
        message.push_str(
            "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n",
        );
    }
    message.push_str("--=_outer_--\r\n");
    message.into_bytes()
}

fn large() -> Vec<u8> {
    let mut message = format!(
        "{HEADER}Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    while message.len() < 1024 * 1024 {
        message.push_str(
            "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n",
        );
    }
    message.into_bytes()
}

fn summaries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("summary");
    for (name, message) in [
        ("plain 10 KB", plain()),
        ("mixed 10 KB", mixed()),
        ("attachment 1 MB", large()),
    ] {
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| Summary::of(black_box(&message)))
        });
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let message = mixed();
    let structure = Structure::of(&message);
    let stored = structure.encode();
    criterion.bench_function("BODYSTRUCTURE from the stored form", |bench| {
        bench.iter(|| {
            Structure::decode(black_box(&stored)).map(|found| found.body_structure(Extension::With))
        });
    });
    let mut group = criterion.benchmark_group("search");
    for (name, message) in [("plain 10 KB", plain()), ("mixed 10 KB", mixed())] {
        let structure = Structure::of(&message);
        let needle = Needle::new("zebra crossing");
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("TEXT, not there, {name}"), |bench| {
            bench.iter(|| needle.in_message(black_box(&message), &structure));
        });
    }
    group.finish();
}

criterion_group!(benches, summaries, reading);
criterion_main!(benches);
