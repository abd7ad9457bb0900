//! A Postroad host in the pocket internet: its store, its mail in and out, and what a test asks of it.
//! It can be stopped gracefully, killed like by a power cut, and started again on the same data.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mail::{Address, Domain, UnixMillis};
use mta::Mta;
use postroad::config::{Config, Listen, Service};
use postroad::{Ending, Running, Server};
use store::queue::Queued;
use store::{
    Durability, MailboxName, MtaStsMode, NewAccount, Store, StoreError, StoreSettings, Uid,
};
use world::{TlsServer, World};

use crate::authority::Validity;
use crate::client::{Client, Reply};
use crate::internet::Internet;
use crate::limits;
use crate::tasks::HostTasks;

/// Of every account that a test makes.
pub const PASSWORD: &str = "correct horse battery";

type Adjust = Box<dyn Fn(&mut Config)>;

/// A host in the making.
pub struct HostBuilder {
    internet: Internet,
    name: String,
    address: Option<IpAddr>,
    more_addresses: Vec<IpAddr>,
    domains: Vec<String>,
    accounts: Vec<String>,
    adjust: Vec<Adjust>,
    policies: bool,
    further_names: Vec<String>,
    validity: Validity,
}

impl HostBuilder {
    pub(crate) fn new(internet: Internet, name: &str) -> Self {
        Self {
            internet,
            name: name.to_owned(),
            address: None,
            more_addresses: Vec::new(),
            domains: Vec::new(),
            accounts: Vec::new(),
            adjust: Vec::new(),
            policies: false,
            further_names: Vec::new(),
            validity: Validity::Now,
        }
    }

    /// Names, certificates and DNS records for the MTA-STS policies of the domains.
    pub fn policies(mut self) -> Self {
        self.policies = true;
        self
    }

    /// A certificate for a further name; its DNS records are the test's business.
    pub fn certificate_for(mut self, name: &str) -> Self {
        self.further_names.push(name.to_owned());
        self
    }

    /// How good the host's own certificate is.
    pub fn certificate(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// Serves a domain, whose MX becomes this host.
    pub fn domain(mut self, domain: &str) -> Self {
        self.internet.domain(domain).mx(&self.name);
        self.domains.push(domain.to_owned());
        self
    }

    /// Makes an account with [`PASSWORD`] in one of the domains.
    pub fn account(mut self, address: &str) -> Self {
        self.accounts.push(address.to_owned());
        self
    }

    /// Its first address, where a scenario cares which; else a fresh one.
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// A further address, such as one of IPv6; it gets names too.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.more_addresses.push(address);
        self
    }

    /// Changes the config before the start, and before each start again.
    pub fn config(mut self, adjust: impl Fn(&mut Config) + 'static) -> Self {
        self.adjust.push(Box::new(adjust));
        self
    }

    pub async fn start(self) -> Host {
        let address = self
            .address
            .unwrap_or_else(|| self.internet.fresh_address());
        let mut addresses = vec![address];
        addresses.extend(&self.more_addresses);
        for address in &addresses {
            self.internet.zones().host(&self.name, *address);
        }
        let authority = self.internet.authority();
        let mut certificates = vec![authority.issue(&self.name, self.validity)];
        for name in &self.further_names {
            certificates.push(authority.issue(name, Validity::Now));
        }
        if self.policies {
            for domain in &self.domains {
                let name = format!("{}{domain}", web::mta_sts::HOST_PREFIX);
                certificates.push(authority.issue(&name, Validity::Now));
                self.internet.domain(&name).address(address);
            }
        }
        let tls = TlsServer::new(certificates).expect("one certificate is enough");
        let home = self.internet.home_of(&self.name);
        let host = Host {
            store: open(&self.internet, &home),
            running: None,
            internet: self.internet,
            name: self.name,
            addresses,
            home,
            tls: Arc::new(tls),
            adjust: self.adjust,
        };
        let now = UnixMillis::from(host.internet.wall());
        for domain in &self.domains {
            let parsed = Domain::parse(domain).expect("a test's domain is a domain");
            host.add_domain(parsed, now);
            if self.policies {
                host.publish_policy(domain);
            }
        }
        for account in self.accounts {
            let account = NewAccount {
                address: Address::parse(&account).expect("a test's address is an address"),
                name: account.split('@').next().unwrap_or_default().to_owned(),
                password: PASSWORD.to_owned(),
                quota: None,
            };
            host.store
                .add_account(account, now)
                .await
                .expect("the account can be made");
        }
        let mut host = host;
        host.run().await;
        host
    }
}

/// A host. Dropping it kills it.
pub struct Host {
    internet: Internet,
    name: String,
    addresses: Vec<IpAddr>,
    home: PathBuf,
    tls: Arc<TlsServer>,
    adjust: Vec<Adjust>,
    store: Store,
    running: Option<Process>,
}

