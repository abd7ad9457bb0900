//! The name server that everybody asks: a table of texts and addresses on port 53 of a loopback address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

const A: u16 = 1;
const SOA: u16 = 6;
const TXT: u16 = 16;
const TTL_SECS: u32 = 3600;

#[derive(Clone, Default)]
pub struct Table {
    texts: BTreeMap<String, String>,
    addresses: BTreeMap<String, Ipv4Addr>,
}

impl Table {
    pub fn text(&mut self, name: &str, text: impl Into<String>) {
        self.texts.insert(name.to_owned(), text.into());
    }

    pub fn address(&mut self, name: &str, address: Ipv4Addr) {
        self.addresses.insert(name.to_owned(), address);
    }

    fn knows(&self, name: &str) -> bool {
        let below = format!(".{name}");
        let mut names = self.texts.keys().chain(self.addresses.keys());
        name.is_empty() || names.any(|known| known == name || known.ends_with(&below))
    }
}

pub struct Names {
    pub at: SocketAddr,
    asked: Arc<AtomicU64>,
}

impl Names {
    /// Answers until the process ends.
    pub fn serve(ip: IpAddr, port: u16, table: Table) -> Result<Self> {
        let socket = UdpSocket::bind((ip, port)).with_context(|| format!("port {port} of {ip}"))?;
        let at = socket.local_addr()?;
        let asked = Arc::new(AtomicU64::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut packet) {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = packet.get(..length).and_then(|query| answer(&table, query)) {
                    let _ = socket.send_to(&answer, peer);
                }
            }
        });
        Ok(Self { at, asked })
    }

    /// Questions so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(table: &Table, query: &[u8]) -> Option<Vec<u8>> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let name = labels.join(".");
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let data = match kind {
        TXT => table.texts.get(&name).map(|text| strings(text)),
        A => table
            .addresses
            .get(&name)
            .map(|address| address.octets().to_vec()),
        _ => None,
    };
    let code: u16 = if data.is_some() || table.knows(&name) {
        0
    } else {
        3
    };
    let mut out = query.get(..2)?.to_vec();
    let authority = u16::from(data.is_none());
    for number in [0x8580 | code, 1, 1 - authority, authority, 0] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(question);
    match data {
        // 0xc00c: the name of the question.
        Some(data) => record(&mut out, &[0xc0, 0x0c], kind, &data),
        None => {
            let mut soa = vec![0, 0];
            for number in [1, 3600, 600, 86_400, TTL_SECS] {
                soa.extend_from_slice(&number.to_be_bytes());
            }
            record(&mut out, &[0], SOA, &soa);
        }
    }
    Some(out)
}

fn record(out: &mut Vec<u8>, owner: &[u8], kind: u16, data: &[u8]) {
    out.extend_from_slice(owner);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&1_u16.to_be_bytes());
    out.extend_from_slice(&TTL_SECS.to_be_bytes());
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
}

fn strings(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(255) {
        out.push(chunk.len() as u8);
        out.extend_from_slice(chunk);
    }
    out
}
