//! The doctor in the pocket internet: a correct server has full marks; each fault planted in the world gives just its
//! finding; the operator is told once when something breaks, and once when it is well again.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use doctor::records::for_domain;
use jobs::doctor::{Examination, Examiner, Reach, blocklists};
use mail::{Address, Domain, UnixMillis};
use simulator::{Host, HostBuilder, Internet, Page, Phase, Script, Validity, days, hours, minutes};
use store::Durability;
use store::deliveries::{NewNotice, ProviderRelay, RelayProtection};
use store::findings::{ChannelKind, NewChannel};
use store::transport::{TlsLevel, TlsRequirement, TlsScope};
use world::http::HttpClient;
use world::{Kind, Record, TlsClients, reverse_name};

const HOST: &str = "mx.here.test";
const DOMAIN: &str = "here.test";
const ANN: &str = "ann@here.test";
const HOOK: &str = "hook.elsewhere.test";

/// The host in the making: all names have certificates, nothing is offered in the clear.
fn builder(internet: &Internet) -> HostBuilder {
    internet
        .host(HOST)
        .domain(DOMAIN)
        .account(ANN)
        .certificate_for("mta-sts.here.test")
        .certificate_for("autoconfig.here.test")
        .certificate_for("autodiscover.here.test")
        .config(|config| config.tls.cleartext_login = false)
}

/// Everything as it should be.
async fn correct(internet: &Internet) -> Host {
    finish(internet, builder(internet).start().await).await
}

/// What an operator does after the start: addresses, requirements, a relay for bad days, somebody to tell, records.
async fn finish(internet: &Internet, host: Host) -> Host {
    let now = UnixMillis::from(internet.wall());
    let ann = Address::parse(ANN).unwrap();
    let domain = Domain::parse(DOMAIN).unwrap();
    let kinds = [store::DkimAlgorithm::Ed25519Sha256];
    let keys = jobs::dkim::new_keys(&kinds, store::DkimState::Active, &[], now).unwrap();
    host.store()
        .write_blocking(Durability::Durable, move |change| {
            for key in &keys {
                change.add_dkim_key(&domain, key, now).unwrap();
            }
            for role in ["postmaster", "abuse"] {
                change.add_alias(Some(role), &domain, &ann, now).unwrap();
            }
            for name in ["gmail.com", "gmx.net", "orange.fr"] {
                change.require_tls(&TlsRequirement {
                    scope: TlsScope::Domain(Domain::parse(name).unwrap()),
                    level: TlsLevel::Encrypted,
                    mx: Vec::new(),
                    created: now,
                })?;
            }
            change.keep_provider_relay(&ProviderRelay {
                provider: "microsoft".to_owned(),
                host: "relay.elsewhere.test".to_owned(),
                port: 465,
                protection: RelayProtection::Implicit,
                login: None,
                always: false,
                created: now,
            })?;
            let hook = NewChannel {
                kind: ChannelKind::Webhook,
                target: format!("https://{HOOK}/hook"),
                secret: Some(b"open sesame".to_vec()),
            };
            change.add_operator_channel(&hook, now).unwrap();
            Ok::<_, store::StoreError>(())
        })
        .unwrap();
    publish(internet, &host);
    zone(internet).await;
    lists(internet);
    host
}

/// All records that the domain should have, and no others.
fn publish(internet: &Internet, host: &Host) {
    let config = Arc::new(host.config());
    let brief = postroad::server::doctor::brief(&config, host.store(), Some(host.tls()), None);
    let wishes = for_domain(&brief.unwrap().domains[0]);
    for wish in &wishes {
        internet.zones().clear(&wish.name);
    }
    for wish in &wishes {
        internet
            .zones()
            .add(&wish.name, record(wish.kind, &wish.value));
    }
}

