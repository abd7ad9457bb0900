//! The files that `quickstart` and `setup` write: short, commented, and meant to be read.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// What `setup` puts into the file; what is at its default is left out.
pub struct ForSetup<'a> {
    pub hostname: &'a str,
    pub public: &'a [IpAddr],
    pub listen: Option<IpAddr>,
    pub port_offset: u16,
    pub resolvers: &'a [SocketAddr],
    pub acme: Option<&'a str>,
    pub contact: &'a str,
    pub roots: Option<PathBuf>,
    pub outbound_port: u16,
    pub relay: Option<&'a str>,
    pub relay_password_file: Option<PathBuf>,
}

/// Where mail servers listen (RFC 5321).
const SMTP_PORT: u16 = 25;

pub fn for_setup(values: &ForSetup<'_>) -> String {
    let text = |value: &str| toml::Value::from(value).to_string();
    let list = |values: Vec<String>| toml::Value::from(values).to_string();
    let mut out = format!(
        "# Postroad's settings. `postroad config check` looks for mistakes, `postroad config show` lists everything.\n\
         # Domains, accounts and aliases are not here: see `postroad --help`.\n\n\
         # The name that the public address of this host resolves to, and back.\n\
         hostname = {}\n",
        text(values.hostname)
    );
    if !values.public.is_empty() {
        let all = values.public.iter().map(ToString::to_string).collect();
        out.push_str("# What the world sees, where a router stands between.\n");
        out.push_str(&format!("public_addresses = {}\n", list(all)));
    }
    let mut table = |name: &str, lines: Vec<Option<String>>| {
        let lines: Vec<String> = lines.into_iter().flatten().collect();
        if !lines.is_empty() {
            out.push_str(&format!("\n[{name}]\n{}\n", lines.join("\n")));
        }
    };
    let port =
        |name: &str, port: u16, default: u16| (port != default).then(|| format!("{name} = {port}"));
    let address = values
        .listen
        .map(|listen| format!("address = {}", text(&listen.to_string())));
    table(
        "listen",
        vec![address, port("port_offset", values.port_offset, 0)],
    );
    let resolvers = values
        .resolvers
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    let resolvers = (!resolvers.is_empty()).then(|| format!("resolvers = {}", list(resolvers)));
    table("dns", vec![resolvers]);
    let path = |name: &str, path: &PathBuf| format!("{name} = {}", text(&path.to_string_lossy()));
    table(
        "tls",
        vec![
            values.acme.map(|acme| format!("acme = {}", text(acme))),
            values
                .acme
                .map(|_| format!("contact = {}", text(values.contact))),
            values.roots.as_ref().map(|roots| path("roots", roots)),
        ],
    );
    table(
        "outbound",
        vec![
            port("port", values.outbound_port, SMTP_PORT),
            values.relay.map(|relay| format!("relay = {}", text(relay))),
            values
                .relay_password_file
                .as_ref()
                .map(|file| path("relay_password_file", file)),
        ],
    );
    out
}

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
