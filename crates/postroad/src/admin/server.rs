//! The server's end of the admin socket: takes requests, answers with the commands' own functions.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use world::{Stop, World};

use super::{LINE_BYTES_MAX, Question, Reply, SocketPath};
use crate::commands::{Context, execute};
use crate::output::Failure;
use crate::version::VERSION;

/// A command that was stopped in the middle must not hold its connection for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// After a failed accept (no file descriptor left): time for others to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opens the socket, in place of one that a killed server left. The caller holds the data directory's lock.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let socket = SocketPath::of(data)?;
    match std::fs::remove_file(&socket.path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&socket.path)?;
    std::fs::set_permissions(&socket.path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until `stop` is requested, then takes the socket away.
pub async fn serve(world: World, listener: UnixListener, context: Context, stop: Stop) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.requested() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (busy, tasks, context) = (stop.enter(), world.clone(), context.clone());
                world.tasks.spawn("admin", async move {
                    let _busy = busy;
                    let until = tasks.now() + PATIENCE;
                    if let Ok(Err(error)) = tasks
                        .tasks
                        .deadline(until, answer(&tasks, stream, context))
                        .await
                    {
                        tracing::debug!(%error, "admin connection");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket does not accept");
                world.clock.until(world.now() + ACCEPT_PAUSE).await;
            }
        }
    }
    if let Ok(socket) = SocketPath::of(&context.config.data) {
        let _ = std::fs::remove_file(&socket.path);
    }
}

async fn answer(world: &World, stream: UnixStream, context: Context) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(LINE_BYTES_MAX));
    let mut line = String::new();
    while lines.read_line(&mut line).await? != 0 {
        let reply = reply(world, &line, context.clone()).await;
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
        line.clear();
    }
    Ok(())
}

async fn reply(world: &World, line: &str, context: Context) -> Reply {
    let question: Question = match serde_json::from_str(line) {
        Ok(question) => question,
        Err(error) => {
            return Reply::Failed(Failure::failed(format!(
                "the running server (version {VERSION}) does not know this command; restart it with this program ({error})"
            )));
        }
    };
    if question.version != VERSION {
        tracing::info!(version = question.version, "a command of another version");
    }
    match world
        .tasks
        .blocking(move || execute(&context, question.request))
        .await
    {
        Ok(Ok(answer)) => Reply::Done(answer),
        Ok(Err(failure)) => Reply::Failed(failure),
        Err(panicked) => Reply::Failed(Failure::failed(panicked.to_string())),
    }
}
