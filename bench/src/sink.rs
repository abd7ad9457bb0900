//! Where relayed mail ends: an SMTP server that takes everything, counts it and forgets it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

pub struct Sink {
    taken: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Sink {
    pub fn open(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).context("opening the sink")?;
        listener.set_nonblocking(true)?;
        let (taken, closed) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, end) = (taken.clone(), closed.clone());
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let count = count.clone();
                        std::thread::spawn(move || serve(stream, &count));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Ok(Self { taken, closed })
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // The listener closes at its next look, so that the port is free for the next workload.
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn serve(stream: TcpStream, taken: &AtomicUsize) -> Option<()> {
    stream.set_nonblocking(false).ok()?;
    stream.set_nodelay(true).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .ok()?;
    let mut output = stream.try_clone().ok()?;
    let mut input = BufReader::with_capacity(64 * 1024, stream);
    output.write_all(b"220 sink.test ESMTP\r\n").ok()?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let reply: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 50000000\r\n250 ENHANCEDSTATUSCODES\r\n",
            b"DATA" => b"354 go on\r\n",
            b"QUIT" => b"221 2.0.0 bye\r\n",
            _ => b"250 2.0.0 fine\r\n",
        };
        // A group of pipelined commands is answered together.
        output.write_all(reply).ok()?;
        match verb.as_slice() {
            b"QUIT" => return Some(()),
            b"DATA" => {
                read_content(&mut input)?;
                taken.fetch_add(1, Ordering::Relaxed);
                output.write_all(b"250 2.0.0 taken\r\n").ok()?;
            }
            _ => {}
        }
    }
}

fn read_content(input: &mut BufReader<TcpStream>) -> Option<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(());
        }
    }
}
