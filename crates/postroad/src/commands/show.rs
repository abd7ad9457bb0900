//! Times, sizes and their like, for people and for programs.

use mail::UnixMillis;

/// RFC 3339 in UTC, to the second for people and programs alike.
pub fn time(at: UnixMillis) -> String {
    // Out of range only for times before the year -9999 or after 9999.
    jiff::Timestamp::from_second(at.0.div_euclid(1000))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// `in 5m`, `3h ago`, `now`.
pub fn relative(at: UnixMillis, now: UnixMillis) -> String {
    let secs = (at.0 - now.0) / 1000;
    let span = span(secs.unsigned_abs());
    match secs {
        -4..=4 => "now".to_owned(),
        5.. => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

fn span(secs: u64) -> String {
    match secs {
        0..=119 => format!("{secs}s"),
        120..=7199 => format!("{}m", rounded(secs, 60)),
        7200..=172_799 => format!("{}h", rounded(secs, 3600)),
        _ => format!("{}d", rounded(secs, 86_400)),
    }
}

/// What ends in a week but for a second ends in seven days.
fn rounded(secs: u64, unit: u64) -> u64 {
    (secs + unit / 2) / unit
}

/// `1.5 MB`, in powers of 1000 as disks are sold.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut shown = "B";
    for unit in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        shown = unit;
    }
    if value < 10.0 {
        format!("{value:.1} {shown}")
    } else {
        format!("{value:.0} {shown}")
    }
}

/// `500M`, `2GB`, `1.5 TB`, `none`: a quota as people write it.
pub fn parse_quota(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if matches!(text.to_ascii_lowercase().as_str(), "none" | "unlimited") {
        return Ok(None);
    }
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        "ki" => 1024.0,
        "mi" => 1024.0 * 1024.0,
        "gi" => 1024.0 * 1024.0 * 1024.0,
        "ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(format!("{text:?} is not a size, such as 500M, 2G or none")),
    };
    match number.parse::<f64>() {
        // Above 2^63 no database counts.
        Ok(number) if 1.0 <= number * factor && number * factor < 9e18 => {
            Ok(Some((number * factor) as u64))
        }
        _ => Err(format!("{text:?} is not a size, such as 500M, 2G or none")),
    }
}

#[cfg(test)]
mod tests;