/// What lives from one start to the next stop.
struct Process {
    world: World,
    tasks: Arc<HostTasks>,
    server: Running,
}

impl Host {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn address(&self) -> IpAddr {
        self.addresses[0]
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn mta(&self) -> &Mta {
        self.running().server.mta()
    }

    pub fn world(&self) -> &World {
        &self.running().world
    }

    /// Where a service listens.
    pub fn service(&self, service: Service) -> SocketAddr {
        let address = self.running().server.address(service);
        address.expect("every service is on")
    }

    /// Where strangers bring mail.
    pub fn mx(&self) -> SocketAddr {
        self.service(Service::Smtp)
    }

    /// Where users bring mail.
    pub fn submission(&self) -> SocketAddr {
        self.service(Service::Submission)
    }

    /// A user's message through the submission port, and its reply. `from` and `to` may carry
    /// parameters; the user is the address in `from`.
    pub async fn try_submit(&self, from: &str, to: &[&str], message: &str) -> Reply {
        let user = from
            .trim_start_matches('<')
            .split('>')
            .next()
            .unwrap_or(from)
            .to_owned();
        let mut client = self.user(&user).await;
        let reply = client.transact(from, to, message).await;
        let _ = client.say("QUIT").await;
        reply.expect("the submission port answers")
    }

    /// As [`Host::try_submit`] for a message that must be taken. A From field is added.
    pub async fn submit(&self, from: &str, to: &[&str], message: &str) {
        let user = from
            .trim_start_matches('<')
            .split('>')
            .next()
            .unwrap_or(from);
        let reply = self
            .try_submit(from, to, &format!("From: <{user}>\r\n{message}"))
            .await;
        assert_eq!(reply.code, 250, "{reply:?}");
    }

    /// A logged-in connection to the submission port.
    pub async fn user(&self, login: &str) -> Client {
        let mut client = self.internet.stranger(self.submission()).await;
        let reply = client
            .log_in(login, PASSWORD)
            .await
            .expect("a reply to AUTH");
        assert_eq!(reply.code, 235, "{reply:?}");
        client
    }

    /// A user may send more than any person does.
    pub fn allow_floods(&self, login: &str) {
        let address = Address::parse(login).expect("a test's address is an address");
        let limits = store::sending::SendingLimits {
            recipients: Some(1_000_000),
            first_time: Some(1_000_000),
            until: None,
        };
        let now = UnixMillis::from(self.internet.wall());
        let set = self.store.write_blocking(
            Durability::Durable,
            move |change| -> Result<(), StoreError> {
                let account = change.account_by_address(&address)?;
                let account = account.expect("the account is there");
                change.set_sending_limits(account.id, &limits, now)
            },
        );
        set.expect("the store can be written");
    }

    /// The messages in a user's INBOX, oldest first, without what is there for whoever runs the server.
    pub fn inbox(&self, address: &str) -> Vec<String> {
        let mut all = self.mailbox(address, MailboxName::inbox().as_str());
        all.retain(|message| !is_for_operator(message));
        all
    }

    /// What the server wrote to its operator, who reads the postmaster's mail.
    pub fn told_operator(&self, address: &str) -> Vec<String> {
        let mut all = self.mailbox(address, MailboxName::inbox().as_str());
        all.retain(|message| is_for_operator(message));
        all
    }