fn record(kind: doctor::Kind, value: &str) -> Record {
    let words: Vec<&str> = value.split(' ').collect();
    let name = |at: usize| words[at].trim_end_matches('.').to_owned();
    match kind {
        doctor::Kind::A => Record::A(value.parse().unwrap()),
        doctor::Kind::Aaaa => Record::Aaaa(value.parse().unwrap()),
        doctor::Kind::Mx => Record::Mx {
            preference: words[0].parse().unwrap(),
            exchange: name(1),
        },
        doctor::Kind::Txt => {
            let strings = value.as_bytes().chunks(255);
            Record::Txt(strings.map(<[u8]>::to_vec).collect())
        }
        doctor::Kind::Ptr => Record::Ptr(name(0)),
        doctor::Kind::Cname => Record::Cname(name(0)),
        doctor::Kind::Srv => Record::Srv {
            priority: words[0].parse().unwrap(),
            weight: words[1].parse().unwrap(),
            port: words[2].parse().unwrap(),
            target: name(3),
        },
        doctor::Kind::Tlsa => Record::Tlsa {
            usage: words[0].parse().unwrap(),
            selector: words[1].parse().unwrap(),
            matching: words[2].parse().unwrap(),
            data: (0..words[3].len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&words[3][at..at + 2], 16).unwrap())
                .collect(),
        },
        doctor::Kind::Caa => Record::Caa {
            critical: words[0] != "0",
            tag: words[1].to_owned(),
            value: words[2].trim_matches('"').as_bytes().to_vec(),
        },
        doctor::Kind::Ns | doctor::Kind::Soa => panic!("no wish: {kind}"),
    }
}

/// A signed zone with two name servers.
async fn zone(internet: &Internet) {
    let zones = internet.zones();
    for name in ["ns1.dns.test", "ns2.dns.test"] {
        internet.name_server(name).await;
        zones.add(DOMAIN, Record::Ns(name.to_owned()));
    }
    zones.add(
        DOMAIN,
        Record::Soa {
            primary: "ns1.dns.test".to_owned(),
            contact: "hostmaster.here.test".to_owned(),
            serial: 7,
            minimum: 3600,
        },
    );
    zones.signed(DOMAIN);
}

/// Block lists that work and name nobody of us.
fn lists(internet: &Internet) {
    for list in blocklists() {
        let answer = match list.zone.as_str() {
            "dbl.spamhaus.org" => "127.0.1.2",
            "multi.surbl.org" | "multi.uribl.com" => "127.0.0.254",
            _ => "127.0.0.2",
        };
        if let Some(point) = list.test_point() {
            internet
                .zones()
                .add(&point, Record::A(answer.parse().unwrap()));
        }
    }
}

async fn examine(internet: &Internet, host: &Host) -> Examination {
    examine_with(internet, host, host.config()).await
}

fn ids(examination: &Examination) -> BTreeSet<&'static str> {
    examination.findings.iter().map(|one| one.id).collect()
}

#[test]
fn a_correct_world_has_full_marks() {
    Internet::simulated(1, async |internet| {
        let host = correct(&internet).await;
        let examination = examine(&internet, &host).await;
        assert!(
            examination.findings.is_empty(),
            "{:#?}",
            examination.findings
        );
        assert_eq!(examination.score.points, 100);
        assert!(examination.unknown.is_empty(), "{:?}", examination.unknown);
        // It was really looked at.
        let facts = &examination.facts;
        assert_eq!(facts.smtp.open_relay, Some(Vec::new()));
        assert_eq!(facts.smtp.refuses_unknown, Some(true));
        assert_eq!(facts.tls.starttls_25, Some(true));
        assert_eq!(facts.tls.injection, Some(false));
        assert_eq!(facts.ports[&993].reachable_v4, Some(true));
        assert_eq!(facts.tls.sts[DOMAIN].mode, "testing");
        assert_eq!(facts.clients[DOMAIN].autoconfig, Some(Ok(())));
        assert_eq!(facts.clients[DOMAIN].autodiscover, Some(Ok(())));
        let servers = facts.zones[DOMAIN].nameservers.as_ref().unwrap();
        assert!(servers.iter().all(|server| server.serial == Some(7)));
        assert!(!host.inbox(ANN).iter().any(|text| text.contains("doctor")));
        assert!(host.queue().is_empty(), "nothing was sent for it");
    });
}

/// A fault in the world, and what must be found of it.
struct Plant {
    name: &'static str,
    found: &'static [&'static str],
    spoil: fn(&Internet, &Host),
}

fn v4(text: &str) -> Record {
    Record::A(text.parse().unwrap())
}

