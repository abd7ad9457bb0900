//! How fast the server machine takes bodies and commands, without any socket.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::smtp::command::Command;
use wire::smtp::server::{Event, Role, Server, Settings};
use wire::smtp::{EnhancedCode, Reply};
use wire::stuffing::{Stuffer, Unstuffer};
use wire::{Machine, Step};

/// What a carrier reads at once.
const READ: usize = 64 * 1024;

fn lines(bytes: usize, width: usize) -> Vec<u8> {
    let mut line = vec![b'x'; width];
    line.extend_from_slice(b"\r\n");
    line.repeat(bytes / line.len() + 1)
}

/// Runs the machine until it waits; counts the messages.
fn settle(server: &mut Server, messages: &mut usize) {
    loop {
        match server.step() {
            Step::Send(bytes) => drop(black_box(bytes)),
            Step::Event(Event::Hello { .. } | Event::Mistake(_)) => {}
            Step::Event(Event::Message(body)) => {
                black_box(&body);
                *messages += 1;
                server.finish(Reply::fixed(250, EnhancedCode(2, 0, 0), "Kept"));
            }
            Step::Event(_) => server.accept(),
            _ => return,
        }
    }
}

fn ready() -> Server {
    let mut settings = Settings::new(Role::Mx, "mx.example.test");
    settings.messages_max = u32::MAX;
    let mut server = Server::new(settings, [1; 32]);
    server.receive(b"EHLO a.example\r\n");
    settle(&mut server, &mut 0);
    server
}

fn bodies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("whole message");
    for (name, bytes, width) in [
        ("10 KB", 10_000, 76),
        ("1 MB", 1_000_000, 76),
        ("1 MB of 998", 1_000_000, 998),
    ] {
        let mut wire =
            b"MAIL FROM:<a@a.example> SIZE=1000\r\nRCPT TO:<b@b.example>\r\nDATA\r\n".to_vec();
        wire.extend(lines(bytes, width));
        wire.extend_from_slice(b".\r\n");
        group.throughput(Throughput::Bytes(wire.len() as u64));
        let mut server = ready();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut messages = 0;
                for piece in wire.chunks(READ) {
                    server.receive(piece);
                    settle(&mut server, &mut messages);
                }
                assert_eq!(messages, 1);
            });
        });
    }
    group.finish();
}

fn dots(criterion: &mut Criterion) {
    let body = lines(1_000_000, 76);
    let mut wire = Vec::new();
    let mut stuffer = Stuffer::default();
    stuffer.push(&body, &mut wire);
    stuffer.finish(&mut wire);
    let mut group = criterion.benchmark_group("dots");
    group.throughput(Throughput::Bytes(wire.len() as u64));
    let mut out = Vec::with_capacity(wire.len() * 2);
    group.bench_function("unstuff", |bencher| {
        bencher.iter(|| {
            out.clear();
            Unstuffer::default().push(black_box(&wire), &mut out)
        });
    });
    let mut out = Vec::with_capacity(wire.len() * 2);
    group.bench_function("stuff", |bencher| {
        bencher.iter(|| {
            out.clear();
            Stuffer::default().push(black_box(&body), &mut out);
        });
    });
    group.finish();
}

fn commands(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commands");
    for line in [
        "MAIL FROM:<someone@sender.example> SIZE=10240 BODY=8BITMIME",
        "RCPT TO:<someone@rcpt.example>",
        "NOOP",
    ] {
        group.bench_function(line, |bencher| {
            bencher.iter(|| Command::parse(black_box(line.as_bytes())))
        });
    }
    group.finish();
}

criterion_group!(benches, bodies, dots, commands);
criterion_main!(benches);
