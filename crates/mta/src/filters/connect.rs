//! The way to a filter.

use std::time::Instant;

use world::Stream;

use super::{Down, Filter, FilterAddress};
use crate::{Inner, limits};

pub(super) async fn open(inner: &Inner, filter: &Filter, until: Instant) -> Result<Stream, Down> {
    let net = &inner.world.net;
    let connecting = async {
        match &filter.at {
            FilterAddress::Local(path) => net.connect_local(path).await,
            FilterAddress::Internet(address) => net.connect(None, *address).await,
        }
    };
    let until = until.min(inner.world.now() + limits::FILTER_CONNECT_PATIENCE);
    match inner.world.tasks.deadline(until, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Down::Unreachable(error.to_string())),
        Err(_) => Err(Down::Late),
    }
}
