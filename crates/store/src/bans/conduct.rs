//! What a network did wrong, and when that is enough. A pure count over time; the caller says what time it is.

use mail::UnixMillis;

use super::limits::{
    GUESSES_REMEMBERED, POINT_FORGIVEN_AFTER_MILLIS, POINTS_MAX, UNSHOWN_AN_HOUR,
    UNSHOWN_COUNTED_EVERY_MILLIS, UNSHOWN_FORGOTTEN_AFTER_MILLIS, UNSHOWN_REMEMBERED,
};

/// What a peer did wrong. Names and passwords come as hashes that mean nothing outside this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// A wrong password. The same guess again (an old phone) counts once; `password` is missing where it cannot be
    /// known (SCRAM): then what one login fails after the first counts next to nothing, for it may be the same.
    /// `familiar`: this account was logged in to from there before.
    WrongPassword {
        login: u64,
        password: Option<u64>,
        familiar: bool,
    },
    /// A log-in under a name that nobody has.
    UnknownLogin { login: u64, password: Option<u64> },
    /// Addresses that nobody has, more than a sender with an old list would try.
    UnknownRecipients,
    /// Asked who is here: VRFY, EXPN.
    AddressProbe,
    /// Spoke before it was its turn.
    EarlyTalk,
    /// Spoke another protocol.
    Foreign,
    /// Line ends that another server could read differently.
    Smuggling,
    /// Nothing but mistakes.
    Mistakes,
    /// Held a connection without using it.
    Idling,
    /// Came again and again beyond what it was told to.
    Flood,
    /// Greeted with our own name.
    OurName,
}

/// Why a network is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Passwords,
    Spraying,
    Harvest,
    Protocol,
    Flood,
    Neighbours,
    Operator,
}

/// One network's doings.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    /// When all points will be forgiven. Each one puts that off by the same time.
    forgiven: i64,
    guesses: Vec<u64>,
    /// Since all was forgiven the last time.
    logins: Vec<u64>,
    /// Logins that failed without showing a password.
    unshown: Vec<UnshownLogin>,
    /// Points by kind of misdeed, to name the worst.
    shares: [i64; 4],
}

impl Blame {
    /// How much it counts once.
    fn points(self) -> i64 {
        match self {
            Self::WrongPassword { .. } => 10,
            Self::UnknownLogin { .. } => 20,
            Self::UnknownRecipients => 4,
            Self::AddressProbe => 5,
            Self::EarlyTalk | Self::Foreign | Self::OurName => 20,
            // Old programs do this in good faith.
            Self::Smuggling | Self::Mistakes => 5,
            Self::Idling => 4,
            Self::Flood => 2,
        }
    }

    pub(super) fn cause(self) -> Cause {
        match self {
            Self::WrongPassword { .. } | Self::UnknownLogin { .. } => Cause::Passwords,
            Self::UnknownRecipients | Self::AddressProbe => Cause::Harvest,
            Self::EarlyTalk
            | Self::Foreign
            | Self::Smuggling
            | Self::Mistakes
            | Self::Idling
            | Self::OurName => Cause::Protocol,
            Self::Flood => Cause::Flood,
        }
    }
}

impl Blame {
    /// Whether it is about log-ins.
    pub(super) fn is_guess(self) -> bool {
        self.cause() == Cause::Passwords
    }

    /// Whose log-in failed, unless it is somebody who logged in from there before.
    pub(super) fn login_of_another(self) -> Option<u64> {
        match self {
            Self::WrongPassword {
                login,
                familiar: false,
                ..
            }
            | Self::UnknownLogin { login, .. } => Some(login),
            _ => None,
        }
    }
}

impl Conduct {
    /// Adds a misdeed; says why the network is to be banned, if it is.
    #[cfg(test)]
    pub(super) fn note(&mut self, blame: Blame, now: UnixMillis) -> Option<Cause> {
        let points = self.weigh(blame, now);
        self.add(points, blame.cause(), 1, now)
    }

    /// How many points a misdeed is, beside those that are remembered.
    pub(super) fn weigh(&mut self, blame: Blame, now: UnixMillis) -> i64 {
        if self.points(now) == 0 {
            self.logins.clear();
        }
        self.worth(blame, now)
    }

    /// Adds points; says why the network is to be banned, if it is: one that holds many gets so many times as much.
    pub(super) fn add(
        &mut self,
        points: i64,
        cause: Cause,
        share: i64,
        now: UnixMillis,
    ) -> Option<Cause> {
        if self.points(now) == 0 {
            self.shares = [0; 4];
        }
        let most = now.0 + 2 * POINTS_MAX * POINT_FORGIVEN_AFTER_MILLIS;
        let later = points * POINT_FORGIVEN_AFTER_MILLIS / share.max(1);
        self.forgiven = (now.0.max(self.forgiven) + later).min(most);
        if let Some(share) = self.shares.get_mut(share_of(cause)) {
            *share += points;
        }
        (POINTS_MAX <= self.points(now)).then(|| self.worst())
    }