fn zen_point(address: IpAddr) -> String {
    let zen = blocklists()
        .iter()
        .find(|list| list.zone.starts_with("zen"));
    zen.unwrap().point(address)
}

const PLANTS: &[Plant] = &[
    Plant {
        name: "no reverse name",
        found: &["ip.ptr4.exists"],
        spoil: |internet, host| internet.zones().clear(&reverse_name(host.address())),
    },
    Plant {
        name: "a reverse name that leads elsewhere",
        found: &["ip.fcrdns"],
        spoil: |internet, host| {
            let name = reverse_name(host.address());
            internet.zones().clear(&name);
            internet
                .zones()
                .add(&name, Record::Ptr("shop.elsewhere.test".to_owned()));
        },
    },
    Plant {
        name: "SPF for another address",
        found: &["spf.covers_ip"],
        spoil: |internet, _| retext(internet, DOMAIN, "v=spf1", "v=spf1 ip4:192.0.2.9 -all"),
    },
    Plant {
        name: "no DMARC record",
        found: &["dmarc.exists"],
        spoil: |internet, _| internet.zones().clear("_dmarc.here.test"),
    },
    Plant {
        name: "a DKIM record that is gone",
        found: &["dkim.exists"],
        spoil: |internet, host| internet.zones().clear(&selector(host)),
    },
    Plant {
        name: "the record of another DKIM key",
        found: &["dkim.match"],
        spoil: |internet, host| {
            let name = selector(host);
            internet.zones().clear(&name);
            let text = format!("v=DKIM1; k=ed25519; p={}", "A".repeat(44));
            internet.domain(&name).txt(&text);
        },
    },
    Plant {
        name: "no MTA-STS policy host",
        found: &["sts.https"],
        spoil: |internet, _| internet.zones().clear("mta-sts.here.test"),
    },
    Plant {
        name: "TLSA of another key",
        found: &["dane.match"],
        spoil: |internet, _| {
            let name = "_25._tcp.mx.here.test";
            internet.zones().clear(name);
            internet.domain(name).tlsa(3, 1, 1, vec![7; 32]);
        },
    },
    Plant {
        name: "on the most used block list",
        found: &["rep.ip.high"],
        spoil: |internet, host| {
            internet
                .zones()
                .add(&zen_point(host.address()), v4("127.0.0.3"));
        },
    },
    Plant {
        name: "a list of dynamic addresses",
        found: &["ip.static"],
        spoil: |internet, host| {
            internet
                .zones()
                .add(&zen_point(host.address()), v4("127.0.0.11"));
        },
    },
    Plant {
        name: "a list that answers with an error to all",
        found: &["rep.list.selftest"],
        spoil: |internet, host| {
            for point in [
                "2.0.0.127.zen.spamhaus.org".to_owned(),
                zen_point(host.address()),
            ] {
                internet.zones().clear(&point);
                internet.zones().add(&point, v4("127.255.255.255"));
            }
        },
    },
    Plant {
        name: "a dead list whose zone says yes to all",
        found: &["rep.list.selftest"],
        spoil: |internet, host| {
            for point in [
                "1.0.0.127.zen.spamhaus.org".to_owned(),
                zen_point(host.address()),
            ] {
                internet.zones().add(&point, v4("127.0.0.2"));
            }
        },
    },
    Plant {
        name: "MX names a second server",
        found: &["dns.mx.ours"],
        spoil: |internet, _| {
            internet.domain(DOMAIN).mx_at(20, "mx.elsewhere.test");
            internet
                .domain("mx.elsewhere.test")
                .address("198.19.0.1".parse().unwrap());
        },
    },
    Plant {
        name: "one name server is gone",
        found: &["dns.ns.tcp"],
        spoil: |internet, _| {
            let there = internet.zones().answer("ns2.dns.test", Kind::A).records;
            let Some(Record::A(address)) = there.first() else {
                panic!("it has an address");
            };
            let reach = simulator::Reach::Refused;
            internet.network().set_reach(IpAddr::V4(*address), reach);
        },
    },
];

