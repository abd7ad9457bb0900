//! Several certificates, by name; files that change, well and badly.
#![expect(
    clippy::disallowed_methods,
    reason = "files and certificates of these tests carry the real time"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use world::{BlockingMode, DnsSettings, Stop, TokioClock, TokioTasks, World, self_signed};

use super::{Certificates, read_or_make};
use crate::config::Config;
use crate::server::limits::CERTIFICATE_LOOK_PERIOD;

struct Place {
    folder: tempfile::TempDir,
    config: Config,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new("mail.example.org", folder.path().join("data"));
        std::fs::create_dir(&config.data).unwrap();
        std::fs::create_dir(folder.path().join("tls")).unwrap();
        config.tls.certificates = Some(folder.path().join("tls"));
        Place { folder, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("tls").join(name)
    }

    /// A pair of files, as a program that renews certificates leaves them.
    fn pair(&self, file: &str, host: &str) {
        let pair = self_signed(&[host.to_owned()], SystemTime::now()).unwrap();
        write(&self.path(&format!("{file}.crt")), &pair.certificate);
        write(&self.path(&format!("{file}.key")), &pair.key);
    }

    fn serve(&self) -> Certificates {
        let pem = read_or_make(&world(), &self.config).unwrap();
        Certificates::serve(&self.config, pem).unwrap()
    }
}

/// With a time of its own, so that two writes within one tick of the file system's clock differ too.
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let nanos = std::fs::metadata(path).unwrap().len();
    let at = SystemTime::now() + Duration::from_nanos(nanos);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(at)
        .unwrap();
}

fn world() -> World {
    let mut world = World::real(DnsSettings::system());
    world.tasks = Arc::new(TokioTasks::new(BlockingMode::Inline));
    world
}

#[track_caller]
fn served(certificates: &Certificates, asked: &str) -> String {
    certificates
        .server()
        .certificate_for(asked)
        .names()
        .join(" ")
}

fn faults(certificates: &Certificates) -> Vec<String> {
    let faults = certificates.reload();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn each_name_gets_its_certificate() {
    let place = Place::new();
    place.pair("a", "mta-sts.example.org");
    place.pair("b", "mail.example.org");
    let certificates = place.serve();
    for (asked, got) in [
        ("mta-sts.example.org", "mta-sts.example.org"),
        ("MTA-STS.Example.org", "mta-sts.example.org"),
        ("mail.example.org", "mail.example.org"),
        // Who asks for what we do not have gets the host's own.
        ("elsewhere.example", "mail.example.org"),
    ] {
        assert_eq!(served(&certificates, asked), got, "{asked}");
    }
    assert!(!place.config.data.join("self-signed.pem").exists());
}

#[test]
fn an_empty_directory_means_a_certificate_of_our_own_making() {
    let place = Place::new();
    let certificates = place.serve();
    assert!(served(&certificates, "x").contains("mail.example.org"));
    assert!(place.config.data.join("self-signed.pem").exists());
    place.pair("a", "new.example.org");
    assert!(certificates.have_changed());
    assert_eq!(faults(&certificates), Vec::<String>::new());
    assert_eq!(served(&certificates, "x"), "new.example.org");
}

#[test]
fn a_changed_file_is_noticed_and_served() {
    let place = Place::new();
    place.pair("a", "mail.example.org");
    let certificates = place.serve();
    assert!(!certificates.have_changed());
    place.pair("b", "more.example.org");
    assert!(certificates.have_changed());
    assert_eq!(faults(&certificates), Vec::<String>::new());
    assert!(!certificates.have_changed());
    assert_eq!(
        served(&certificates, "more.example.org"),
        "more.example.org"
    );
    std::fs::remove_file(place.path("b.crt")).unwrap();
    assert!(certificates.have_changed());
    assert_eq!(faults(&certificates), Vec::<String>::new());
    assert_eq!(
        served(&certificates, "more.example.org"),
        "mail.example.org"
    );
}

#[test]
fn a_bad_new_file_keeps_the_old_certificate() {
    let place = Place::new();
    place.pair("a", "mail.example.org");
    place.pair("b", "b.example.org");
    let certificates = place.serve();
    let before = |asked: &str| certificates.server().certificate_for(asked).tlsa_data(1, 1);
    let (a, b) = (before("mail.example.org"), before("b.example.org"));
    write(&place.path("a.crt"), "no certificate at all");
    place.pair("b", "b.example.org");
    let told = faults(&certificates);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("a.crt: "), "{told:?}");
    // The other one is renewed all the same.
    assert_eq!(before("mail.example.org"), a);
    assert_ne!(before("b.example.org"), b);

    // A key that belongs to another certificate; a key that is gone; a directory that is gone.
    place.pair("a", "mail.example.org");
    place.pair("c", "c.example.org");
    std::fs::copy(place.path("c.key"), place.path("a.key")).unwrap();
    let told = faults(&certificates);
    assert!(
        told[0].contains("a.crt: the private key does not belong"),
        "{told:?}"
    );
    std::fs::remove_file(place.path("a.key")).unwrap();
    let told = faults(&certificates);
    assert!(told[0].contains("a.key is missing"), "{told:?}");
    std::fs::rename(place.path(""), place.folder.path().join("moved")).unwrap();
    let told = faults(&certificates);
    assert!(told[0].contains("tls cannot be read"), "{told:?}");
    assert_eq!(before("mail.example.org"), a);
    assert_eq!(served(&certificates, "c.example.org"), "c.example.org");
}

#[test]
fn changed_files_are_looked_for_by_the_clock() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let place = Place::new();
        place.pair("a", "mail.example.org");
        let mut world = world();
        world.clock = Arc::new(TokioClock::simulated(SystemTime::now()));
        let certificates = Arc::new(place.serve());
        let stop = Stop::new();
        let watching = certificates.clone().watch(world.clone(), stop.clone());
        let watching = world.tasks.spawn("certificates", watching);
        place.pair("b", "more.example.org");
        assert_eq!(
            served(&certificates, "more.example.org"),
            "mail.example.org"
        );
        world
            .clock
            .after(CERTIFICATE_LOOK_PERIOD + Duration::from_secs(1))
            .await;
        assert_eq!(
            served(&certificates, "more.example.org"),
            "more.example.org"
        );
        stop.request();
        watching.ended().await.unwrap();
    });
}

#[test]
fn one_bad_pair_of_several_does_not_keep_the_server_from_starting() {
    let place = Place::new();
    place.pair("a", "mail.example.org");
    write(&place.path("b.crt"), "nonsense");
    write(&place.path("b.key"), "nonsense");
    let certificates = place.serve();
    assert_eq!(served(&certificates, "b.example.org"), "mail.example.org");

    // The one that the config names must be sound.
    let mut config = place.config.clone();
    config.tls.files = Some((place.path("b.crt"), place.path("b.key")));
    let pem = read_or_make(&world(), &config).unwrap();
    let refused = Certificates::serve(&config, pem).err().unwrap();
    assert!(refused.to_string().contains("tls/b."), "{refused}");
}
