//! AUTH PLAIN and LOGIN of a scripted server (RFC 4954, RFC 4616).

use std::io;

use super::input::Input;

pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// Talks until the credentials are known; `None` for what it does not understand.
pub(super) async fn ask(input: &mut Input, arguments: &str) -> io::Result<Option<Credentials>> {
    let (mechanism, initial) = arguments.split_once(' ').unwrap_or((arguments, ""));
    if mechanism.eq_ignore_ascii_case("PLAIN") {
        let response = match initial {
            "" => prompt(input, "334 \r\n").await?,
            initial => initial.to_owned(),
        };
        let Some(bytes) = decode(&response) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut parts = text.split('\0').skip(1).map(str::to_owned);
        return Ok(match (parts.next(), parts.next()) {
            (Some(user), Some(password)) => Some(Credentials { user, password }),
            _ => None,
        });
    }
    if mechanism.eq_ignore_ascii_case("LOGIN") {
        let user = prompt(input, "334 VXNlcm5hbWU6\r\n").await?;
        let password = prompt(input, "334 UGFzc3dvcmQ6\r\n").await?;
        let text = |response: &str| {
            decode(response).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        return Ok(match (text(&user), text(&password)) {
            (Some(user), Some(password)) => Some(Credentials { user, password }),
            _ => None,
        });
    }
    Ok(None)
}

async fn prompt(input: &mut Input, text: &str) -> io::Result<String> {
    input.say(text).await?;
    input.line().await
}

/// Base64 with padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if 8 <= count {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