    /// The messages in a mailbox, oldest first.
    pub fn mailbox(&self, address: &str, mailbox: &str) -> Vec<String> {
        let address = Address::parse(address).expect("a test's address is an address");
        let mailbox = MailboxName::parse(mailbox).expect("a test's mailbox name is one");
        let stored = self
            .store
            .read_blocking(move |view| -> Result<_, StoreError> {
                let Some(account) = view.account_by_address(&address)? else {
                    return Ok(Vec::new());
                };
                let Some(mailbox) = view.mailbox_by_name(account.id, &mailbox)? else {
                    return Ok(Vec::new());
                };
                let mut all = Vec::new();
                let mut next = Uid::MIN;
                loop {
                    let some =
                        view.messages(account.id, mailbox.id, next..=Uid::MAX, usize::MAX)?;
                    let Some(last) = some.last() else {
                        return Ok(all);
                    };
                    next = Uid(last.placement.uid.0 + 1);
                    all.extend(some.iter().map(|stored| stored.body));
                }
            });
        let bodies = stored.expect("the store can be read");
        let read = |body: &store::BodyRef| {
            let bytes = self
                .store
                .body_blocking(body, 0..u64::MAX)
                .expect("the body is there");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        bodies.iter().map(read).collect()
    }

    /// Another wish for the TLS of those who send to a domain, and its new id in the DNS.
    pub fn set_policy(&self, domain: &str, mode: MtaStsMode) {
        let parsed = Domain::parse(domain).expect("a test's domain is a domain");
        let now = UnixMillis::from(self.internet.wall());
        let set = self
            .store
            .write_blocking(Durability::Durable, move |change| {
                change.set_mta_sts_mode(&parsed, mode, now)
            });
        set.expect("the domain is ours");
        self.publish_policy(domain);
    }

    fn publish_policy(&self, domain: &str) {
        let parsed = Domain::parse(domain).expect("a test's domain is a domain");
        let mode = self
            .store
            .read_blocking(move |view| view.mta_sts_mode(&parsed));
        let mode = mode.expect("the store can be read");
        let policy = web::mta_sts::policy_text(mode, &[&self.name]);
        let record = format!("_mta-sts.{domain}");
        self.internet.zones().clear(&record);
        let id = web::mta_sts::policy_id(&policy);
        let text = format!("v=STSv1; id={id}");
        self.internet.domain(&record).txt(&text);
    }

    /// What is in the queue.
    pub fn queue(&self) -> Vec<Queued> {
        let queue = self.store.read_blocking(|view| {
            let mut all = Vec::new();
            loop {
                let after = all.last().map(|queued: &Queued| queued.id);
                let some = view.queue(after, 1000)?;
                if some.is_empty() {
                    return Ok::<_, StoreError>(all);
                }
                all.extend(some);
            }
        });
        queue.expect("the store can be read")
    }

    /// Finishes what it does, and stops. The store is closed until the host starts again.
    pub async fn stop(&mut self) {
        let Some(process) = self.running.take() else {
            return;
        };
        let ending = process.server.stop(limits::STOP_PATIENCE).await;
        assert_eq!(ending, Ending::Clean, "{} does not stop", self.name);
        process.tasks.kill();
    }

    /// The power goes.
    pub fn kill(&mut self) {
        if let Some(process) = self.running.take() {
            process.tasks.kill();
        }
    }

    /// Starts again on the same data, after [`Host::stop`] or [`Host::kill`].
    pub async fn start_again(&mut self) {
        self.kill();
        // Killed tasks still hold the old store until they have been polled once more.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.store.close();
        self.store = open(&self.internet, &self.home);
        self.run().await;
    }

    async fn run(&mut self) {
        let tasks = Arc::new(self.internet.tasks());
        let world = self
            .internet
            .world_with(&self.name, self.addresses.clone(), tasks.clone());
        let config = self.server_config();
        let (store, tls) = (self.store.clone(), self.tls.clone());
        let server = Server::start(world.clone(), &config, store, tls).await;
        let server = server.expect("the server starts");
        for service in [Service::Http, Service::Https] {
            if let Some(at) = server.address(service) {
                let known = SocketAddr::new(at.ip(), service.standard_port());
                self.internet.open_door(known, at);
            }
        }
        self.running = Some(Process {
            world,
            tasks,
            server,
        });
    }

    /// What the server was started with.
    pub fn config(&self) -> Config {
        self.server_config()
    }

    /// The certificates that it shows.
    pub fn tls(&self) -> &Arc<TlsServer> {
        &self.tls
    }

    fn server_config(&self) -> Config {
        let mut config = Config::new(&self.name, &self.home);
        // Most scenarios want no visits but their own, and none wants to know of the disks of this machine.
        config.doctor.daily = false;
        config.doctor.machine = false;
        config.listen = self.listen();
        config.tls.cleartext_login = true;
        config.outbound.port = self.internet.mx_port();
        config.outbound.addresses = self.addresses.clone();
        let roots = self.home.join("roots.pem");
        std::fs::write(&roots, self.internet.authority().root_pem()).expect("a file can be made");
        config.tls.roots = Some(roots);
        for adjust in &self.adjust {
            adjust(&mut config);
        }
        config
    }

    /// The standard ports in simulated mode, free ones in real mode; mail always where the others look for it.
    fn listen(&self) -> Listen {
        if self.internet.is_simulated() {
            return Listen::on(&self.addresses, 0).expect("without offset all ports fit");
        }
        let mut listen = Listen::anywhere(self.address());
        let port = self.internet.mx_port();
        let doors = self
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port));
        listen.services.insert(Service::Smtp, doors.collect());
        listen
    }

    fn running(&self) -> &Process {
        self.running.as_ref().expect("the host runs")
    }

    fn add_domain(&self, domain: Domain, now: UnixMillis) {
        let added = self
            .store
            .write_blocking(store::Durability::Durable, move |change| {
                change.add_domain(&domain, now)
            });
        added.expect("the domain can be added");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

fn open(internet: &Internet, home: &Path) -> Store {
    std::fs::create_dir_all(home).expect("a data directory can be made");
    let settings = match internet.is_simulated() {
        true => StoreSettings::simulated(home),
        false => StoreSettings::embedded(home),
    };
    Store::open(&settings).expect("the store opens")
}

fn is_for_operator(message: &str) -> bool {
    let header = message.split("\r\n\r\n").next().unwrap_or_default();
    header.contains("\r\nFrom: Postroad <postmaster@") && header.contains("\r\nSubject: [")
}
