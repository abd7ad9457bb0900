//! What hostile clients do, a function for each kind. Each has an address of its own (without a name), comes again when
//! it is thrown out, and goes on to the end of the siege.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use simulator::{Client, Host, Internet, Service};

use crate::ANN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Guesses ann's password over IMAP.
    ImapGuesser,
    /// The same over POP3.
    Pop3Guesser,
    /// One password, many names, over submission.
    Sprayer,
    /// Tries names at RCPT.
    Harvester,
    /// Asks for names by VRFY and EXPN.
    Prober,
    /// A command, a byte at a time.
    SlowWriter,
    /// A body, a byte at a time.
    SlowBody,
    /// Asks much and reads nothing.
    SlowReader,
    /// As many connections as it can have.
    Flood,
    /// Talks before the greeting.
    EarlyTalker,
    /// Hides a message in another.
    Smuggler,
    /// A header without end.
    HugeHeader,
    /// A line without end.
    EndlessLine,
    /// Begins TLS and says no more.
    HalfHandshake,
    /// Speaks HTTP.
    Browser,
    /// Greets with our own name.
    Liar,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::ImapGuesser,
        Self::Pop3Guesser,
        Self::Sprayer,
        Self::Harvester,
        Self::Prober,
        Self::SlowWriter,
        Self::SlowBody,
        Self::SlowReader,
        Self::Flood,
        Self::EarlyTalker,
        Self::Smuggler,
        Self::HugeHeader,
        Self::EndlessLine,
        Self::HalfHandshake,
        Self::Browser,
        Self::Liar,
    ];
}

/// One hostile client.
struct Enemy {
    internet: Internet,
    host: Rc<Host>,
    address: IpAddr,
    round: usize,
}

pub async fn misbehave(
    internet: Internet,
    host: Rc<Host>,
    kind: Kind,
    number: usize,
    siege: Duration,
) {
    let until = internet.now() + siege;
    // Not all at the same moment.
    internet
        .pass(Duration::from_millis(number as u64 * 7 % 5_000))
        .await;
    let mut enemy = Enemy {
        address: internet.fresh_address(),
        internet,
        host,
        round: 0,
    };
    while enemy.internet.now() < until {
        // Thrown out or not, it comes again.
        let _ = enemy.round_of(kind).await;
        enemy.round += 1;
        enemy.internet.pass(Duration::from_secs(4)).await;
    }
}

impl Enemy {
    async fn round_of(&self, kind: Kind) -> io::Result<()> {
        match kind {
            Kind::ImapGuesser => self.guess_by_imap().await,
            Kind::Pop3Guesser => self.guess_by_pop3().await,
            Kind::Sprayer => self.spray().await,
            Kind::Harvester => self.harvest().await,
            Kind::Prober => self.probe().await,
            Kind::SlowWriter => self.write_slowly().await,
            Kind::SlowBody => self.send_slowly().await,
            Kind::SlowReader => self.read_nothing().await,
            Kind::Flood => self.flood().await,
            Kind::EarlyTalker => self.talk_early().await,
            Kind::Smuggler => self.smuggle().await,
            Kind::HugeHeader => self.send_header().await,
            Kind::EndlessLine => self.send_line().await,
            Kind::HalfHandshake => self.begin_tls().await,
            Kind::Browser => self.browse().await,
            Kind::Liar => self.lie().await,
        }
    }

    async fn connect(&self, service: Service) -> Client {
        let to = self.host.service(service);
        self.internet.connect_from(self.address, to).await
    }

    /// To port 25, EHLO said; an error if it is turned away.
    async fn smtp(&self, service: Service) -> io::Result<Client> {
        let mut client = self.connect(service).await;
        if client.reply().await?.code != 220 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        client.say("EHLO bot.hostile.test").await?;
        Ok(client)
    }

    async fn envelope(&self) -> io::Result<Client> {
        let mut client = self.smtp(Service::Smtp).await?;
        client.say("MAIL FROM:<spam@hostile.test>").await?;
        match client.say(&format!("RCPT TO:<{ANN}>")).await?.code {
            250 => Ok(client),
            _ => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    async fn guess_by_imap(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Imap).await;
        client.line().await?;
        for guess in 0..3 {
            let password = format!("guess{}", self.round * 3 + guess);
            client.send(&format!("a LOGIN {ANN} {password}")).await?;
            client.line().await?;
        }
        Ok(())
    }

    async fn guess_by_pop3(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Pop3).await;
        client.line().await?;
        client.send(&format!("USER {ANN}")).await?;
        client.line().await?;
        client.send(&format!("PASS guess{}", self.round)).await?;
        client.line().await?;
        Ok(())
    }

