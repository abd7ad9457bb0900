//! Real sockets whose ports below 1024 are only names: a door that is asked for as 443 is some free
//! port of the same address, and who connects to 443 comes there.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use world::{BoxFuture, Listener, Net, Stream, TokioNet};

/// Which port stands for which.
pub(crate) type Doors = Arc<Mutex<BTreeMap<SocketAddr, SocketAddr>>>;

pub(crate) struct RealNet {
    inner: TokioNet,
    doors: Doors,
}

/// Below it a port needs privileges.
const PORT_FREE_MIN: u16 = 1024;

impl RealNet {
    pub(crate) fn new(doors: Doors) -> Self {
        Self {
            inner: TokioNet,
            doors,
        }
    }
}

impl Net for RealNet {
    fn listen(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Listener>> {
        Box::pin(async move {
            if at.port() == 0 || PORT_FREE_MIN <= at.port() {
                return self.inner.listen(at).await;
            }
            let listener = self.inner.listen(SocketAddr::new(at.ip(), 0)).await?;
            let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
            doors.insert(at, listener.local_addr());
            Ok(listener)
        })
    }

    fn connect(&self, from: Option<IpAddr>, to: SocketAddr) -> BoxFuture<'_, io::Result<Stream>> {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let to = doors.get(&to).copied().unwrap_or(to);
        self.inner.connect(from, to)
    }

    fn connect_local<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Stream>> {
        self.inner.connect_local(path)
    }
}