    pub(super) fn points(&self, now: UnixMillis) -> i64 {
        // A point that began to be forgiven still counts.
        let left = (self.forgiven - now.0).max(0);
        (left + POINT_FORGIVEN_AFTER_MILLIS - 1) / POINT_FORGIVEN_AFTER_MILLIS
    }

    /// What it counts in the light of what is known.
    fn worth(&mut self, blame: Blame, now: UnixMillis) -> i64 {
        let (login, password, familiar) = match blame {
            Blame::WrongPassword {
                login,
                password,
                familiar,
            } => (login, password, familiar),
            Blame::UnknownLogin { login, password } => (login, password, false),
            _ => return blame.points(),
        };
        let new_login = remember(&mut self.logins, login);
        let guess = password.map(|password| password ^ login.rotate_left(1));
        let repeated = match guess {
            Some(guess) => !remember(&mut self.guesses, guess),
            None => match self.note_unshown(login, now) {
                Unshown::First => false,
                Unshown::Counted => return AGAIN_WITHIN_THE_DAY,
                Unshown::Again => true,
            },
        };
        match (repeated, familiar) {
            // The same wrong password again is a program that was not told of a new one.
            (true, _) => 0,
            (false, true) => 2,
            // One address that tries the names of many people: nobody's mistake.
            (false, false) if new_login && ACCOUNTS_OF_A_HOUSEHOLD < self.logins.len() => 25,
            (false, false) => blame.points(),
        }
    }

    /// A failure of this login by which nothing is known of the password.
    fn note_unshown(&mut self, login: u64, now: UnixMillis) -> Unshown {
        if let Some(known) = self.unshown.iter_mut().find(|known| known.login == login) {
            let since = now.0 - known.counted;
            if since < UNSHOWN_COUNTED_EVERY_MILLIS {
                known.again += 1;
                return match known.again {
                    ..=UNSHOWN_AN_HOUR => Unshown::Again,
                    _ => Unshown::Counted,
                };
            }
            (known.counted, known.again) = (now.0, 0);
            return match since {
                ..UNSHOWN_FORGOTTEN_AFTER_MILLIS => Unshown::Counted,
                _ => Unshown::First,
            };
        }
        if UNSHOWN_REMEMBERED <= self.unshown.len() {
            self.unshown.remove(0);
        }
        self.unshown.push(UnshownLogin {
            login,
            counted: now.0,
            again: 0,
        });
        Unshown::First
    }

    fn worst(&self) -> Cause {
        let all = [
            Cause::Passwords,
            Cause::Harvest,
            Cause::Protocol,
            Cause::Flood,
        ];
        let worst = all.into_iter().max_by_key(|cause| {
            self.shares
                .get(share_of(*cause))
                .copied()
                .unwrap_or_default()
        });
        match worst {
            Some(Cause::Passwords) if ACCOUNTS_OF_A_HOUSEHOLD < self.logins.len() => {
                Cause::Spraying
            }
            Some(cause) => cause,
            None => Cause::Protocol,
        }
    }
}

/// A failed log-in that shows no password, beside earlier ones of the same login.
enum Unshown {
    First,
    /// An hour after the last one that counted, or oftener than a device asks.
    Counted,
    Again,
}

#[derive(Debug)]
struct UnshownLogin {
    login: u64,
    /// When the hour began.
    counted: i64,
    /// Failures within it.
    again: u32,
}

/// Less than is forgiven in the same hour, for four old phones together: it never adds up to a ban.
const AGAIN_WITHIN_THE_DAY: i64 = 2;

/// People behind one address who all mistype in one day.
const ACCOUNTS_OF_A_HOUSEHOLD: usize = 3;

fn share_of(cause: Cause) -> usize {
    match cause {
        Cause::Passwords | Cause::Spraying => 0,
        Cause::Harvest => 1,
        Cause::Protocol | Cause::Neighbours | Cause::Operator => 2,
        Cause::Flood => 3,
    }
}

/// True if it is new.
fn remember(known: &mut Vec<u64>, hash: u64) -> bool {
    if known.contains(&hash) {
        return false;
    }
    if GUESSES_REMEMBERED <= known.len() {
        known.remove(0);
    }
    known.push(hash);
    true
}

impl Cause {
    pub(super) const ALL: [Self; 7] = [
        Self::Passwords,
        Self::Spraying,
        Self::Harvest,
        Self::Protocol,
        Self::Flood,
        Self::Neighbours,
        Self::Operator,
    ];

    /// One word, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passwords => "passwords",
            Self::Spraying => "spraying",
            Self::Harvest => "harvest",
            Self::Protocol => "protocol",
            Self::Flood => "flood",
            Self::Neighbours => "neighbours",
            Self::Operator => "operator",
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Passwords => "guessed passwords",
            Self::Spraying => "tried passwords on many names",
            Self::Harvest => "searched for addresses",
            Self::Protocol => "did not speak as mail servers do",
            Self::Flood => "came too often",
            Self::Neighbours => "many networks of this block were banned",
            Self::Operator => "banned by the operator",
        }
    }
}

#[cfg(test)]
mod tests;
