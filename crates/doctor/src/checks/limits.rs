//! Where a check draws its line, with the reason.

pub const DAY: u64 = 24 * 60 * 60;
pub const HOUR: u64 = 60 * 60;

/// A signer that stopped is seen before the signatures run out: signers usually renew a week ahead.
pub const SIGNATURE_LEFT_MIN: u64 = 3 * DAY;
/// Renewing a domain by hand takes days when the registrar's mail is overlooked.
pub const REGISTRATION_LEFT_WARN: u64 = 30 * DAY;
pub const REGISTRATION_LEFT_ERROR: u64 = 7 * DAY;
/// Receivers distrust domains in their first month.
pub const DOMAIN_AGE_MIN: u64 = 30 * DAY;
/// Shorter is asked again and again; longer keeps mistakes for days.
pub const TTL_MIN: u32 = 300;
pub const TTL_MAX: u32 = 86_400;
/// RFC 1912 2.2: a secondary keeps serving for two to four weeks.
pub const SOA_EXPIRE_MIN: u32 = 604_800;
/// Negative answers kept longer hide a record that was just published (RFC 2308 5).
pub const SOA_NEGATIVE_MAX: u32 = 86_400;

/// ACME certificates are renewed a month ahead: three weeks left says that renewing fails.
pub const CERTIFICATE_LEFT_WARN: u64 = 21 * DAY;
pub const CERTIFICATE_LEFT_ERROR: u64 = 7 * DAY;
pub const RSA_BITS_MIN: u16 = 2048;

/// RFC 7208 4.6.4.
pub const SPF_LOOKUPS_MAX: usize = 10;
pub const SPF_VOID_MAX: usize = 2;
/// One UDP answer of 512 bytes holds about so much.
pub const SPF_BYTES_MAX: usize = 450;
/// RFC 8301 3.2.
pub const DKIM_BITS_MIN: u16 = 1024;
pub const DKIM_BITS_GOOD: u16 = 2048;
/// Keys are changed once a year.
pub const DKIM_AGE_MAX: u64 = 400 * DAY;
/// Six weeks of reports show whether all mail passes.
pub const DMARC_NONE_MAX: u64 = 42 * DAY;
pub const DMARC_TESTING_MAX: u64 = 30 * DAY;
/// Big receivers report daily: a week of silence is a fault.
pub const REPORT_SILENCE_MAX: u64 = 7 * DAY;
/// A short policy is forgotten before an attacker is gone (RFC 8461 10.2).
pub const STS_AGE_MIN: u32 = 86_400;
pub const STS_TESTING_MAX: u64 = 28 * DAY;

/// Gmail counts 5,000 a day once as bulk sender for ever: warned well before.
pub const GMAIL_DAY_WARN: u32 = 3_000;
pub const GMAIL_DAY_ERROR: u32 = 4_500;
/// Google: stay under 0.1 %, never reach 0.3 %.
pub const COMPLAINTS_WARN: f64 = 0.001;
pub const COMPLAINTS_ERROR: f64 = 0.003;
pub const BOUNCES_WARN: f64 = 0.02;
pub const BOUNCES_ERROR: f64 = 0.05;
/// Few messages say little: shares are judged from here on.
pub const SHARE_COUNT_MIN: u32 = 50;

pub const DISK_FREE_WARN: f64 = 0.30;
pub const DISK_FREE_ERROR: f64 = 0.15;
pub const MEMORY_FREE_WARN: f64 = 0.20;
pub const MEMORY_FREE_ERROR: f64 = 0.10;
/// Clock: DKIM, TLS and one-time passwords suffer in this order.
pub const CLOCK_WARN_MILLIS: u64 = 5_000;
pub const CLOCK_ERROR_MILLIS: u64 = 60_000;
pub const QUEUE_AGE_WARN: u64 = 4 * HOUR;
pub const QUEUE_AGE_ERROR: u64 = DAY;
pub const BACKUP_AGE_WARN: u64 = 26 * HOUR;
pub const BACKUP_AGE_ERROR: u64 = 7 * DAY;
pub const RESTORE_TEST_MAX: u64 = 90 * DAY;
pub const ALERT_TEST_MAX: u64 = 30 * DAY;
/// SNDS links end after 30 days, access after ten months.
pub const SNDS_LINK_MAX: u64 = 30 * DAY;
pub const SNDS_ACCESS_MAX: u64 = 300 * DAY;
