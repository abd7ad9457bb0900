//! The command's end of the admin socket.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{LINE_BYTES_MAX, Question, Reply, SocketPath};
use crate::commands::Request;
use crate::output::{Answer, Failure};
use crate::version::VERSION;

/// A server that says nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the running server answers; `None` when no server runs.
pub fn ask(data: &Path, request: &Request) -> Option<Result<Answer, Failure>> {
    let socket = SocketPath::of(data).ok()?;
    let stream = match UnixStream::connect(&socket.path) {
        Ok(stream) => stream,
        // Nobody listens: the file is left over from a server that was killed.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            return None;
        }
        Err(error) => return Some(Err(broken(&error))),
    };
    Some(talk(stream, request).unwrap_or_else(|error| Err(broken(&error))))
}

fn talk(mut stream: UnixStream, request: &Request) -> std::io::Result<Result<Answer, Failure>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = Question {
        version: VERSION.to_owned(),
        request: request.clone(),
    };
    let mut line = serde_json::to_vec(&question)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_BYTES_MAX)).read_line(&mut line)?;
    if line.is_empty() {
        return Err(std::io::Error::new(
            ErrorKind::UnexpectedEof,
            "it closed the connection",
        ));
    }
    Ok(match serde_json::from_str(&line)? {
        Reply::Done(answer) => Ok(answer),
        Reply::Failed(failure) => Err(failure),
    })
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "the running server does not answer on its admin socket: {error}; look into its log, or restart it"
    ))
}
