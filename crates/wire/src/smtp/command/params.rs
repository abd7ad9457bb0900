//! What may follow the path in MAIL and RCPT: SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH, REQUIRETLS,
//! NOTIFY, ORCPT.

use super::{BadCommand, BadKind, EnhancedCode, arguments, bad};
use crate::smtp::{Body, MailParams, Notify, OriginalRecipient, RcptParams, Ret, decode_xtext};

/// More parameters than all extensions together define.
const PARAMS_MAX: usize = 16;

/// RFC 3461 §4.4: an ENVID has 100 characters at most.
const ENVID_BYTES_MAX: usize = 100;

/// RFC 3461 §4.2: ORCPT has 500 characters at most.
const ORCPT_BYTES_MAX: usize = 500;

/// RFC 1870 §4: a size has 20 digits at most; eighteen are enough to be too big.
const SIZE_DIGITS_MAX: usize = 20;

pub(super) fn parse_mail(rest: &str) -> Result<MailParams, BadCommand> {
    let mut params = MailParams::default();
    let mut seen = Seen::default();
    for (name, value) in pairs(rest)? {
        let name = seen.once(name)?;
        match (name.as_str(), value) {
            ("SIZE", Some(value)) => params.size = Some(size(value)?),
            ("BODY", Some(value)) => params.body = body(value)?,
            ("SMTPUTF8", None) => params.smtputf8 = true,
            ("RET", Some(value)) => params.ret = Some(ret(value)?),
            ("ENVID", Some(value)) => params.envid = Some(envid(value)?),
            ("AUTH", Some(value)) => {
                params.auth =
                    Some(decode_xtext(value).ok_or_else(|| arguments("AUTH= is not xtext"))?);
            }
            ("REQUIRETLS", None) => params.require_tls = true,
            ("SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH" | "REQUIRETLS", _) => {
                return Err(shape());
            }
            _ => return Err(unknown()),
        }
    }
    Ok(params)
}

pub(super) fn parse_rcpt(rest: &str) -> Result<RcptParams, BadCommand> {
    let mut params = RcptParams::default();
    let mut seen = Seen::default();
    for (name, value) in pairs(rest)? {
        let name = seen.once(name)?;
        match (name.as_str(), value) {
            ("NOTIFY", Some(value)) => params.notify = Some(notify(value)?),
            ("ORCPT", Some(value)) => params.orcpt = Some(orcpt(value)?),
            ("NOTIFY" | "ORCPT", None) => return Err(shape()),
            _ => return Err(unknown()),
        }
    }
    Ok(params)
}

/// The names seen so far: each may come once.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn once(&mut self, name: &str) -> Result<String, BadCommand> {
        let name = name.to_ascii_uppercase();
        if self.0.contains(&name) {
            return Err(arguments("A parameter is given twice"));
        }
        self.0.push(name.clone());
        Ok(name)
    }
}

fn pairs(rest: &str) -> Result<Vec<(&str, Option<&str>)>, BadCommand> {
    let words = rest.split(' ').filter(|word| !word.is_empty());
    let pairs: Vec<_> = words
        .take(PARAMS_MAX + 1)
        .map(|word| {
            word.split_once('=')
                .map_or((word, None), |(name, value)| (name, Some(value)))
        })
        .collect();
    let sound = |(name, value): &(&str, Option<&str>)| {
        let name_sound = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        name_sound
            && value.is_none_or(|value| !value.is_empty() && !value.chars().any(char::is_control))
    };
    if pairs.len() > PARAMS_MAX || !pairs.iter().all(sound) {
        return Err(shape());
    }
    Ok(pairs)
}

fn size(value: &str) -> Result<u64, BadCommand> {
    if value.len() > SIZE_DIGITS_MAX || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(arguments("SIZE= is not a number"));
    }
    // What overflows is too big for any server: say so when the size is judged, not here.
    Ok(value.parse().unwrap_or(u64::MAX))
}

fn body(value: &str) -> Result<Body, BadCommand> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(Body::SevenBit),
        "8BITMIME" => Ok(Body::EightBitMime),
        "BINARYMIME" => Ok(Body::BinaryMime),
        _ => Err(arguments("BODY= is 7BIT, 8BITMIME or BINARYMIME")),
    }
}

fn ret(value: &str) -> Result<Ret, BadCommand> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(arguments("RET= is FULL or HDRS")),
    }
}

fn envid(value: &str) -> Result<String, BadCommand> {
    let text = if value.len() > ENVID_BYTES_MAX {
        None
    } else {
        decode_xtext(value)
    };
    text.filter(|text| text.is_ascii())
        .ok_or_else(|| arguments("ENVID= is not xtext, or too long"))
}

fn notify(value: &str) -> Result<Notify, BadCommand> {
    let wrong = || arguments("NOTIFY= is NEVER, or a list of SUCCESS, FAILURE, DELAY");
    let value = value.to_ascii_uppercase();
    if value == "NEVER" {
        return Ok(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let flag = match word {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return Err(wrong()),
        };
        if std::mem::replace(flag, true) {
            return Err(wrong());
        }
    }
    Ok(Notify::On {
        success,
        failure,
        delay,
    })
}

fn orcpt(value: &str) -> Result<OriginalRecipient, BadCommand> {
    let wrong = || arguments("ORCPT= is type;xtext");
    let (kind, address) = value.split_once(';').ok_or_else(wrong)?;
    let kind_sound = !kind.is_empty()
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !kind_sound || value.len() > ORCPT_BYTES_MAX {
        return Err(wrong());
    }
    let address = decode_xtext(address)
        .filter(|address| !address.is_empty())
        .ok_or_else(wrong)?;
    Ok(OriginalRecipient {
        address_type: kind.to_ascii_lowercase(),
        address,
    })
}

fn shape() -> BadCommand {
    arguments("A parameter is malformed")
}

/// RFC 5321 §4.1.1.11.
fn unknown() -> BadCommand {
    bad(
        BadKind::Arguments,
        555,
        EnhancedCode(5, 5, 4),
        "A parameter is not one we offer",
    )
}
