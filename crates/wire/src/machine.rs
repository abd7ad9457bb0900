//! The one contract between a protocol and whatever carries its bytes.
//!
//! After any call that changes a machine, call [`Machine::step`] again and again until it needs
//! input, asks for a decision or closes. A machine never sees a clock or a socket, and its buffers
//! are bounded. While an [`Step::Event`] waits for its answer, `step` must not be called.

use std::time::Duration;

/// What a protocol machine wants next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<E> {
    /// Write these bytes to the peer.
    Send(Vec<u8>),
    /// Decide something, then tell the machine by the call that the event names.
    Event(E),
    /// Read from the peer and call [`Machine::receive`]; if nothing comes for so long, call
    /// [`Machine::timed_out`].
    NeedInput { patience: Duration },
    /// Send what is pending, wrap the stream in TLS, then call [`Machine::tls_started`]. Every byte
    /// read before belongs to [`Machine::receive`] and must never reach the TLS side.
    StartTls,
    /// Send what is pending and close the connection. A peer may still be talking: shut the sending
    /// side down and throw away its input for a short bounded while before closing, or the reset that
    /// follows unread input makes the last reply vanish.
    Close,
}

/// What both ends learnt from a TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// As in `TLSv1.3`.
    pub version: String,
    /// As in `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The name the client asked for, if it sent one (server role).
    pub server_name: Option<String>,
    /// `tls-exporter` channel binding (RFC 9266), 32 bytes; only TLS 1.3 has it.
    pub exporter: Option<Vec<u8>>,
    /// `tls-server-end-point` channel binding (RFC 5929 §4): the hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
    /// An earlier session was taken up again, without certificates on the wire.
    pub resumed: bool,
    /// What made the handshake succeed (client role).
    pub authenticated: Authentication,
    /// Whether the server's certificate is valid for the name that was asked for, by the public (and
    /// configured) roots; known in the client role, also where any certificate was good enough.
    pub pkix: Option<Result<(), TlsFailure>>,
}

/// How a client knows the server at the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all: any certificate was good enough.
    #[default]
    None,
    /// By a certificate for the name that leads to a known root.
    Pkix,
    /// By a TLSA record. RFC 7672.
    Dane,
}

/// What is wrong with a server's TLS, in the terms of RFC 8460 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsFailure {
    /// STARTTLS is not offered, or refused.
    StartTlsNotSupported,
    /// The certificate is for other names.
    CertificateHostMismatch,
    CertificateExpired,
    /// Unknown authority, wrong signature, not yet valid, not for servers.
    CertificateNotTrusted,
    /// The certificate matches none of the TLSA records.
    TlsaInvalid,
    /// Everything else, such as no protocol version or cipher in common.
    ValidationFailure,
}

impl TlsFailure {
    /// The result type of a TLS report. RFC 8460 §4.3.
    pub fn result_type(self) -> &'static str {
        match self {
            Self::StartTlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::ValidationFailure => "validation-failure",
        }
    }
}

/// One side of one conversation.
pub trait Machine {
    type Event;
    /// Bytes from the peer. May be called with any cut of the stream.
    fn receive(&mut self, bytes: &[u8]);
    /// The peer closed its side.
    fn end_of_input(&mut self);
    /// The patience of the last [`Step::NeedInput`] ran out.
    fn timed_out(&mut self);
    /// The handshake asked for by [`Step::StartTls`] is done, or TLS stood from the start.
    fn tls_started(&mut self, facts: TlsFacts);
    fn step(&mut self) -> Step<Self::Event>;
}