fn selector(host: &Host) -> String {
    let domain = Domain::parse(DOMAIN).unwrap();
    let keys = host
        .store()
        .read_blocking(move |view| view.dkim_keys(&domain));
    // The short one.
    let keys = keys.unwrap();
    let key = keys
        .iter()
        .find(|key| key.algorithm == store::DkimAlgorithm::Ed25519Sha256);
    format!("{}._domainkey.{DOMAIN}", key.unwrap().selector)
}

/// The TXT record at a name that begins so becomes another.
fn retext(internet: &Internet, name: &str, begins: &str, text: &str) {
    let kinds = [Kind::Mx, Kind::Txt, Kind::Ns, Kind::Soa, Kind::Caa];
    let all: Vec<Record> = kinds
        .iter()
        .flat_map(|kind| internet.zones().answer(name, *kind).records)
        .collect();
    internet.zones().clear(name);
    for record in all {
        let is_it = matches!(&record, Record::Txt(strings) if strings.concat().starts_with(begins.as_bytes()));
        if !is_it {
            internet.zones().add(name, record);
        }
    }
    internet.domain(name).txt(text);
}

#[test]
fn each_fault_gives_just_its_finding() {
    let mut wrong = Vec::new();
    for plant in PLANTS {
        let found = Internet::simulated(2, async |internet| {
            let host = correct(&internet).await;
            (plant.spoil)(&internet, &host);
            examine(&internet, &host).await
        });
        let wanted: BTreeSet<&str> = plant.found.iter().copied().collect();
        if ids(&found) != wanted {
            let seen: Vec<_> = found
                .findings
                .iter()
                .map(|one| format!("{} {}: {}", one.id, one.about, one.seen))
                .collect();
            wrong.push(format!("{}: {seen:#?}", plant.name));
        }
        assert!(found.findings.iter().all(|one| !one.fix.text.is_empty()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_expired_certificate_is_seen() {
    Internet::simulated(3, async |internet| {
        let host = builder(&internet).certificate(Validity::Past).start().await;
        let host = finish(&internet, host).await;
        let examination = examine(&internet, &host).await;
        let found = ids(&examination);
        assert_eq!(
            found,
            BTreeSet::from(["tls.cert.expiry"]),
            "{:#?}",
            examination.findings
        );
        assert!(examination.findings[0].seen.contains("expired"));
    });
}

#[test]
fn whatever_stands_before_us_and_relays_is_seen() {
    Internet::simulated(4, async |internet| {
        // Something else took port 25, as boxes with "mail protection" do.
        let mut host = builder(&internet)
            .config(|config| {
                let smtp = config.listen.services.get_mut(&simulator::Service::Smtp);
                for at in smtp.into_iter().flatten() {
                    at.set_port(2525);
                }
            })
            .start()
            .await;
        host = finish(&internet, host).await;
        let at = std::net::SocketAddr::new(host.address(), 25);
        let _open = internet.remote_at(HOST, at, Script::accept()).await;
        let mut config = host.config();
        let smtp = config.listen.services.get_mut(&simulator::Service::Smtp);
        for at in smtp.into_iter().flatten() {
            at.set_port(25);
        }
        let examination = examine_with(&internet, &host, config).await;
        let relay = examination
            .findings
            .iter()
            .find(|one| one.id == "smtp.relay.open")
            .expect("it is found");
        assert!(relay.seen.contains("an empty sender"), "{relay:?}");
        // Errors come first.
        assert_eq!(examination.findings[0].cost, 15);
    });
}

async fn examine_with(internet: &Internet, host: &Host, config: postroad::Config) -> Examination {
    let brief =
        postroad::server::doctor::brief(&Arc::new(config), host.store(), Some(host.tls()), None);
    let world = host.world().clone();
    let roots = internet.authority().root_pem();
    let clients = TlsClients::new(world.clock.clone(), Some(roots.as_bytes())).unwrap();
    let examiner = Examiner {
        http: HttpClient::new(world.clone(), clients.verified()),
        tls: clients.opportunistic(),
        reach: Reach::Providers,
        store: host.store().clone(),
        world,
    };
    examiner.examine(&brief.unwrap()).await.unwrap()
}

#[test]
fn what_cannot_be_looked_at_stays_unknown() {
    Internet::simulated(5, async |internet| {
        let host = correct(&internet).await;
        // The way to the lists is down, and the name servers of the policy host are.
        for list in blocklists() {
            internet
                .zones()
                .fault(&list.zone, simulator::DnsFault::ServFail);
        }
        let fault = simulator::DnsFault::ServFail;
        internet.zones().fault("mta-sts.here.test", fault);
        let examination = examine(&internet, &host).await;
        assert!(
            examination.findings.is_empty(),
            "{:#?}",
            examination.findings
        );
        assert!(examination.is_unknown("rep.ip.high"));
        assert!(examination.is_unknown("sts.https"));
        assert!(!examination.is_unknown("smtp.relay.open"));
    });
}

#[test]
fn who_named_no_channel_reads_what_is_urgent_as_postmaster() {
    Internet::simulated(7, async |internet| {
        let host = builder(&internet).start().await;
        let now = UnixMillis::from(internet.wall());
        let notice = |kind: &str, title: &str| NewNotice {
            kind: kind.to_owned(),
            topic: title.to_owned(),
            title: title.to_owned(),
            fix: "postroad account sending bob@here.test".to_owned(),
            created: now,
        };
        let board = [
            notice("finding", "a record is missing"),
            notice("sending-locked", "bob@here.test sends no more"),
        ];
        host.store()
            .write_blocking(Durability::Durable, move |change| {
                board
                    .iter()
                    .try_for_each(|notice| change.add_notice(notice).map(drop))
            })
            .unwrap();
        internet
            .until(minutes(10), || !host.told_operator(ANN).is_empty())
            .await;
        internet.pass(days(1)).await;
        let letters = host.told_operator(ANN);
        assert_eq!(letters.len(), 1, "{letters:?}");
        for words in [
            "bob@here.test sends no more",
            "postroad account sending bob@here.test",
            "postroad doctor notify add mail",
        ] {
            assert!(letters[0].contains(words), "{words}: {}", letters[0]);
        }
        assert!(!letters[0].contains("a record is missing"));
        let untold = host.store().read_blocking(|view| view.notices_to_tell());
        assert_eq!(untold.unwrap().len(), 1, "kept for whoever is named later");
    });
}

#[test]
fn the_operator_is_told_once_and_once_when_it_is_well_again() {
    Internet::simulated(6, async |internet| {
        let hook = internet.https(HOOK, &[]).await;
        hook.set("/hook", Page::text("thanks"));
        let there = internet
            .remote_domain("elsewhere.test", Script::accept())
            .await;
        let host = builder(&internet)
            .config(|config| config.doctor.daily = true)
            .start()
            .await;
        let host = finish(&internet, host).await;
        let now = UnixMillis::from(internet.wall());
        let by_mail = NewChannel {
            kind: ChannelKind::Mail,
            target: "op@elsewhere.test".to_owned(),
            secret: None,
        };
        host.store()
            .write_blocking(Durability::Durable, move |change| {
                change.add_operator_channel(&by_mail, now)
            })
            .unwrap();
        internet.pass(days(2)).await;
        assert_eq!(hook.asked(), [], "all is well");
        assert_eq!(there.taken_count(), 0);

        let reverse = reverse_name(host.address());
        internet.zones().clear(&reverse);
        internet.until(days(2), || !hook.asked().is_empty()).await;
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
        internet.pass(days(3)).await;
        assert_eq!(hook.asked().len(), 1, "told once");
        assert_eq!(there.taken_count(), 1, "told once");
        let asked = &hook.asked()[0];
        assert_eq!(asked.method, "POST");
        assert!(
            asked
                .field("x-postroad-signature")
                .unwrap()
                .starts_with("sha256=")
        );
        let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(body["host"], HOST);
        let notices = body["notices"].as_array().unwrap();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0]["kind"], "finding");
        let fix = notices[0]["fix"].as_str().unwrap();
        assert!(fix.contains("PTR") && fix.contains(HOST), "{fix}");
        let letter = String::from_utf8_lossy(&there.taken()[0].message).into_owned();
        assert!(letter.contains("no reverse name"), "{letter}");

        internet.zones().add(&reverse, Record::Ptr(HOST.to_owned()));
        internet.until(hours(3), || hook.asked().len() == 2).await;
        let body: serde_json::Value = serde_json::from_slice(&hook.asked()[1].body).unwrap();
        assert_eq!(body["notices"][0]["kind"], "finding-resolved");
        internet.pass(days(2)).await;
        assert_eq!(hook.asked().len(), 2, "told once");
        assert_eq!(there.taken_count(), 2);
        let known = host.store().read_blocking(|view| view.findings()).unwrap();
        assert_eq!(known.len(), 1);
        assert!(known[0].resolved.is_some());
    });
}

#[test]
fn a_channel_that_is_down_hears_it_later() {
    Internet::simulated(7, async |internet| {
        let hook = internet.https(HOOK, &[]).await;
        hook.set("/hook", Page::of(503, "text/plain", "not now"));
        let host = builder(&internet)
            .config(|config| config.doctor.daily = true)
            .start()
            .await;
        let host = finish(&internet, host).await;
        internet.zones().clear("_dmarc.here.test");
        internet.until(days(1), || !hook.asked().is_empty()).await;
        let tried = hook.asked().len();
        hook.set("/hook", Page::text("thanks"));
        internet
            .until(hours(8), || tried < hook.asked().len())
            .await;
        internet.pass(days(1)).await;
        assert_eq!(hook.asked().len(), tried + 1);
        let channels = host.store().read_blocking(|view| view.operator_channels());
        assert_eq!(channels.unwrap()[0].problem, None);
    });
}

#[test]
fn a_provider_that_hangs_does_not_stop_the_look() {
    Internet::simulated(8, async |internet| {
        let host = correct(&internet).await;
        // A provider that hangs in its greeting costs patience, not the examination.
        let script = Script::accept().at(Phase::Greeting, simulator::Act::Hang);
        let _gmail = internet.remote_domain("gmail.com", script).await;
        let examination = examine(&internet, &host).await;
        assert!(
            examination.findings.is_empty(),
            "{:#?}",
            examination.findings
        );
    });
}

#[test]
fn a_message_to_the_special_address_is_judged_for_users_only() {
    Internet::simulated(9, async |internet| {
        let host = builder(&internet)
            .config(|config| config.tls.cleartext_login = true)
            .start()
            .await;
        let host = finish(&internet, host).await;
        let now = UnixMillis::from(internet.wall());
        let account = store::NewAccount {
            address: Address::parse("check@here.test").unwrap(),
            name: jobs::doctor::CHECK_ACCOUNT_NAME.to_owned(),
            password: "nobody knows".to_owned(),
            quota: None,
        };
        host.store().add_account(account, now).await.unwrap();
        internet.zones().clear("_dmarc.here.test");
        let letter = "Subject: BUY THIS NOW\r\nTo: <check@here.test>\r\n\r\nhttp://bit.ly/x\r\n";
        // A stranger who says what only this server may say.
        let there = internet.remote_domain("away.test", Script::accept()).await;
        let forged = format!(
            "Return-Path: <eve@away.test>\r\nAuthentication-Results: {HOST};\r\n\tauth=pass\r\n\
             From: <eve@away.test>\r\n{letter}"
        );
        let mut stranger = internet.stranger(host.mx()).await;
        let reply = stranger.transact("eve@away.test", &["check@here.test"], &forged);
        assert_eq!(reply.await.unwrap().code, 250);
        internet.pass(minutes(5)).await;
        assert_eq!(there.taken_count(), 0, "strangers get no answer");
        assert!(host.inbox("check@here.test").is_empty(), "thrown away");

        host.submit(ANN, &["check@here.test"], letter).await;
        internet.pass(minutes(5)).await;
        let job = host
            .store()
            .read_blocking(|view| view.job("doctor.letters"));
        assert_eq!(
            job.unwrap().problem,
            None,
            "{:?}",
            host.inbox("check@here.test")
        );
        assert_eq!(host.inbox(ANN).len(), 1);
        let verdict = host.inbox(ANN).remove(0);
        assert!(verdict.contains("Verdict: BUY THIS NOW"), "{verdict}");
        assert!(verdict.contains("capitals throughout"), "{verdict}");
        assert!(verdict.contains("_dmarc.here.test"), "{verdict}");
        assert!(host.inbox("check@here.test").is_empty());
        internet.pass(hours(1)).await;
        assert_eq!(host.inbox(ANN).len(), 1, "answered once");
    });
}
