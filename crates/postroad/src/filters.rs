//! Asks the filters of the config whether they are there, without a message: for `config check` and the doctor. Blocks, for some seconds
//! at most.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mta::{Filter, FilterAddress};
use wire::{Machine, Step, clamd, milter};

use crate::config::Config;

/// A filter is on this machine or beside it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Steps of a conversation: connect, two words and their answers.
const STEPS_MAX: usize = 100;

/// Each with the reason why it cannot be asked. All at once, so that the slowest is waited for and not their sum.
pub fn ask_all(config: &Config) -> Vec<(&Filter, Option<String>)> {
    let all = config.filters.clamd.iter().chain(&config.filters.milters);
    std::thread::scope(|scope| {
        let asking: Vec<_> = all
            .map(|filter| (filter, scope.spawn(move || ask(config, filter).err())))
            .collect();
        let answers = asking.into_iter().map(|(filter, asking)| {
            let failed = |_| Some("asking it ended by a bug".to_owned());
            (filter, asking.join().unwrap_or_else(failed))
        });
        answers.collect()
    })
}

/// Why it cannot be asked.
fn ask(config: &Config, filter: &Filter) -> Result<(), String> {
    let is_clamd = config.filters.clamd.as_ref() == Some(filter);
    let mut stream = open(&filter.at).map_err(|error| error.to_string())?;
    if is_clamd {
        return match hold(&mut *stream, &mut clamd::Client::new(clamd::Command::Ping))? {
            clamd::Event::Answer(clamd::Answer::Pong) => Ok(()),
            clamd::Event::Answer(clamd::Answer::Error(words)) => Err(format!("it says: {words}")),
            clamd::Event::Failed(failure) => Err(failure.to_string()),
            _ => Err(clamd::Failure::NotClamd.to_string()),
        };
    }
    let settings = milter::Settings::new(mta::limits::MESSAGE_BYTES_MAX);
    match hold(&mut *stream, &mut milter::Client::new(settings))? {
        milter::Event::Ready => Ok(()),
        milter::Event::Failed(failure) => Err(failure.to_string()),
        milter::Event::Finished(_) => Err(milter::Failure::Closed.to_string()),
    }
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

fn open(at: &FilterAddress) -> std::io::Result<Box<dyn Both>> {
    Ok(match at {
        FilterAddress::Local(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Box::new(stream)
        }
        FilterAddress::Internet(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Box::new(stream)
        }
    })
}

/// Until the machine has something to tell.
fn hold<M: Machine>(stream: &mut dyn Both, machine: &mut M) -> Result<M::Event, String> {
    let mut buffer = [0; 4096];
    for _ in 0..STEPS_MAX {
        match machine.step() {
            Step::Event(event) => return Ok(event),
            Step::Send(bytes) => stream
                .write_all(&bytes)
                .map_err(|error| error.to_string())?,
            Step::NeedInput { .. } => match stream.read(&mut buffer) {
                Ok(0) => machine.end_of_input(),
                Ok(count) => machine.receive(buffer.get(..count).unwrap_or_default()),
                Err(_) => machine.timed_out(),
            },
            Step::StartTls | Step::Close => break,
        }
    }
    Err("it makes no sense".to_owned())
}
