//! Bounds of this room, each with its reason.

use std::time::Duration;

/// Connections at once. Each costs some ten kilobytes, most of it for TLS.
pub const CONNECTIONS_MAX: usize = 512;

/// From one request's end (or the handshake) to the end of the next one's header. Browsers and policy
/// fetchers send at once; whoever dribbles is not one.
pub const HEADER_PATIENCE: Duration = Duration::from_secs(20);

/// A whole connection, however many requests it carries. Nothing here takes long to send.
pub const CONNECTION_LIFETIME: Duration = Duration::from_secs(300);

/// A TLS handshake is a few round trips and two signatures.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(20);

/// After a stop is asked for, the request under way gets so long.
pub const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A request's header: browsers stay far below, and hyper answers 431 to more.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
pub const HEADER_FIELDS_MAX: usize = 64;

/// How long others may go by a policy of ours. A week is what RFC 8461 §3.2 expects at least: shorter,
/// and a man in the middle waits it out; longer, and a mistake stays.
pub const POLICY_MAX_AGE: Duration = Duration::from_secs(7 * 86_400);

/// RFC 8461 §8.3: a policy that only undoes earlier ones need not be kept for long.
pub const POLICY_NONE_MAX_AGE: Duration = Duration::from_secs(86_400);

/// What comes with a request: an autodiscover question has some hundred bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// For it to come.
pub const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// A token that an authority looks for: RFC 8555 §8 asks for 128 bits at least, real ones have 43 bytes.
pub const TOKEN_BYTES_MAX: usize = 128;
