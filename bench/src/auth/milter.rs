//! The mail server's side of the milter protocol: one connection, many messages, every step answered.

use std::io::{BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};

/// Adding, changing and inserting header fields, and the rest.
const ACTIONS: u32 = 0x1ff;
const VERSION: u32 = 6;
const CHUNK: usize = 65_535;

pub struct Milter {
    read: BufReader<TcpStream>,
    write: BufWriter<TcpStream>,
}

impl Milter {
    /// Connects, agrees on the protocol, and tells of a client.
    pub fn connect(at: SocketAddr, client: &str, hello: &str) -> Result<Self> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut milter = Self {
            read: BufReader::new(stream.try_clone()?),
            write: BufWriter::new(stream),
        };
        let mut offer = Vec::new();
        for number in [VERSION, ACTIONS, 0] {
            offer.extend_from_slice(&number.to_be_bytes());
        }
        milter.send(b'O', &offer)?;
        milter.receive()?;
        milter.send(b'D', b"Cj\0bench.test\0")?;
        milter.step(b'C', format!("{hello}\x004\0\x19{client}\0").as_bytes())?;
        milter.step(b'H', format!("{hello}\0").as_bytes())?;
        Ok(milter)
    }

    /// One message; the fields that the filter puts in front.
    pub fn message(
        &mut self,
        number: usize,
        from: &str,
        to: &str,
        message: &[u8],
    ) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(message)?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        self.send(b'D', format!("Mi\0q{number}\0").as_bytes())?;
        self.step(b'M', format!("<{from}>\0").as_bytes())?;
        self.step(b'R', format!("<{to}>\0").as_bytes())?;
        for field in unfold(head) {
            let (name, value) = field.split_once(':').unwrap_or((&field, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            self.step(b'L', format!("{name}\0{value}\0").as_bytes())?;
        }
        self.step(b'N', b"")?;
        for chunk in body.as_bytes().chunks(CHUNK) {
            self.step(b'B', chunk)?;
        }
        self.send(b'E', b"")?;
        let mut added = Vec::new();
        loop {
            let (command, data) = self.receive()?;
            match command {
                b'h' => add(&mut added, &data),
                b'i' => add(&mut added, data.get(4..).unwrap_or_default()),
                b'c' | b'a' => return Ok(added),
                b'r' | b't' | b'y' | b'd' => bail!("the filter said {}", char::from(command)),
                _ => {}
            }
        }
    }

    fn step(&mut self, command: u8, data: &[u8]) -> Result<()> {
        self.send(command, data)?;
        match self.receive()?.0 {
            b'c' | b'a' => Ok(()),
            other => bail!(
                "{} was answered with {}",
                char::from(command),
                char::from(other)
            ),
        }
    }

    fn send(&mut self, command: u8, data: &[u8]) -> Result<()> {
        let length = u32::try_from(data.len() + 1)?;
        self.write.write_all(&length.to_be_bytes())?;
        self.write.write_all(&[command])?;
        self.write.write_all(data)?;
        Ok(())
    }

    fn receive(&mut self) -> Result<(u8, Vec<u8>)> {
        self.write.flush()?;
        loop {
            let mut head = [0; 5];
            self.read.read_exact(&mut head)?;
            let [a, b, c, d, command] = head;
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let mut data = vec![0; length.saturating_sub(1)];
            self.read.read_exact(&mut data)?;
            if command != b'p' {
                return Ok((command, data));
            }
        }
    }
}

/// The fields of a header; the folds of each as plain line feeds, which is what filters expect.
fn unfold(head: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => {
                field.push('\n');
                field.push_str(line);
            }
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

fn add(out: &mut Vec<u8>, data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    let name = parts.next().unwrap_or_default();
    let value = parts.next().unwrap_or_default();
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    for byte in value.trim_ascii() {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out.extend_from_slice(b"\r\n");
}
