//! Who logged in, when, how and from where: rows of days, and the networks an account is known from.

use std::net::IpAddr;

use mail::UnixMillis;

use super::network::IpNetwork;
use crate::engine::Param;
use crate::{AccountId, StoreError, View};

/// What the sign-ins of an account tell about a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignInFacts {
    /// When the account was first logged in to from the peer's network (/24, /48).
    pub first_from_here: Option<UnixMillis>,
    /// When it was first logged in to at all, as far as is remembered.
    pub first_ever: Option<UnixMillis>,
    /// The account is known from elsewhere for longer, and from here for less than a day.
    pub is_new_network: bool,
    /// Different networks of the last hour, and of the last day.
    pub networks_in_last_hour: u32,
    pub networks_in_last_day: u32,
}

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

impl View<'_> {
    /// What the sign-ins of an account tell about a peer that acts for it now.
    pub fn sign_in_facts(
        &self,
        account: AccountId,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<SignInFacts, StoreError> {
        let here = IpNetwork::place(peer).to_string();
        let sql = "SELECT network, first, last FROM sign_in_network WHERE account = ?1";
        let mut facts = SignInFacts::default();
        self.sql.each(sql, &[Param::Int(account.0)], |row| {
            let (first, last) = (row.int(1)?, row.int(2)?);
            if row.text(0)? == here {
                facts.first_from_here = Some(UnixMillis(first));
            }
            let ever = facts.first_ever.map_or(first, |ever| ever.0.min(first));
            facts.first_ever = Some(UnixMillis(ever));
            facts.networks_in_last_hour += u32::from(now.0 - HOUR_MILLIS <= last);
            facts.networks_in_last_day += u32::from(now.0 - DAY_MILLIS <= last);
            Ok(())
        })?;
        let since = facts.first_from_here.unwrap_or(now);
        facts.is_new_network = now.0 - since.0 < DAY_MILLIS
            && facts
                .first_ever
                .is_some_and(|ever| ever.0 + DAY_MILLIS <= since.0);
        Ok(facts)
    }
}
