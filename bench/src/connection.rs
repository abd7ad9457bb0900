//! A blocking connection, plain or TLS, read by lines and by counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// A server that says nothing for so long has failed the bench.
const PATIENCE: Duration = Duration::from_secs(120);
const READ_BYTES: usize = 64 * 1024;
/// A line longer than this is no reply.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// Between the two, while a handshake is made.
    Changing,
}

pub struct Connection {
    stream: Stream,
    input: Vec<u8>,
    /// What of `input` has been taken.
    taken: usize,
}

/// Whether TLS starts with the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Plain,
    Tls,
}

impl Connection {
    pub fn open(to: SocketAddr, security: Security) -> Result<Self> {
        let stream = TcpStream::connect(to).with_context(|| format!("connecting to {to}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut this = Self {
            stream: Stream::Plain(stream),
            input: Vec::new(),
            taken: 0,
        };
        if security == Security::Tls {
            this.start_tls()?;
        }
        Ok(this)
    }

    pub fn start_tls(&mut self) -> Result<()> {
        let Stream::Plain(mut stream) = std::mem::replace(&mut self.stream, Stream::Changing)
        else {
            bail!("TLS has begun already");
        };
        let name = ServerName::try_from("mx.example.test")?;
        let mut tls = ClientConnection::new(tls_config(), name)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(tls, stream)));
        Ok(())
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes)?,
            Stream::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
            Stream::Changing => bail!("the handshake failed"),
        }
        Ok(())
    }

    /// The next line with its end, as bytes that stay until the next call.
    pub fn line(&mut self) -> Result<&[u8]> {
        let mut searched = self.taken;
        loop {
            if let Some(at) = self.input[searched..].iter().position(|b| *b == b'\n') {
                let line = self.taken..searched + at + 1;
                self.taken = line.end;
                return Ok(&self.input[line]);
            }
            if LINE_BYTES_MAX < self.input.len() - self.taken {
                bail!("a line without end");
            }
            searched = self.input.len() - self.taken;
            self.fill()?;
        }
    }

    /// Passes over `count` bytes.
    pub fn skip(&mut self, mut count: usize) -> Result<()> {
        loop {
            let here = (self.input.len() - self.taken).min(count);
            self.taken += here;
            count -= here;
            if count == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads more; afterwards what was not taken stands at the start of `input`.
    fn fill(&mut self) -> Result<()> {
        self.input.drain(..self.taken);
        self.taken = 0;
        let end = self.input.len();
        self.input.resize(end + READ_BYTES, 0);
        let space = &mut self.input[end..];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(space),
            Stream::Tls(stream) => stream.read(space),
            Stream::Changing => bail!("the handshake failed"),
        };
        self.input.truncate(end + *count.as_ref().unwrap_or(&0));
        if count.context("reading")? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// Full handshakes only, any certificate: what is measured is the server's work.
fn tls_config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .expect("the provider has the default versions")
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth();
            config.resumption = Resumption::disabled();
            Arc::new(config)
        })
        .clone()
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
