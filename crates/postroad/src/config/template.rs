//! The file that `quickstart` writes: short, commented, and meant to be read.

use std::net::IpAddr;

/// At most twenty lines.
pub fn for_quickstart(hostname: &str, address: IpAddr, port_offset: u16) -> String {
    format!(
        r#"# Postroad's settings. `postroad config check` looks for mistakes, `postroad config show` lists everything.
# Domains, accounts and aliases are not here: see `postroad --help`.

# The name of this host. For a real host: the name that its public address resolves to, and back.
hostname = "{hostname}"

[listen]
# For a real host: address = ["0.0.0.0", "::"] and no port_offset.
address = "{address}"
# Added to every standard port: SMTP is {smtp}, IMAP with TLS is {imaps}.
port_offset = {port_offset}

# [tls]                                  # without it a self-signed certificate is used
# certificate = "/etc/ssl/mail.pem"      # or: certificates = "/etc/ssl/mail", a directory of NAME.crt, NAME.key
# key = "/etc/ssl/mail.key"

# [outbound]                             # when port 25 is closed on the way out
# relay = "smtps://user@relay.example:465"
# relay_password_file = "relay-password"
"#,
        smtp = u32::from(port_offset) + 25,
        imaps = u32::from(port_offset) + 993,
    )
}
