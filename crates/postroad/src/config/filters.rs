//! `[filters]`: programs of others that look at messages before they are taken.

use std::time::Duration;

use mta::{Filter, FilterAddress, FilterDoors, FilterSettings, WhenUnavailable};
use serde_json::{Value, json};

use super::reader::Reader;

/// More wait for one another for minutes.
const MILTERS_MAX: usize = 20;

const ADDRESS_WANTED: &str = "use \"unix:/run/clamav/clamd.ctl\" or \"127.0.0.1:11332\"";

pub(super) fn read(table: &mut Reader<'_>, filters: &mut FilterSettings) {
    let when_unavailable = when(table).unwrap_or_default();
    filters.clamd = address(table, "clamd").map(|at| Filter {
        name: "clamd".to_owned(),
        at,
        doors: FilterDoors::Both,
        when_unavailable,
        patience: mta::limits::FILTER_PATIENCE,
    });
    table.each_entry("milters", "at", |table| {
        let at = address(table, "at");
        let name = table.string("name");
        let doors = table.choice(
            "doors",
            &[
                ("both", FilterDoors::Both),
                ("inbound", FilterDoors::Inbound),
                ("submission", FilterDoors::Submission),
            ],
        );
        let own = when(table);
        let patience = table.size("patience_secs");
        let Some(at) = at else {
            if !table.has("at") {
                table.missing("at", ADDRESS_WANTED);
            }
            return;
        };
        filters.milters.push(Filter {
            name: name.unwrap_or_else(|| at.to_string()),
            at,
            doors: doors.unwrap_or(FilterDoors::Both),
            when_unavailable: own.unwrap_or(when_unavailable),
            patience: patience.map_or(mta::limits::FILTER_PATIENCE, |secs| {
                Duration::from_secs(secs as u64).min(mta::limits::FILTERS_PATIENCE)
            }),
        });
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

fn when(table: &mut Reader<'_>) -> Option<WhenUnavailable> {
    table.choice(
        "when_unavailable",
        &[
            ("defer", WhenUnavailable::Defer),
            ("pass", WhenUnavailable::Pass),
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
    let when = |filter: &Filter| match filter.when_unavailable {
        WhenUnavailable::Defer => "defer",
        WhenUnavailable::Pass => "pass",
    };
    let milter = |filter: &Filter| {
        json!({
            "name": filter.name,
            "at": filter.at.to_string(),
            "doors": match filter.doors {
                FilterDoors::Both => "both",
                FilterDoors::Inbound => "inbound",
                FilterDoors::Submission => "submission",
            },
            "when_unavailable": when(filter),
            "patience_secs": filter.patience.as_secs(),
        })
    };
    json!({
        "clamd": filters.clamd.as_ref().map(|filter| filter.at.to_string()),
        "when_unavailable": filters.clamd.as_ref().map_or("defer", when),
        "milters": filters.milters.iter().map(milter).collect::<Vec<_>>(),
    })
}
