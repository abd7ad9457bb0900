//! The service unit: the server as a user of its own that can open low ports and write its data, and nothing else. Pure.

use std::path::Path;

/// The user that owns the data and runs the server.
pub(super) const USER: &str = "postroad";

/// `named` is the directory where the program must be told it.
pub(super) fn text(program: &Path, data: &Path, named: Option<&Path>) -> String {
    // Homes are not seen at all, unless the data lie in one.
    let homes = match data.starts_with("/home") || data.starts_with("/root") {
        true => "read-only",
        false => "yes",
    };
    let named = named.map_or_else(String::new, |named| {
        format!(" --data \"{}\"", named.display())
    });
    let (program, data) = (program.display(), data.display());
    format!(
        r#"# Made by `postroad setup`. Changes of your own: systemctl edit postroad
[Unit]
Description=Postroad mail server
Documentation=https://www.rfc-editor.org/info/std10
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart="{program}"{named} serve
ExecReload=/bin/kill -HUP $MAINPID
User={USER}
Group={USER}
Restart=always
RestartSec=2
TimeoutStopSec=60
LimitNOFILE=524288
UMask=0077

# Low ports, and nothing else that root may.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

# The system is read-only but for the data.
ProtectSystem=strict
ReadWritePaths="{data}"
ProtectHome={homes}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RemoveIPC=yes

# The kernel is asked for what a mail server needs.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"#
    )
}
