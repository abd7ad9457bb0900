//! Drives a machine with bytes of the fuzzer, and checks the laws of all machines.

use wire::{Machine, Step, TlsFacts};

/// A machine that does not want input after so many steps spins.
const STEPS_PER_CALL_MAX: usize = 200_000;

/// What the machine did with the input.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    /// Everything it said.
    pub said: Vec<u8>,
    pub closed: bool,
}

/// Where a stretch of input ends.
pub enum Cut {
    /// One call with everything.
    Whole,
    /// A call for each so many bytes.
    Every(usize),
}

/// The input is fed in pieces; a byte 0xFF in it stands for a time-out, if `time_outs` is set. `answer` must answer each event.
pub fn converse<M: Machine>(
    machine: &mut M,
    input: &[u8],
    cut: Cut,
    mut answer: impl FnMut(&mut M, M::Event),
) -> Heard {
    let mut heard = Heard {
        said: Vec::new(),
        closed: false,
    };
    settle(machine, &mut heard, &mut answer);
    let size = match cut {
        Cut::Whole => input.len().max(1),
        Cut::Every(size) => size.max(1),
    };
    for piece in input.chunks(size) {
        if heard.closed {
            break;
        }
        machine.receive(piece);
        settle(machine, &mut heard, &mut answer);
    }
    if !heard.closed {
        machine.end_of_input();
        settle(machine, &mut heard, &mut answer);
    }
    if !heard.closed {
        machine.timed_out();
        settle(machine, &mut heard, &mut answer);
    }
    assert!(
        heard.closed,
        "the peer is gone and the machine waits for it"
    );
    heard
}

fn settle<M: Machine>(
    machine: &mut M,
    heard: &mut Heard,
    answer: &mut impl FnMut(&mut M, M::Event),
) {
    for _ in 0..STEPS_PER_CALL_MAX {
        match machine.step() {
            Step::Send(bytes) => {
                assert!(!bytes.is_empty(), "nothing is sent");
                heard.said.extend_from_slice(&bytes);
            }
            Step::Event(event) => answer(machine, event),
            Step::NeedInput { .. } => return,
            Step::StartTls => machine.tls_started(facts()),
            Step::Close => {
                heard.closed = true;
                return;
            }
        }
    }
    panic!("the machine spins");
}

pub fn facts() -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        server_name: None,
        exporter: Some(vec![7; 32]),
        server_end_point: Some(vec![9; 32]),
        resumed: false,
        authenticated: wire::Authentication::None,
        pkix: None,
    }
}

/// Whether every CR is followed by LF and every LF follows a CR.
pub fn lines_are_whole(bytes: &[u8]) -> bool {
    let mut before = None;
    for &byte in bytes {
        if (byte == b'\n') != (before == Some(b'\r')) {
            return false;
        }
        before = Some(byte);
    }
    before != Some(b'\r')
}
