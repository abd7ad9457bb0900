//! The simulated network: hosts with addresses, listeners, and pipes between them that can break.
//! One [`Network`] for all; each host sees it through its own [`HostNet`].

mod intercept;
mod line;
mod real;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use world::{Accept, BoxFuture, Clock, Listener, Net, Stream};

use crate::limits;
pub use intercept::{Interception, Interceptor};
pub use line::Lifetime;
pub(crate) use real::{Doors, RealNet};

#[derive(Clone)]
pub struct Network {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    listeners: BTreeMap<SocketAddr, mpsc::UnboundedSender<Stream>>,
    reach: BTreeMap<IpAddr, Reach>,
    interceptors: BTreeMap<IpAddr, Interceptor>,
    lifetimes: Option<Box<dyn FnMut() -> Lifetime + Send>>,
    next_port: u16,
}

/// What becomes of a connection attempt to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Up,
    /// Nothing listens, and the host says so.
    Refused,
    /// No route.
    Unreachable,
    /// Packets vanish.
    Silent,
}

impl Network {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// The network as one host sees it. Without an address of a family it cannot reach that family.
    pub fn host(&self, addresses: Vec<IpAddr>) -> HostNet {
        HostNet {
            network: self.clone(),
            addresses,
        }
    }

    pub fn set_reach(&self, address: IpAddr, reach: Reach) {
        self.lock().reach.insert(address, reach);
    }

    /// From now on a man in the middle sits on every connection to this address.
    pub fn intercept(&self, address: IpAddr, how: Interception) -> Interceptor {
        let interceptor = Interceptor::new(how);
        self.lock()
            .interceptors
            .insert(address, interceptor.clone());
        interceptor
    }

    /// The man in the middle goes away; connections that he holds stay his.
    pub fn leave_alone(&self, address: IpAddr) {
        self.lock().interceptors.remove(&address);
    }

    /// Asked once for each connection: when does it break?
    pub fn set_lifetimes(&self, lifetimes: impl FnMut() -> Lifetime + Send + 'static) {
        self.lock().lifetimes = Some(Box::new(lifetimes));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, mut at: SocketAddr) -> io::Result<Listener> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        if at.port() == 0 {
            at.set_port(state.fresh_port());
        }
        // A listener that was dropped has left its sender behind.
        if state
            .listeners
            .get(&at)
            .is_some_and(|sender| !sender.is_closed())
        {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.listeners.insert(at, sender);
        Ok(Listener::new(SimulatedListener {
            at,
            receiver: AsyncMutex::new(receiver),
        }))
    }

    async fn connect(&self, from: IpAddr, to: SocketAddr) -> io::Result<Stream> {
        let interceptor = self.lock().interceptors.get(&to.ip()).cloned();
        let Some(interceptor) = interceptor else {
            return self.connect_straight(from, to).await;
        };
        self.clock.after(limits::CONNECT_DELAY).await;
        let (near, far) = line::pair(Lifetime::Unbounded);
        let local = SocketAddr::new(from, self.lock().fresh_port());
        let held = interceptor.hold(self.clone(), Stream::new(far, to, local));
        tokio::spawn(held);
        Ok(Stream::new(near, local, to))
    }

    async fn connect_straight(&self, from: IpAddr, to: SocketAddr) -> io::Result<Stream> {
        self.clock.after(limits::CONNECT_DELAY).await;
        let reach = self
            .lock()
            .reach
            .get(&to.ip())
            .copied()
            .unwrap_or(Reach::Up);
        match reach {
            Reach::Up => {}
            Reach::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
            Reach::Unreachable => return Err(io::ErrorKind::HostUnreachable.into()),
            Reach::Silent => std::future::pending().await,
        }
        let mut state = self.lock();
        let lifetime = state
            .lifetimes
            .as_mut()
            .map_or(Lifetime::Unbounded, |draw| draw());
        let local = SocketAddr::new(from, state.fresh_port());
        let listener = state.listeners.get(&to).cloned();
        drop(state);
        let (near, far) = line::pair(lifetime);
        let accepted =
            listener.and_then(|listener| listener.send(Stream::new(far, to, local)).ok());
        match accepted {
            Some(()) => Ok(Stream::new(near, local, to)),
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

impl State {
    fn fresh_port(&mut self) -> u16 {
        self.next_port = match self.next_port {
            0 | u16::MAX => 20_000,
            port => port + 1,
        };
        self.next_port
    }
}

pub struct HostNet {
    network: Network,
    addresses: Vec<IpAddr>,
}

impl Net for HostNet {
    fn listen(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Listener>> {
        Box::pin(async move { self.network.listen(at) })
    }

    fn connect(&self, from: Option<IpAddr>, to: SocketAddr) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            let of_family = |address: &&IpAddr| address.is_ipv4() == to.is_ipv4();
            let from = from.or_else(|| self.addresses.iter().find(of_family).copied());
            let from = from.ok_or(io::ErrorKind::NetworkUnreachable)?;
            if !self.addresses.contains(&from) {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            self.network.connect(from, to).await
        })
    }
}

struct SimulatedListener {
    at: SocketAddr,
    receiver: AsyncMutex<mpsc::UnboundedReceiver<Stream>>,
}

impl Accept for SimulatedListener {
    fn accept(&self) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            let stream = self.receiver.lock().await.recv().await;
            stream.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
        })
    }

    fn local_addr(&self) -> SocketAddr {
        self.at
    }
}
