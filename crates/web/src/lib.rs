//! The HTTP front: policy files for others, and later pages and the API.
//! Meets the rest of the house at the store.

mod answer;
pub mod client_setup;
pub mod limits;
pub mod mta_sts;
mod route;
mod serve;

use std::fmt;
use std::sync::Arc;

use store::Store;
use tokio::sync::Semaphore;
use world::World;

/// What the machine's configuration says about us.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// The name of this host: what the MX records of our domains point at.
    pub hostname: mail::Domain,
    /// Further names of hosts that take mail for our domains, as they stand in their MX records.
    pub more_mx: Vec<mail::Domain>,
    /// What mail programs are told.
    pub services: client_setup::ClientServices,
}

/// Serves web connections. Clones are the same server.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    store: Store,
    settings: WebSettings,
    places: Arc<Semaphore>,
}

impl Web {
    pub fn new(world: World, store: Store, settings: WebSettings) -> Self {
        let inner = Inner {
            world,
            store,
            settings,
            places: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl WebSettings {
    /// The MX hosts of a policy for any of our domains.
    pub fn mx(&self) -> Vec<&mail::Domain> {
        let mut mx = vec![&self.hostname];
        mx.extend(&self.more_mx);
        mx
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Web")
    }
}
