//! The `_smtp._tls` TXT record: where a domain wants to hear how TLS to its mail hosts fared. RFC 8460 §3.

/// Addresses of one record that are looked at.
const DESTINATIONS_MAX: usize = 10;

/// Where reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In the order of the record, without what we cannot serve. Never empty.
    pub rua: Vec<Destination>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    Mail(mail::Address),
    /// An `https:` URI, as it stands.
    Https(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("there are several TLS reporting records")]
    Several,
    #[error("the TLS reporting record names no address that can be used")]
    NoAddress,
    #[error("the TLS reporting record is malformed")]
    Malformed,
}

/// Where the record of a domain stands.
pub fn record_name(domain: &str) -> String {
    format!("_smtp._tls.{domain}")
}

impl Record {
    /// From the TXT records of the name, the strings of each joined. Several are none.
    pub fn of_texts(
        texts: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Option<Self>, RecordError> {
        let mut found = None;
        for text in texts {
            let text = text.as_ref();
            let Some(rest) = text.strip_prefix(b"v=TLSRPTv1") else {
                continue;
            };
            if !rest.trim_ascii_start().starts_with(b";") {
                continue;
            }
            let text = std::str::from_utf8(rest).map_err(|_| RecordError::Malformed)?;
            if found.replace(text.to_owned()).is_some() {
                return Err(RecordError::Several);
            }
        }
        found.map(|text| Self::parse(&text)).transpose()
    }

    fn parse(text: &str) -> Result<Self, RecordError> {
        let mut rua = None;
        for field in text
            .split(';')
            .map(str::trim)
            .filter(|field| !field.is_empty())
        {
            let (name, value) = field.split_once('=').ok_or(RecordError::Malformed)?;
            if name.trim() == "rua" && rua.replace(value).is_some() {
                return Err(RecordError::Malformed);
            }
        }
        let rua: Vec<Destination> = rua
            .ok_or(RecordError::NoAddress)?
            .split(',')
            .take(DESTINATIONS_MAX)
            .filter_map(|uri| Destination::parse(uri.trim()))
            .collect();
        if rua.is_empty() {
            return Err(RecordError::NoAddress);
        }
        Ok(Self { rua })
    }
}

impl Destination {
    fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        if scheme.eq_ignore_ascii_case("mailto") {
            // Parameters of a mailto URI are of no use to a report.
            let address = rest.split('?').next().unwrap_or_default();
            return mail::Address::parse(&unescape(address)?)
                .ok()
                .map(Self::Mail);
        }
        let sound = scheme.eq_ignore_ascii_case("https")
            && rest.starts_with("//")
            && rest.len() > 2
            && rest.bytes().all(|b| b.is_ascii_graphic());
        sound.then(|| Self::Https(uri.to_owned()))
    }
}

/// RFC 3986 §2.1; a comma, semicolon or exclamation mark in an address must be written so.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests;