    async fn spray(&self) -> io::Result<()> {
        let mut client = self.smtp(Service::Submission).await?;
        let login = format!("user{}@here.test", self.round);
        client.log_in(&login, "Summer2026!").await?;
        Ok(())
    }

    async fn harvest(&self) -> io::Result<()> {
        let mut client = self.smtp(Service::Smtp).await?;
        client.say("MAIL FROM:<>").await?;
        for number in 0..50 {
            let name = format!("name{}", self.round * 50 + number);
            client.say(&format!("RCPT TO:<{name}@here.test>")).await?;
        }
        Ok(())
    }

    async fn probe(&self) -> io::Result<()> {
        let mut client = self.smtp(Service::Smtp).await?;
        for number in 0..20 {
            client.say(&format!("VRFY name{number}")).await?;
            client.say(&format!("EXPN list{number}")).await?;
        }
        Ok(())
    }

    async fn write_slowly(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Smtp).await;
        client.reply().await?;
        for byte in b"EHLO a-very-slow-writer-that-never-ends.hostile.test"
            .iter()
            .cycle()
        {
            client.send_raw(&[*byte]).await?;
            self.internet.pass(Duration::from_secs(10)).await;
        }
        Ok(())
    }

    async fn send_slowly(&self) -> io::Result<()> {
        let mut client = self.envelope().await?;
        client.say("DATA").await?;
        loop {
            client.send_raw(b"x").await?;
            self.internet.pass(Duration::from_secs(10)).await;
        }
    }

    async fn read_nothing(&self) -> io::Result<()> {
        let mut client = self.smtp(Service::Smtp).await?;
        for _ in 0..2_000 {
            client.send_raw(b"EHLO again.hostile.test\r\n").await?;
        }
        self.internet.pass(Duration::from_secs(600)).await;
        Ok(())
    }

    async fn flood(&self) -> io::Result<()> {
        let mut held = Vec::new();
        for _ in 0..100 {
            held.push(self.connect(Service::Smtp).await);
        }
        self.internet.pass(Duration::from_secs(60)).await;
        Ok(())
    }

    async fn talk_early(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Smtp).await;
        let all = format!(
            "EHLO bot\r\nMAIL FROM:<spam@hostile.test>\r\nRCPT TO:<{ANN}>\r\nDATA\r\nSubject: early\r\n\r\nBuy!\r\n.\r\nQUIT\r\n"
        );
        client.send_raw(all.as_bytes()).await?;
        while client.reply().await.is_ok() {}
        Ok(())
    }

    async fn smuggle(&self) -> io::Result<()> {
        let mut client = self.envelope().await?;
        client.say("DATA").await?;
        let hidden = format!(
            "Subject: outer\r\n\r\nHello\n.\nMAIL FROM:<admin@here.test>\r\nRCPT TO:<{ANN}>\r\nDATA\r\n\
             Subject: smuggled\r\n\r\nBoo\r\n.\r\n"
        );
        client.send_raw(hidden.as_bytes()).await?;
        while client.reply().await.is_ok() {}
        Ok(())
    }

    async fn send_header(&self) -> io::Result<()> {
        let mut client = self.envelope().await?;
        client.say("DATA").await?;
        let field = format!("X-Large: {}\r\n", "x".repeat(900));
        for _ in 0..1_000 {
            client.send_raw(field.as_bytes()).await?;
        }
        client.send_raw(b"\r\n.\r\n").await?;
        client.reply().await?;
        // Judging these is most of what the scenario costs.
        self.internet.pass(Duration::from_secs(60)).await;
        Ok(())
    }

    async fn send_line(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Smtp).await;
        client.reply().await?;
        for _ in 0..200 {
            client.send_raw(&[b'A'; 16 * 1024]).await?;
        }
        Ok(())
    }

    async fn begin_tls(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Submissions).await;
        client
            .send_raw(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
            .await?;
        while client.line().await.is_ok() {}
        Ok(())
    }

    async fn browse(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Smtp).await;
        client.reply().await?;
        client
            .send_raw(b"GET / HTTP/1.1\r\nHost: mx.here.test\r\n\r\n")
            .await?;
        while client.reply().await.is_ok() {}
        Ok(())
    }

    async fn lie(&self) -> io::Result<()> {
        let mut client = self.connect(Service::Smtp).await;
        if client.reply().await?.code != 220 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        client.say("EHLO mx.here.test").await?;
        client.say("MAIL FROM:<admin@here.test>").await?;
        client.say("QUIT").await?;
        Ok(())
    }
}
