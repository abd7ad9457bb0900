//! `[filters]`: programs of others that look at messages before they are taken.

use std::time::Duration;

use mta::{Filter, FilterAddress, FilterDoors, FilterSettings, WhenTooLarge, WhenUnavailable};
use serde_json::{Value, json};

use super::reader::Reader;

/// More wait for one another for minutes.
const MILTERS_MAX: usize = 20;

const ADDRESS_WANTED: &str = "use \"unix:/run/clamav/clamd.ctl\" or \"127.0.0.1:11332\"";

pub(super) fn read(table: &mut Reader<'_>, filters: &mut FilterSettings) {
    let otherwise = Choices {
        unavailable: when_unavailable(table).unwrap_or_default(),
        too_large: when_too_large(table).unwrap_or_default(),
    };
    let mut scanners = Vec::new();
    table.each_entry("clamd", "at", |table| {
        scanners.extend(one(table, Some("clamd"), otherwise));
    });
    if scanners.len() > 1 {
        table.bad("clamd", "one is asked; take the others out");
    }
    filters.clamd = scanners.into_iter().next();
    table.each_entry("milters", "at", |table| {
        filters.milters.extend(one(table, None, otherwise));
    });
    let mut names: Vec<&str> = filters
        .milters
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    names.extend(filters.clamd.as_ref().map(|one| one.name.as_str()));
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    if twice {
        table.bad(
            "milters",
            "two filters have the same name: give each its own `name`",
        );
    }
    if MILTERS_MAX < filters.milters.len() {
        table.bad("milters", "no more than 20 are asked one after another");
    }
}

/// What holds for filters that do not say otherwise.
#[derive(Clone, Copy)]
struct Choices {
    unavailable: WhenUnavailable,
    too_large: WhenTooLarge,
}

/// An address, or a table with it and what is chosen for this filter.
fn one(table: &mut Reader<'_>, name: Option<&str>, otherwise: Choices) -> Option<Filter> {
    let at = address(table, "at");
    let name = match name {
        Some(name) => Some(name.to_owned()),
        None => table.string("name"),
    };
    let doors = table.choice(
        "doors",
        &[
            ("both", FilterDoors::Both),
            ("inbound", FilterDoors::Inbound),
            ("submission", FilterDoors::Submission),
        ],
    );
    let unavailable = when_unavailable(table);
    let too_large = when_too_large(table);
    let patience = table.size("patience_secs");
    let Some(at) = at else {
        if !table.has("at") {
            table.missing("at", ADDRESS_WANTED);
        }
        return None;
    };
    Some(Filter {
        name: name.unwrap_or_else(|| at.to_string()),
        at,
        doors: doors.unwrap_or(FilterDoors::Both),
        when_unavailable: unavailable.unwrap_or(otherwise.unavailable),
        when_too_large: too_large.unwrap_or(otherwise.too_large),
        patience: patience.map_or(mta::limits::FILTER_PATIENCE, |secs| {
            Duration::from_secs(secs as u64).min(mta::limits::FILTERS_PATIENCE)
        }),
    })
}

fn when_unavailable(table: &mut Reader<'_>) -> Option<WhenUnavailable> {
    table.choice(
        "when_unavailable",
        &[
            ("defer", WhenUnavailable::Defer),
            ("pass", WhenUnavailable::Pass),
        ],
    )
}

fn when_too_large(table: &mut Reader<'_>) -> Option<WhenTooLarge> {
    table.choice(
        "when_too_large",
        &[
            ("pass", WhenTooLarge::Pass),
            ("refuse", WhenTooLarge::Refuse),
            ("defer", WhenTooLarge::Defer),
        ],
    )
}

fn address(table: &mut Reader<'_>, key: &'static str) -> Option<FilterAddress> {
    let text = table.string(key)?;
    let address = FilterAddress::parse(&text);
    if address.is_none() {
        table.bad(key, ADDRESS_WANTED);
    }
    address
}

/// As `config show` prints it.
pub(super) fn describe(filters: &FilterSettings) -> Value {
    let all = |filter: &Filter| {
        json!({
            "name": filter.name,
            "at": filter.at.to_string(),
            "doors": match filter.doors {
                FilterDoors::Both => "both",
                FilterDoors::Inbound => "inbound",
                FilterDoors::Submission => "submission",
            },
            "when_unavailable": match filter.when_unavailable {
                WhenUnavailable::Defer => "defer",
                WhenUnavailable::Pass => "pass",
            },
            "when_too_large": match filter.when_too_large {
                WhenTooLarge::Pass => "pass",
                WhenTooLarge::Refuse => "refuse",
                WhenTooLarge::Defer => "defer",
            },
            "patience_secs": filter.patience.as_secs(),
        })
    };
    json!({
        "clamd": filters.clamd.as_ref().map(all),
        "milters": filters.milters.iter().map(all).collect::<Vec<_>>(),
    })
}
