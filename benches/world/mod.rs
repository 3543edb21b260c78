//! Honest weeks of an organization, as Directory Insights would record them: shifts and weekends, offices behind
//! one address, typos, travellers, lost phones, joiners and leavers, machines that never sleep. Nothing in it is
//! an attack, so whatever a rule reports about it is a false alarm.
//!
//! The same [`World`] always writes the same bytes. Only the standard library is used.

use std::fmt::Write as _;
use std::io;

/// An organization and the stretch of time to write.
#[derive(Clone, Debug)]
pub struct World {
    /// everything random follows from it
    pub seed: u64,
    /// how many people work there at any time
    pub people: u32,
    /// how many days to write
    pub days: u32,
    /// the first moment, in Unix seconds: a Monday, 00:00 UTC
    pub start: i64,
    /// the id of the organization, 24 hex digits
    pub organization: String,
}

impl World {
    /// Writes the events in the order of time, one JSON object a line, and returns how many there are.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<u64> {
        self.write_until(out, None)
    }

    /// As [`World::write`], but with `bytes` the days go on (or end) until about that many bytes are written.
    pub fn write_until(&self, out: &mut dyn io::Write, bytes: Option<u64>) -> io::Result<u64> {
        let mut company = Company::new(self);
        let (mut written, mut events, mut day) = (0_u64, 0_u64, 0_i64);
        let mut block = Vec::with_capacity(1 << 20);
        while bytes.map_or(day < i64::from(self.days), |limit| written < limit) {
            company.live(day);
            let log = &mut company.log;
            log.lines.sort_by_key(|line| line.0);
            for &(_, from, to) in &log.lines {
                if bytes.is_some_and(|limit| written >= limit) {
                    break;
                }
                block.extend_from_slice(&log.text.as_bytes()[from..to]);
                written += (to - from) as u64;
                events += 1;
                if block.len() > (1 << 20) - 65_536 {
                    out.write_all(&block)?;
                    block.clear();
                }
            }
            day += 1;
        }
        out.write_all(&block)?;
        out.flush()?;
        Ok(events)
    }
}

// ---------------------------------------------------------------------------------------------- randomness

/// `SplitMix64`.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `from..to`.
    fn range(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).unwrap_or(1).max(1);
        from + i64::try_from(self.next() % width).unwrap_or(0)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.next() % len.max(1) as u64).unwrap_or(0)
    }

    /// True in `per_mille` of 1000 cases.
    fn chance(&mut self, per_mille: u64) -> bool {
        self.next() % 1000 < per_mille
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.index(list.len())]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An object id: 24 hex digits, different for every different pair.
fn object_id(seed: u64, kind: u32, number: u64) -> String {
    format!("5f{:06x}{:016x}", kind & 0x00ff_ffff, mix(seed ^ mix(number ^ (u64::from(kind) << 40))))
}

// --------------------------------------------------------------------------------------------------- the log

const DAY: i64 = 86_400;
const SECOND: i64 = 1_000_000_000;

/// How many fractional digits the time of an event has.
#[derive(Clone, Copy)]
enum Stamp {
    /// none
    Whole,
    /// three
    Millis,
    /// nine, less the zeros at the end
    Nanos,
    /// none, and nine in `server_timestamp`
    Server,
}

/// Service, event type, and how its time is written.
#[derive(Clone, Copy)]
struct Kind(&'static str, &'static str, Stamp);

const fn directory(name: &'static str) -> Kind {
    Kind("directory", name, Stamp::Millis)
}

const SSO: Kind = Kind("sso", "sso_auth", Stamp::Nanos);
const SSO_NEWER: Kind = Kind("sso", "sso_auth", Stamp::Server);
const RADIUS: Kind = Kind("radius", "radius_auth_attempt", Stamp::Whole);

/// The lines of one day, in the order in which they were made up.
struct Log {
    seed: u64,
    organization: String,
    start: i64,
    date: String,
    count: u64,
    text: String,
    /// nanosecond of the day, first and last byte
    lines: Vec<(i64, usize, usize)>,
    at: i64,
    from: usize,
}

/// Writes one event: the log, its time as second of the day, its kind, and the fields that are its own.
macro_rules! event {
    ($log:expr, $at:expr, $kind:expr, $($fields:tt)+) => {{
        $log.open($at);
        let _ = write!($log.text, $($fields)+);
        $log.close($kind);
    }};
}

mod errands;

impl Log {
    fn new_day(&mut self, start: i64) {
        self.start = start;
        let (year, month, day) = civil(start.div_euclid(DAY));
        self.date.clear();
        let _ = write!(self.date, "{year:04}-{month:02}-{day:02}T");
        self.text.clear();
        self.lines.clear();
    }

    fn open(&mut self, second: i64) {
        self.count += 1;
        let nanos = i64::try_from(mix(self.seed ^ self.count) % 1_000_000_000).unwrap_or(0);
        self.at = second.clamp(0, DAY - 1) * SECOND + nanos;
        self.from = self.text.len();
        self.text.push('{');
    }

    fn close(&mut self, kind: Kind) {
        let Kind(service, name, stamp) = kind;
        let text = &mut self.text;
        let unique = mix(mix(self.seed) ^ self.count);
        let seconds = self.start + self.at / SECOND;
        let _ = write!(
            text,
            r#","event_type":"{name}","service":"{service}","organization":"{}","@version":"1","id":""#,
            self.organization
        );
        if service == "radius" {
            let other = mix(unique);
            let _ = write!(
                text,
                "{:08X}-{:04X}-3{:03X}-B{:03X}-{:012X}",
                unique >> 32,
                unique >> 16 & 0xffff,
                other & 0xfff,
                other >> 12 & 0xfff,
                other >> 16
            );
        } else {
            let _ = write!(text, "{seconds:08x}{unique:016x}");
        }
        text.push_str(r#"","timestamp":""#);
        if matches!(stamp, Stamp::Server) {
            clock(text, &self.date, self.at, Stamp::Whole);
            text.push_str(r#"","timestamp_source":"server","server_timestamp":""#);
            clock(text, &self.date, self.at, Stamp::Nanos);
        } else {
            clock(text, &self.date, self.at, stamp);
        }
        text.push_str("\"}\n");
        let shown = match stamp {
            Stamp::Whole | Stamp::Server => self.at / SECOND * SECOND,
            Stamp::Millis => self.at / 1_000_000 * 1_000_000,
            Stamp::Nanos => self.at,
        };
        self.lines.push((shown, self.from, text.len()));
    }
}

fn clock(text: &mut String, date: &str, at: i64, stamp: Stamp) {
    let (seconds, nanos) = (at / SECOND, at % SECOND);
    let _ = write!(text, "{date}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match stamp {
        Stamp::Whole | Stamp::Server => {}
        Stamp::Millis => {
            let _ = write!(text, ".{:03}", nanos / 1_000_000);
        }
        Stamp::Nanos => {
            let _ = write!(text, ".{nanos:09}");
            while text.ends_with('0') {
                text.pop();
            }
            if text.ends_with('.') {
                text.pop();
            }
        }
    }
    text.push('Z');
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

// ------------------------------------------------------------------------------------------------ the company

/// A city as `geoip` describes it: country, continent, region, its code, time zone, latitude and longitude in
/// ten-thousandths of a degree.
#[derive(Clone, Copy)]
struct Place(&'static str, &'static str, &'static str, &'static str, &'static str, i64, i64);

const PARIS: Place = Place("FR", "EU", "Paris", "75", "Europe/Paris", 488_566, 23_522);
const LILLE: Place = Place("FR", "EU", "Hauts-de-France", "HDF", "Europe/Paris", 506_292, 30_573);
const BOSTON: Place = Place("US", "NA", "Massachusetts", "MA", "America/New_York", 423_584, -710_598);
const NEW_YORK: Place = Place("US", "NA", "New York", "NY", "America/New_York", 407_128, -740_060);
const DUBLIN: Place = Place("IE", "EU", "Leinster", "L", "Europe/Dublin", 533_498, -62_603);
const FRANKFURT: Place = Place("DE", "EU", "Hesse", "HE", "Europe/Berlin", 501_109, 86_821);
const MONTREAL: Place = Place("CA", "NA", "Quebec", "QC", "America/Toronto", 455_017, -735_673);

const ABROAD_OF_PARIS: &[Place] = &[
    Place("ES", "EU", "Madrid", "MD", "Europe/Madrid", 404_168, -37_038),
    Place("GB", "EU", "England", "ENG", "Europe/London", 515_074, -1_278),
    Place("IT", "EU", "Lombardy", "25", "Europe/Rome", 454_642, 91_900),
    Place("NL", "EU", "North Holland", "NH", "Europe/Amsterdam", 523_676, 49_041),
];
const ABROAD_OF_BOSTON: &[Place] = &[
    Place("CA", "NA", "Ontario", "ON", "America/Toronto", 436_532, -793_832),
    Place("MX", "NA", "Mexico City", "CMX", "America/Mexico_City", 194_326, -991_332),
    Place("GB", "EU", "England", "ENG", "Europe/London", 515_074, -1_278),
];

/// An address and where it is: `client_ip` and the text of `geoip`.
#[derive(Clone)]
struct Spot {
    ip: String,
    geoip: String,
}

impl Spot {
    fn new(ip: String, place: Place, north: i64, east: i64) -> Spot {
        let Place(country, continent, region, code, zone, latitude, longitude) = place;
        let (latitude, longitude) = (degrees(latitude + north), degrees(longitude + east));
        let geoip = format!(
            r#"{{"country_code":"{country}","timezone":"{zone}","latitude":{latitude},"continent_code":"{continent}","region_name":"{region}","longitude":{longitude},"region_code":"{code}"}}"#
        );
        Spot { ip, geoip }
    }
}

/// Ten-thousandths of a degree as a number of degrees.
fn degrees(ten_thousandths: i64) -> String {
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    let size = ten_thousandths.abs();
    format!("{sign}{}.{:04}", size / 10_000, size % 10_000)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Os {
    Mac,
    Windows,
    Linux,
    Iphone,
    Android,
}

/// The text of `useragent`; `step` counts the four-week releases of browsers.
fn agent(os: Os, browser: &str, step: i64) -> String {
    let (browser, major) = match browser {
        "Chrome" => ("Chrome", 118 + step),
        "Chrome Mobile" => ("Chrome Mobile", 118 + step),
        "Edge" => ("Edge", 118 + step),
        "Firefox" => ("Firefox", 119 + step),
        other => (other, 17),
    };
    let tail = match os {
        Os::Mac => {
            r#""os":"Mac OS X","os_name":"Mac OS X","os_full":"Mac OS X 10.15.7","os_version":"10.15.7","os_major":"10","os_minor":"15","os_patch":"7","device":"Mac""#
        }
        Os::Windows => {
            r#""os":"Windows","os_name":"Windows","os_full":"Windows 10","os_version":"10","os_major":"10","device":"Other""#
        }
        Os::Linux => {
            r#""os":"Ubuntu","os_name":"Ubuntu","os_full":"Ubuntu","os_version":"","os_major":"","device":"Other""#
        }
        Os::Iphone => {
            r#""os":"iOS","os_name":"iOS","os_full":"iOS 17.4.1","os_version":"17.4.1","os_major":"17","os_minor":"4","os_patch":"1","device":"iPhone""#
        }
        Os::Android => {
            r#""os":"Android","os_name":"Android","os_full":"Android 14","os_version":"14","os_major":"14","device":"Pixel 8""#
        }
    };
    format!(r#"{{"name":"{browser}","version":"{major}.0.0.0","major":"{major}","minor":"0","patch":"0",{tail}}}"#)
}

const CURL: &str = r#"{"patch":"0","os_full":"Other","minor":"68","major":"7","os":"Other","name":"curl","os_name":"Other","device":"Other","version":"7.68.0"}"#;
const UNKNOWN_AGENT: &str = r#"{"os_full":"Other","os":"Other","name":"Other","os_name":"Other","device":"Other"}"#;

/// The second factor that somebody uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Factor {
    Totp,
    Push,
    Webauthn,
    Go,
}

/// Somebody with a desk. All texts are ready to be pasted into events.
struct Person {
    id: String,
    name: String,
    /// `initiated_by`
    by: String,
    /// 0 Paris, 1 Boston
    office: usize,
    home: Spot,
    mobile: Spot,
    away: Option<Spot>,
    away_until: i64,
    absent_until: i64,
    is_remote: bool,
    is_late: bool,
    has_vpn: bool,
    signs_in_by_phone: bool,
    factor: Factor,
    os: Os,
    browser: &'static str,
    iphone: bool,
    phone_id: String,
    system_id: String,
    hostname: String,
    laptops: u64,
    old_laptop: Option<(i64, String, String)>,
    joined: i64,
    leaves: Option<i64>,
    /// which applications somebody uses
    taste: usize,
    /// administrators: `initiated_by` as administrator
    admin: Option<String>,
}

const FIRST: &[&str] = &[
    "alice", "bruno", "carla", "david", "elena", "felix", "gina", "hugo", "irene", "jonas", "karin", "louis", "maria",
    "nadia", "oscar", "paula", "quentin", "rosa", "simon", "tessa", "ugo", "vera", "walter", "xenia", "yann", "zoe",
    "amir", "beth", "chen", "dora", "emil", "fatima", "george", "hana", "ivan", "julia", "kofi", "lena", "milan",
];
const LAST: &[&str] = &[
    "adler", "bernard", "costa", "dupont", "eriksen", "fischer", "garcia", "hansen", "ibrahim", "jansen", "keller",
    "lambert", "moreau", "novak", "olsen", "petit", "quinn", "rossi", "silva", "tanaka", "urban", "vidal", "weber",
    "xu", "young", "zimmer", "brooks", "carter", "doyle", "evans", "flores", "grant", "hayes", "irwin", "james",
    "kumar", "lopez",
];

/// Applications: connector, label.
const APPS: &[(&str, &str)] = &[
    ("google", "Google Workspace"),
    ("slack", "Slack"),
    ("zoom", "Zoom"),
    ("salesforce", "Salesforce"),
    ("jira", "Jira Cloud"),
    ("github", "GitHub"),
    ("notion", "Notion"),
    ("bamboohr", "BambooHR"),
    ("zendesk", "Zendesk"),
    ("aws-sso", "AWS IAM Identity Center"),
];
const SOFTWARE: &[(&str, &str)] = &[
    ("Google Chrome", "Google LLC"),
    ("Slack", "Slack Technologies"),
    ("Zoom", "Zoom Video Communications"),
    ("Microsoft Teams", "Microsoft Corporation"),
    ("Visual Studio Code", "Microsoft Corporation"),
    ("1Password", "AgileBits"),
    ("Firefox", "Mozilla"),
];
const DEPARTMENTS: &[&str] = &["Finance", "Sales", "Engineering", "Support", "Marketing", "People"];
const SERVICES: &[(&str, i64, &str)] =
    &[("svc-nas", 300, "uid,cn,gidNumber"), ("svc-wiki", 540, "uid,mail,memberOf"), ("svc-printer", 900, "uid,cn")];
const PROFILE: &str = "PD94bWwgdmVyc2lvbj0iMS4wIiBlbmNvZGluZz0iVVRGLTgiPz4KPCFET0NUWVBFIHBsaXN0IFBVQkxJQyAiLS8vQXBwbGUvL0RURCBQTElTVCAxLjAvL0VOIiAiaHR0cDovL3d3dy5hcHBsZS5jb20vRFREcy9Qcm9wZXJ0eUxpc3QtMS4wLmR0ZCI+CjxwbGlzdCB2ZXJzaW9uPSIxLjAiPjxkaWN0PjxrZXk+UGF5bG9hZFR5cGU8L2tleT48c3RyaW5nPkNvbmZpZ3VyYXRpb248L3N0cmluZz48a2V5PlBheWxvYWRWZXJzaW9uPC9rZXk+PGludGVnZXI+MTwvaW50ZWdlcj48L2RpY3Q+PC9wbGlzdD4K";

/// Everything that changes from day to day.
struct Company {
    seed: u64,
    start: i64,
    rng: Rng,
    log: Log,
    size: usize,
    hired: u64,
    people: Vec<Person>,
    offices: [Spot; 2],
    /// `initiated_by` of the admin at the help desk, and where that is
    admin_text: String,
    admin_office: usize,
    cloud: Spot,
    scim: Spot,
    access_points: [Spot; 3],
}

impl Company {
    fn new(world: &World) -> Company {
        let log = Log {
            seed: mix(world.seed ^ 0x6a63_6465_7465_6374),
            organization: world.organization.clone(),
            start: world.start,
            date: String::new(),
            count: 0,
            text: String::new(),
            lines: Vec::new(),
            at: 0,
            from: 0,
        };
        let mut company = Company {
            seed: world.seed,
            start: world.start,
            rng: Rng(mix(world.seed)),
            log,
            size: world.people.max(1) as usize,
            hired: 0,
            people: Vec::new(),
            offices: [
                Spot::new("203.0.113.10".to_owned(), PARIS, 0, 0),
                Spot::new("198.51.100.20".to_owned(), BOSTON, 0, 0),
            ],
            admin_text: String::new(),
            admin_office: 0,
            cloud: Spot::new("192.0.2.200".to_owned(), DUBLIN, 0, 0),
            scim: Spot::new("192.0.2.210".to_owned(), DUBLIN, 120, 80),
            access_points: [
                Spot::new("203.0.113.250".to_owned(), FRANKFURT, 0, 0),
                Spot::new("198.51.100.250".to_owned(), MONTREAL, 0, 0),
                Spot::new("203.0.113.251".to_owned(), LILLE, 0, 0),
            ],
        };
        let admins = 3 + company.size / 150;
        for number in 0..company.size {
            let mut person = company.hire(-400);
            if number < admins {
                let id = object_id(company.seed, 2, number as u64);
                let name = &person.name;
                person.admin = Some(format!(r#"{{"id":"{id}","type":"admin","email":"{name}@example.com"}}"#));
                person.is_remote = false;
                person.signs_in_by_phone = false;
                person.has_vpn = false;
            }
            if let Some(admin) = person.admin.as_ref().filter(|_| number == 0) {
                company.admin_text.clone_from(admin);
                company.admin_office = person.office;
            }
            company.people.push(person);
        }
        company
    }

    fn hire(&mut self, day: i64) -> Person {
        let number = self.hired;
        self.hired += 1;
        let rng = &mut self.rng;
        let n = usize::try_from(number).unwrap_or(0);
        let round = n / (FIRST.len() * LAST.len());
        let suffix = if round == 0 { String::new() } else { (round + 1).to_string() };
        let name = format!("{}.{}{suffix}", FIRST[n % FIRST.len()], LAST[n % LAST.len()]);
        let office = usize::from(rng.chance(350));
        let (city, province) = if office == 0 { (PARIS, LILLE) } else { (BOSTON, NEW_YORK) };
        let is_remote = rng.chance(180);
        let place = if is_remote && rng.chance(300) { province } else { city };
        let (north, east) = (rng.range(-1200, 1200), rng.range(-1200, 1200));
        let street = if rng.chance(300) {
            format!("192.0.2.{}", 1 + number % 190)
        } else {
            format!("2001:db8:{:x}:{:x}::{:x}", 0x1000 + number % 0xe000, rng.range(1, 255), rng.range(2, 250))
        };
        let os = rng.pick(&[Os::Mac, Os::Mac, Os::Mac, Os::Windows, Os::Windows, Os::Windows, Os::Linux]);
        let factor = rng.pick(&[
            Factor::Push,
            Factor::Push,
            Factor::Push,
            Factor::Totp,
            Factor::Totp,
            Factor::Webauthn,
            Factor::Go,
        ]);
        let id = object_id(self.seed, 1, number);
        let mobile = Spot::new(format!("2001:db8:f{office:x}{:02x}:{:x}::1", number % 200, number), city, 300, 300);
        let mut person = Person {
            by: format!(r#"{{"administrator":false,"id":"{id}","type":"user","username":"{name}"}}"#),
            id,
            name,
            office,
            home: Spot::new(street, place, north, east),
            mobile,
            away: None,
            away_until: -1,
            absent_until: -1,
            is_remote,
            is_late: rng.chance(100),
            has_vpn: rng.chance(200),
            signs_in_by_phone: rng.chance(150),
            factor,
            os,
            browser: browser_of(os, rng),
            iphone: rng.chance(550),
            phone_id: object_id(self.seed, 3, number),
            system_id: String::new(),
            hostname: String::new(),
            laptops: 0,
            old_laptop: None,
            joined: day,
            leaves: None,
            taste: rng.index(4),
            admin: None,
        };
        issue_laptop(self.seed, &mut person, number);
        person
    }

    /// Makes up one day: day 0 is the first, a Monday.
    fn live(&mut self, day: i64) {
        self.log.new_day(self.start + day * DAY);
        let weekday = day.rem_euclid(7);
        if weekday == 0 {
            self.week(day);
        }
        self.human_resources(day, weekday);
        let mut people = std::mem::take(&mut self.people);
        let help = people.iter().find_map(|p| Some((p.admin.clone()?, self.offices[p.office].clone())));
        for person in &mut people {
            if let Some((admin, desk)) = &help {
                self.somebody(person, day, weekday, admin, desk);
            }
        }
        self.people = people;
        if weekday < 5 {
            self.administration(day, weekday);
            self.errands(day);
        }
        self.machines(day, weekday);
        self.people.retain(|p| p.leaves != Some(day));
    }

    /// Decides on Monday who travels, is on leave, leaves for good, and gets a new laptop.
    fn week(&mut self, day: i64) {
        let rng = &mut self.rng;
        for (number, person) in self.people.iter_mut().enumerate() {
            if person.absent_until >= day || person.admin.is_some() || person.joined > day - 21 {
                continue;
            }
            match rng.next() % 1000 {
                // Three or four days abroad, from Tuesday; Monday and Friday are for the flights.
                0..=15 if day >= 21 => {
                    let list = if person.office == 0 { ABROAD_OF_PARIS } else { ABROAD_OF_BOSTON };
                    let place = rng.pick(list);
                    let ip = format!("2001:db8:e{:03x}:{:x}::{:x}", rng.range(0, 4096), number, rng.range(2, 99));
                    person.away = Some(Spot::new(ip, place, rng.range(-300, 300), rng.range(-300, 300)));
                    person.away_until = day + 3;
                }
                16..=31 => person.absent_until = day + 7 * rng.range(1, 4) - 1,
                32..=43 => person.leaves = Some(day + 4),
                _ => {}
            }
        }
    }

    /// The nightly sync of the HR system, joiners on Monday and leavers on the evening of their last day.
    fn human_resources(&mut self, day: i64, weekday: i64) {
        if weekday == 0 && day > 0 {
            while self.people.len() < self.size {
                let mut person = self.hire(day);
                person.factor = if self.rng.chance(500) { Factor::Push } else { Factor::Totp };
                self.people.push(person);
            }
        }
        let by = self.scim_by();
        let (log, rng, scim) = (&mut self.log, &mut self.rng, &self.scim);
        let mut at = 3600 + rng.range(0, 300);
        for person in &self.people {
            let (id, name) = (&person.id, &person.name);
            let (ip, geoip) = (&scim.ip, &scim.geoip);
            if person.joined == day {
                let (first, last) = name.split_once('.').unwrap_or((name, ""));
                let at = 5 * 3600 + rng.range(0, 1200);
                event!(
                    log,
                    at,
                    directory("user_create"),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{CURL},"changes":[{{"field":"active","to":true}},{{"field":"username","to":"{name}"}},{{"field":"email","to":"{name}@example.com"}},{{"field":"firstname","to":"{first}"}},{{"field":"lastname","to":"{last}"}},{{"field":"state","to":"ACTIVATED"}}],"auth_method":"api key","correlation":{{}},"message_chain":{{}},"success":true,"client_ip":"{ip}""#
                );
                event!(
                    log,
                    at + 2,
                    directory("user_activated"),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{CURL},"auth_method":"api key","success":true,"client_ip":"{ip}""#
                );
                event!(
                    log,
                    at + 9,
                    directory("user_create_provision"),
                    r#""initiated_by":{{"type":"system","source":"system"}},"resource":{{"id":"{id}","type":"user","username":"{name}","app_name":"Google Workspace"}},"message_chain":{{"response_code":"201","response_message":"created"}},"success":true"#
                );
            } else if rng.chance(60) {
                at += rng.range(1, 9);
                let department = rng.pick(DEPARTMENTS);
                let street = rng.range(1, 99);
                event!(
                    log,
                    at,
                    directory("user_update"),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{CURL},"changes":[{{"field":"addresses","from":[{{"country":"FR","poBox":"","streetAddress":"","postalCode":"","locality":"","region":"","extendedAddress":"","type":"home"}}],"to":[{{"country":"FR","poBox":"","streetAddress":"{street} rue des Petites Ecuries","postalCode":"75010","locality":"Paris","region":"","extendedAddress":"","type":"work"}}]}},{{"field":"department","from":"","to":"{department}"}},{{"field":"location","from":"Paris","to":"France"}}],"auth_method":"api key","correlation":{{}},"message_chain":{{}},"success":true,"client_ip":"{ip}""#
                );
            }
            if person.leaves == Some(day) {
                let at = 23 * 3600 + rng.range(0, 1800);
                event!(
                    log,
                    at,
                    directory("user_update"),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{CURL},"changes":[{{"field":"state","from":"ACTIVATED","to":"SUSPENDED"}},{{"field":"suspended","from":false,"to":true}}],"auth_method":"api key","correlation":{{}},"message_chain":{{}},"success":true,"client_ip":"{ip}""#
                );
                event!(
                    log,
                    at + 1,
                    directory("user_suspended"),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{CURL},"auth_method":"api key","success":true,"client_ip":"{ip}""#
                );
            }
        }
    }

    fn scim_by(&self) -> String {
        let id = object_id(self.seed, 2, 9_000_001);
        format!(r#"{{"source":"scim","id":"{id}","type":"admin","email":"hr-sync@example.com"}}"#)
    }

    /// The day of one person. `admin` and `desk`: who helps, and from where.
    fn somebody(&mut self, person: &mut Person, day: i64, weekday: i64, admin: &str, desk: &Spot) {
        if person.away.is_some() && day > person.away_until {
            // The flight home, and the evening after it.
            person.away = None;
            person.absent_until = person.absent_until.max(day);
        }
        let rng = &mut self.rng;
        let is_abroad = person.away.is_some();
        let is_new = person.joined == day;
        let on_call = weekday >= 5 && person.admin.is_none() && !is_abroad && rng.chance(30);
        let is_off = if weekday < 5 { !is_new && rng.chance(15) } else { !on_call };
        if person.absent_until >= day || (is_abroad && weekday == 0) || is_off {
            return;
        }
        let is_admin = person.admin.is_some();
        let at_office = weekday < 5 && !is_abroad && (is_admin || is_new || (!person.is_remote && rng.chance(720)));
        let spot = match &person.away {
            Some(away) => away.clone(),
            None if at_office => self.offices[person.office].clone(),
            None => person.home.clone(),
        };
        let mut begin = if person.office == 0 { 7 * 3600 } else { 13 * 3600 } + rng.range(0, 7200);
        if person.is_late && person.office == 0 {
            begin += 4 * 3600;
        }
        let end = (begin + if on_call { 7200 } else { 30_600 + rng.range(-1800, 1800) }).min(80_000);
        if !is_new && !is_abroad && weekday < 5 && !is_admin && day > 10 && rng.chance(2) {
            self.hired += 1;
            self.new_laptop(person, day, begin - 1500, admin, desk);
        }
        if let Some((due, id, hostname)) = person.old_laptop.take_if(|old| old.0 <= day && weekday < 5) {
            let at = 9 * 3600 + due % 7 * 600 + self.rng.range(0, 500);
            let (log, agent, Spot { ip, geoip }) = (&mut self.log, agent(Os::Mac, "Chrome", day / 28), desk);
            event!(
                log,
                at,
                directory("system_delete"),
                r#""initiated_by":{admin},"geoip":{geoip},"resource":{{"id":"{id}","type":"system","hostname":"{hostname}","displayName":"{hostname}"}},"useragent":{agent},"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#
            );
        }
        if is_new {
            self.join(person, day, begin, &spot, admin, desk);
            begin += 1800;
        }
        self.work(person, day, &spot, begin, end, at_office);
    }

    /// A laptop of another make: issued by an admin, and named to the directory before its first use.
    fn new_laptop(&mut self, person: &mut Person, day: i64, at: i64, admin: &str, desk: &Spot) {
        person.old_laptop = Some((day + 7, person.system_id.clone(), person.hostname.clone()));
        person.os = if person.os == Os::Mac { Os::Windows } else { Os::Mac };
        person.browser = browser_of(person.os, &mut self.rng);
        issue_laptop(self.seed, person, self.hired);
        self.issue(person, day, at, admin, desk);
    }

    /// The device comes up, and an admin binds it to its owner.
    fn issue(&mut self, person: &Person, day: i64, at: i64, admin: &str, desk: &Spot) {
        let (log, agent) = (&mut self.log, agent(Os::Mac, "Chrome", day / 28));
        let Person { id, name, system_id, hostname, .. } = person;
        let Spot { ip, geoip } = desk;
        let there = &self.offices[person.office];
        event!(
            log,
            at,
            directory("system_create"),
            r#""initiated_by":{{"id":"{system_id}","type":"system"}},"geoip":{},"resource":{{"id":"{system_id}","type":"system","hostname":"{hostname}","displayName":"{hostname}"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"auth_method":"other","provider":null,"success":true,"client_ip":"{}""#,
            there.geoip,
            there.ip
        );
        event!(
            log,
            at + 240,
            directory("association_change"),
            r#""initiated_by":{admin},"geoip":{geoip},"useragent":{agent},"association":{{"op":"add","action_source":"manual","connection":{{"from":{{"name":"{hostname}","type":"system","object_id":"{system_id}"}},"to":{{"name":"{name}","type":"user","object_id":"{id}"}}}},"attributes":null}},"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#
        );
        event!(
            log,
            at + 600,
            Kind("systems", "system_fde_key_update", Stamp::Millis),
            r#""initiated_by":{{"id":"{system_id}","type":"system"}},"resource":{{"id":"{system_id}","type":"system","hostname":"{hostname}"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"success":true,"client_ip":"{}""#,
            there.ip
        );
    }

    /// The first morning: laptop, groups, first sign-in without a second factor, password, enrolment.
    fn join(&mut self, person: &Person, day: i64, at: i64, spot: &Spot, admin: &str, desk: &Spot) {
        self.issue(person, day, at - 1200, admin, desk);
        let (log, rng) = (&mut self.log, &mut self.rng);
        let machine = agent(person.os, person.browser, day / 28);
        let clerk = agent(Os::Mac, "Chrome", day / 28);
        let Person { id, name, by, .. } = person;
        let group = rng.pick(DEPARTMENTS);
        event!(
            log,
            at - 500,
            directory("association_change"),
            r#""initiated_by":{admin},"geoip":{},"useragent":{clerk},"association":{{"op":"add","action_source":"manual","connection":{{"from":{{"name":"{}","type":"user_group","object_id":"{}"}},"to":{{"name":"{name}","type":"user","object_id":"{id}"}}}},"attributes":null}},"auth_method":"session","provider":null,"success":true,"client_ip":"{}""#,
            desk.geoip,
            group.to_lowercase(),
            object_id(self.seed, 6, group.len() as u64),
            desk.ip
        );
        let Spot { ip, geoip } = spot;
        event!(
            log,
            at,
            directory("user_password_set"),
            r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{machine},"changes":[{{"field":"password"}}],"auth_method":"other","provider":null,"success":true,"client_ip":"{ip}""#
        );
        event!(
            log,
            at + 40,
            directory("user_login_attempt"),
            r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"mfa":false,"mfa_meta":{{"type":"none"}},"auth_context":{{"auth_methods":{{"password":{{"success":true}}}},"policies_applied":[{{"metadata":{{"resource_type":"USER_PORTAL","action":"ALLOW"}},"name":"Enrollment Policy","id":""}}]}},"target_resource":{{"type":"USER_PORTAL"}},"provider":null,"success":true,"client_ip":"{ip}""#
        );
        enrol(log, person, spot, &machine, at + 90);
    }

    /// Sign-ins, applications, networks and devices of a working day.
    fn work(&mut self, person: &Person, day: i64, spot: &Spot, begin: i64, end: i64, at_office: bool) {
        let machine = agent(person.os, person.browser, day / 28);
        let is_abroad = person.away.is_some();
        let phone_spot = match &person.away {
            Some(away) => away,
            None if at_office && self.rng.chance(400) => spot,
            None => &person.mobile,
        };
        let phone_spot = phone_spot.clone();
        self.console(person, spot, begin - 120, is_abroad);
        // Somebody with a VPN works from home through the office.
        let spot = if person.has_vpn && !at_office && !is_abroad {
            self.radius(person, begin - 30, &self.offices[person.office].clone(), "pap");
            &self.offices[person.office].clone()
        } else {
            spot
        };
        let is_lost = person.factor == Factor::Totp && at_office && person.joined < day - 30 && self.rng.chance(3);
        if is_lost {
            self.lost_phone(person, day, begin - 30);
        }
        let mut from = self.sign_in(person, spot, &machine, begin + 400, &phone_spot, true);
        while from < end {
            let until = (from + self.rng.range(12_000, 16_000)).min(end);
            for _ in 0..=(until - from) / 2400 {
                let at = self.rng.range(from + 5, until);
                self.application(person, spot, &machine, at);
            }
            if end - until < 1800 {
                break;
            }
            from = self.sign_in(person, spot, &machine, until + 60, &phone_spot, true);
        }
        if person.signs_in_by_phone && self.rng.chance(300) {
            let mobile = if person.iphone {
                agent(Os::Iphone, "Mobile Safari", day / 28)
            } else {
                agent(Os::Android, "Chrome Mobile", day / 28)
            };
            let at = self.rng.range(begin + 3600, end - 1900);
            let from = self.sign_in(person, &phone_spot, &mobile, at, &phone_spot, false);
            for _ in 0..self.rng.range(1, 4) {
                let at = from + self.rng.range(5, 1800);
                self.sso(person, &phone_spot, &mobile, at, false, Step::Done);
            }
        }
        if at_office {
            for _ in 0..self.rng.range(2, 6) {
                let at = self.rng.range(begin - 60, end);
                let point = self.rng.index(8);
                let point = self.access_points.get(point).unwrap_or(&self.offices[person.office]).clone();
                self.radius(person, at, &point, "eap");
            }
        }
        self.odds(person, spot, &machine, begin, end, at_office);
    }

    /// What happens to anybody now and then.
    fn odds(&mut self, person: &Person, spot: &Spot, machine: &str, begin: i64, end: i64, at_office: bool) {
        let (log, rng) = (&mut self.log, &mut self.rng);
        let Person { id, name, by, system_id, hostname, .. } = person;
        let Spot { ip, geoip } = spot;
        if rng.chance(120) {
            let at = rng.range(begin + 900, end);
            for item in 0..rng.range(1, 4) {
                let number = rng.range(1, 40);
                event!(
                    log,
                    at + item * 700,
                    Kind("password_manager", "passwordmanager_item_reveal", Stamp::Millis),
                    r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{}","type":"passwordmanager_item","name":"login {number}"}},"user_agent":{machine},"auth_method":"session","success":true,"client_ip":"{ip}""#,
                    object_id(self.seed, 9, u64::try_from(number).unwrap_or(0))
                );
            }
        }
        if person.admin.is_none() && rng.chance(6) {
            let at = rng.range(begin + 900, end - 4000);
            event!(
                log,
                at - 200,
                directory("user_password_warning_email"),
                r#""initiated_by":{{"type":"system"}},"resource":{{"id":"{id}","type":"user","username":"{name}","recipient_email":"{name}@example.com","email_type":"password_expiration_warning"}},"success":true"#
            );
            event!(
                log,
                at,
                directory("user_password_change"),
                r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{machine},"changes":[{{"field":"password"}}],"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#
            );
            if at_office && rng.chance(150) {
                self.locked_out(person, at + 900);
            }
        }
        let (log, rng) = (&mut self.log, &mut self.rng);
        if rng.chance(200) {
            let (app, publisher) = rng.pick(SOFTWARE);
            let at = rng.range(begin, end);
            let kind =
                Kind("software", if rng.chance(800) { "software_change" } else { "software_add" }, Stamp::Millis);
            event!(
                log,
                at,
                kind,
                r#""application":{{"name":"{app}","version":"{}.{}","publisher":"{publisher}","path":"/Applications/{app}.app","package_manager":""}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"resource":{{"id":"{}","type":"application","name":"{app}"}}"#,
                rng.range(4, 130),
                rng.range(0, 60),
                object_id(self.seed, 8, app.len() as u64)
            );
        }
        for _ in 0..rng.range(1, 4) {
            let (app, _) = rng.pick(SOFTWARE);
            let at = rng.range(begin, end);
            event!(
                log,
                at,
                Kind("software", "software_status_update", Stamp::Millis),
                r#""application":{{"name":"{app}","version":"{}.0"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"changes":[{{"field":"state","from":"INSTALL_PENDING","to":"INSTALL_SUCCESS"}},{{"field":"reportedAt","to":"{}08:00:00Z"}}],"resource":{{"id":"{}","type":"software_app","displayName":"{app}"}},"success":true"#,
                rng.range(4, 130),
                log.date,
                object_id(self.seed, 8, app.len() as u64)
            );
        }
    }

    /// A phone keeps the old password until the account is locked; an admin unlocks it.
    fn locked_out(&mut self, person: &Person, at: i64) {
        let Person { id, name, .. } = person;
        let point = self.offices[person.office].clone();
        for attempt in 0..6 {
            self.radius_failure(person, at + attempt * 50, &point);
        }
        let help = at + self.rng.range(500, 1500);
        let admin = self.admin_text.clone();
        let (log, Spot { ip, geoip }) = (&mut self.log, &self.offices[self.admin_office]);
        event!(
            log,
            at + 302,
            directory("user_lockout"),
            r#""initiated_by":{{"type":"system"}},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"success":true"#
        );
        event!(
            log,
            help,
            directory("user_unlocked"),
            r#""initiated_by":{admin},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{},"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#,
            agent(Os::Mac, "Chrome", 0)
        );
        self.radius(person, help + 120, &point, "eap");
    }

    /// An admin takes the lost factor away, and its owner enrols another at the office.
    fn lost_phone(&mut self, person: &Person, day: i64, at: i64) {
        let Person { id, name, .. } = person;
        let step = day / 28;
        let (log, Spot { ip, geoip }) = (&mut self.log, &self.offices[self.admin_office]);
        event!(
            log,
            at,
            directory("totp_delete_enrollment"),
            r#""initiated_by":{},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{},"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#,
            self.admin_text,
            agent(Os::Mac, "Chrome", step)
        );
        let spot = self.offices[person.office].clone();
        enrol(log, person, &spot, &agent(person.os, person.browser, step), at + 180);
    }

    /// Signs in at the portal after at most two typos, and returns the time at which it worked.
    fn sign_in(&mut self, person: &Person, spot: &Spot, machine: &str, at: i64, phone: &Spot, is_managed: bool) -> i64 {
        let (log, rng) = (&mut self.log, &mut self.rng);
        let Person { by, name, id, system_id, hostname, .. } = person;
        let Spot { ip, geoip } = spot;
        let mut at = at;
        let typos = if rng.chance(25) { rng.range(1, 3) } else { 0 };
        for _ in 0..typos {
            event!(
                log,
                at,
                directory("user_login_attempt"),
                r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"mfa":false,"mfa_meta":{{"type":""}},"error_message":"invalid credentials","auth_context":{{"auth_methods":{{"password":{{"success":false}}}},"policies_applied":[]}},"target_resource":{{"type":"USER_PORTAL"}},"provider":null,"success":false,"client_ip":"{ip}""#
            );
            at += rng.range(8, 40);
        }
        let system = if is_managed {
            let os = system_os(person.os);
            format!(
                r#""system":{{"hostname":"{hostname}","os":"{os}","displayName":"{hostname}","id":"{system_id}","version":"14.4"}},"#
            )
        } else {
            String::new()
        };
        let (make, model, os, version) =
            if person.iphone { ("Apple", "iPhone15", "ios", "17.4.1") } else { ("Google", "Pixel 8", "android", "14") };
        let device = format!(
            r#""jumpcloud_protect_device":{{"id":"{}","make":"{make}","model":"{model}","os":"{os}","os_version":"{version}","app_version":"2.1.4","username":"{name}","user_id":"{id}","ip":"{}","geoip":{}}},"#,
            person.phone_id, phone.ip, phone.geoip
        );
        let is_push = person.factor == Factor::Push;
        if is_push && typos == 0 && rng.chance(4) {
            event!(
                log,
                at,
                directory("user_login_attempt"),
                r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"mfa":false,"mfa_meta":{{"type":"push"}},"error_message":"push denied or timed out","auth_context":{{{system}{device}"auth_methods":{{"password":{{"success":true}},"totp":{{"success":false}},"jumpcloud_protect":{{"success":false}}}},"policies_applied":[]}},"target_resource":{{"type":"USER_PORTAL"}},"provider":null,"success":false,"client_ip":"{ip}""#
            );
            at += rng.range(65, 120);
        }
        let (kind, methods) = match person.factor {
            Factor::Push => {
                ("push", r#""password":{"success":true},"totp":{"success":false},"jumpcloud_protect":{"success":true}"#)
            }
            Factor::Totp => {
                ("totp", r#""password":{"success":true},"totp":{"success":true},"jumpcloud_protect":{"success":false}"#)
            }
            Factor::Webauthn => {
                ("webauthn", r#""password":{"success":true},"totp":{"success":false},"webauthn":{"success":true}"#)
            }
            Factor::Go if is_managed => {
                ("jumpcloud_go", r#""jumpcloud_go":{"success":true},"jumpcloud_go_uv":{"success":true}"#)
            }
            Factor::Go => {
                ("totp", r#""password":{"success":true},"totp":{"success":true},"jumpcloud_go":{"success":false}"#)
            }
        };
        let device = if is_push { device.as_str() } else { "" };
        event!(
            log,
            at,
            directory("user_login_attempt"),
            r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"mfa":true,"mfa_meta":{{"type":"{kind}"}},"auth_context":{{{system}{device}"auth_methods":{{{methods}}},"policies_applied":[{{"metadata":{{"resource_type":"USER_PORTAL","action":"ALLOW_WITH_MFA"}},"name":"User Portal MFA","id":"{}"}}]}},"target_resource":{{"type":"USER_PORTAL"}},"provider":null,"success":true,"client_ip":"{ip}""#,
            object_id(self.seed, 5, 1)
        );
        at
    }

    /// Opens an application: mostly at once, sometimes after a step-up, seldom in vain.
    fn application(&mut self, person: &Person, spot: &Spot, machine: &str, at: i64) {
        match self.rng.next() % 1000 {
            0..=29 => {
                self.sso(person, spot, machine, at, true, Step::Challenge);
                let later = at + self.rng.range(9, 40);
                self.sso(person, spot, machine, later, true, Step::Passed);
            }
            30..=33 => self.sso(person, spot, machine, at, true, Step::Failed("not authorized")),
            34..=36 => self.sso(person, spot, machine, at, true, Step::Failed("application unreachable")),
            _ => self.sso(person, spot, machine, at, true, Step::Done),
        }
    }

    fn sso(&mut self, person: &Person, spot: &Spot, machine: &str, at: i64, is_managed: bool, step: Step) {
        let (log, rng) = (&mut self.log, &mut self.rng);
        let Person { by, name, id, system_id, hostname, .. } = person;
        let Spot { ip, geoip } = spot;
        let number = rng.index(5) + person.taste;
        let number = if matches!(step, Step::Challenge | Step::Passed) { APPS.len() - 1 } else { number };
        let (connector, label) = APPS[number];
        let (ok, error, mfa, methods, policy) = match step {
            Step::Done => (true, "", false, "", Some(("Global Policy", "ALLOW"))),
            Step::Challenge => (false, "", false, "", Some(("Cloud access", "ALLOW_WITH_MFA"))),
            Step::Passed => (true, "", true, r#""totp":{"success":true}"#, Some(("Cloud access", "ALLOW_WITH_MFA"))),
            Step::Failed(why) => (false, why, false, "", None),
        };
        let is_newer = rng.chance(500);
        log.open(at);
        let text = &mut log.text;
        let _ = write!(
            text,
            r#""error_message":"{error}","initiated_by":{by},"geoip":{geoip},"sso_token_success":{ok},"useragent":{machine},"auth_context":{{"#
        );
        if is_managed {
            let os = system_os(person.os);
            let _ = write!(
                text,
                r#""system":{{"hostname":"{hostname}","os":"{os}","displayName":"{hostname}","id":"{system_id}","version":"14.4"}},"#
            );
        }
        let _ = write!(text, r#""auth_methods":{{{methods}}}"#);
        if let Some((policy, action)) = policy {
            let _ = write!(
                text,
                r#","policies_applied":[{{"metadata":{{"resource_type":"APPLICATION","action":"{action}"}},"name":"{policy}","id":""}}]"#
            );
        }
        let initiated = number == 1;
        let _ = write!(
            text,
            r#"}},"mfa":{mfa},"application":{{"display_label":"{label}","sso_type":"saml","name":"{connector}","id":"{}","sso_url":"https://sso.jumpcloud.com/saml2/{connector}"}},"provider":"","client_ip":"{ip}","idp_initiated":{initiated}"#,
            object_id(self.seed, 4, number as u64)
        );
        if is_newer {
            let _ = write!(
                text,
                r#","target_resource":{{"type":"APPLICATION"}},"jc_initiated_by_email":"{name}@example.com","jc_initiated_by_id":"{id}""#
            );
        }
        log.close(if is_newer { SSO_NEWER } else { SSO });
    }

    /// Unlocks the laptop at its own keyboard.
    fn console(&mut self, person: &Person, spot: &Spot, at: i64, is_abroad: bool) {
        let (log, rng) = (&mut self.log, &mut self.rng);
        let Person { name, system_id, hostname, .. } = person;
        let Spot { ip, geoip } = spot;
        let src = if person.os == Os::Linux && !is_abroad { "10.20.4.17" } else { "" };
        let process = match person.os {
            Os::Windows => "C:\\\\Windows\\\\System32\\\\winlogon.exe",
            Os::Linux => "gdm-password",
            _ => "",
        };
        let meta = if person.os == Os::Windows { r#","windows_meta":{"elevated":false,"logon_type":"2"}"# } else { "" };
        if rng.chance(30) {
            event!(
                log,
                at,
                Kind("systems", "login_attempt", Stamp::Millis),
                r#""initiated_by":{{"type":"user","username":"{name}"}},"username":"{name}","message":"User {name} failed to login from (unknown), process name: {process}, caused by password, time: {}08:00:00.1Z","process_name":"{process}","src_ip":"{src}","geoip":{geoip},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"system_timestamp":"{}08:00:00+00:00"{meta},"success":false,"client_ip":"{ip}""#,
                log.date,
                log.date
            );
        }
        event!(
            log,
            at + 15,
            Kind("systems", "login_attempt", Stamp::Millis),
            r#""initiated_by":{{"type":"user","username":"{name}"}},"username":"{name}","message":"User {name} logged in from (unknown), process name: {process}","process_name":"{process}","src_ip":"{src}","geoip":{geoip},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"system_timestamp":"{}08:00:15+00:00"{meta},"success":true,"client_ip":"{ip}""#,
            log.date
        );
    }

    fn radius(&mut self, person: &Person, at: i64, point: &Spot, how: &str) {
        let (log, name) = (&mut self.log, &person.name);
        let Spot { ip, geoip } = point;
        let (inner, outer) = if how == "eap" { ("MSCHAPv2", r#""PEAP""#) } else { ("", "null") };
        event!(
            log,
            at,
            RADIUS,
            r#""initiated_by":{{"type":"user","username":"{name}"}},"auth_type":"{how}","nas_mfa_state":"DISABLED","geoip":{geoip},"eap_type":"{inner}","outer":{{"error_message":null,"eap_type":{outer},"username":"{name}"}},"mfa":false,"mfa_meta":{{"type":""}},"auth_meta":{{"user_password_enabled":true,"device_cert_enabled":false,"user_cert_enabled":false,"auth_idp":"JUMPCLOUD","userid_type":"USERNAME"}},"error_message":null,"success":true,"client_ip":"{ip}","username":"{name}""#
        );
    }

    fn radius_failure(&mut self, person: &Person, at: i64, point: &Spot) {
        let (log, name) = (&mut self.log, &person.name);
        let Spot { ip, geoip } = point;
        event!(
            log,
            at,
            RADIUS,
            r#""error_message":"mschap: MS-CHAP2-Response is incorrect","initiated_by":{{"type":"user","username":"{name}"}},"auth_type":"eap","nas_mfa_state":"DISABLED","geoip":{geoip},"eap_type":"MSCHAPv2","outer":{{"error_message":"eap_peap: The users session was previously rejected: returning reject (again.)","eap_type":"PEAP","username":"{name}"}},"mfa":false,"auth_meta":{{"user_password_enabled":true,"device_cert_enabled":false,"user_cert_enabled":false,"auth_idp":"JUMPCLOUD","userid_type":"USERNAME"}},"success":false,"client_ip":"{ip}","username":"{name}""#
        );
    }

    /// Admins at work: a sign-in with MFA from their desk, then edits over the day.
    fn administration(&mut self, day: i64, weekday: i64) {
        let step = day / 28;
        let (log, rng) = (&mut self.log, &mut self.rng);
        let staff = &self.people;
        for person in staff {
            let Some(by) = &person.admin else { continue };
            let Spot { ip, geoip } = &self.offices[person.office];
            let machine = agent(person.os, person.browser, step);
            let begin = if person.office == 0 { 8 * 3600 } else { 14 * 3600 } + rng.range(0, 3600);
            let frame = format!(
                r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"client_ip":"{ip}","provider":null"#
            );
            if rng.chance(20) {
                event!(
                    log,
                    begin - 25,
                    directory("admin_login_attempt"),
                    r#"{frame},"mfa":false,"error_message":"invalid credentials","success":false"#
                );
            }
            for at in [begin, begin + 4 * 3600 + rng.range(0, 1800)] {
                event!(log, at, directory("admin_login_attempt"), r#"{frame},"mfa":true,"success":true"#);
            }
            let other = &staff[rng.index(staff.len())];
            let (id, name) = (&other.id, &other.name);
            let department = rng.pick(DEPARTMENTS);
            for edit in 0..rng.range(1, 4) {
                event!(
                    log,
                    begin + 900 + edit * 4000,
                    directory("user_update"),
                    r#"{frame},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"changes":[{{"field":"department","from":"Support","to":"{department}"}},{{"field":"jobTitle","from":"","to":"Specialist {edit}"}}],"auth_method":"session""#
                );
            }
            if rng.chance(300) {
                event!(
                    log,
                    begin + 2000,
                    directory("group_update"),
                    r#"{frame},"resource":{{"id":"{}","type":"user_group","name":"{}"}},"changes":[{{"field":"description","from":"","to":"the {department} team"}}],"auth_method":"session","success":true"#,
                    object_id(self.seed, 6, department.len() as u64),
                    department.to_lowercase()
                );
            }
            if rng.chance(250) {
                let task = rng.range(1, 5);
                let id = object_id(self.seed, 7, u64::try_from(task).unwrap_or(0));
                for target in 0..rng.range(1, 4) {
                    let Person { system_id, hostname, .. } = &staff[rng.index(staff.len())];
                    let at = begin + 6000 + target * 20;
                    event!(
                        log,
                        at,
                        directory("command_run"),
                        r#"{frame},"resource":{{"id":"{id}","type":"command","name":"inventory {task}"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"auth_method":"session","success":true"#
                    );
                    event!(
                        log,
                        at + 8,
                        Kind("systems", "command_result", Stamp::Millis),
                        r#""resource":{{"id":"{id}","type":"command","name":"inventory {task}"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"exit_code":0,"success":true"#
                    );
                }
            }
            if weekday == 4 || rng.chance(200) {
                event!(
                    log,
                    begin + 9000,
                    Kind("reports", "report_run", Stamp::Millis),
                    r#""initiated_by":{by},"geoip":{geoip},"user_agent":{machine},"client_ip":"{ip}","resource":{{"id":"users-to-devices","type":"report","name":"Users to Devices"}},"auth_method":"session","success":true"#
                );
            }
        }
    }

    /// What runs without anybody: LDAP services, the integration, agents, MDM.
    fn machines(&mut self, day: i64, weekday: i64) {
        self.services();
        let (log, rng) = (&mut self.log, &mut self.rng);
        let Spot { ip, geoip } = &self.cloud;
        let by = format!(
            r#"{{"id":"{}","type":"admin","email":"api-integration@example.com"}}"#,
            object_id(self.seed, 2, 9_000_002)
        );
        let group = object_id(self.seed, 6, 99);
        for hour in [2, 8, 14, 20] {
            let at = hour * 3600 + rng.range(0, 60);
            event!(
                log,
                at,
                directory("group_update"),
                r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{group}","type":"user_group","name":"inventory"}},"useragent":{UNKNOWN_AGENT},"changes":[{{"field":"attributes","from":{{"refreshed":{}}},"to":{{"refreshed":{}}}}}],"auth_method":"api key","provider":null,"success":true,"client_ip":"{ip}""#,
                day * 24 + hour - 6,
                day * 24 + hour
            );
        }
        if weekday == 0 {
            event!(
                log,
                4 * 3600,
                Kind("reports", "report_run", Stamp::Millis),
                r#""initiated_by":{by},"geoip":{geoip},"user_agent":{UNKNOWN_AGENT},"resource":{{"id":"weekly","type":"report","name":"OS Version"}},"auth_method":"api key","success":true,"client_ip":"{ip}""#
            );
        }
        for person in &self.people {
            let Person { system_id, hostname, .. } = person;
            if weekday < 5 && rng.chance(300) {
                let at = rng.range(6 * 3600, 20 * 3600);
                event!(
                    log,
                    at,
                    Kind("systems", "policy_result", Stamp::Millis),
                    r#""resource":{{"type":"policy","policy_id":"{}","policy_name":"Lock Screen","policy_template_id":"5a00000000000000000000aa","policy_template_name":"lock_screen"}},"system":{{"id":"{system_id}","hostname":"{hostname}","displayName":"{hostname}"}},"previous_state":"pending","state":"success","exit_status":0,"success":true"#,
                    object_id(self.seed, 5, 2)
                );
            }
            if person.os == Os::Mac && rng.chance(400) {
                let request = rng.pick(&["ProfileList", "InstallProfile", "DeviceInformation", "SecurityInfo"]);
                let at = rng.range(3600, 23 * 3600);
                let one = rng.next();
                event!(
                    log,
                    at,
                    Kind("mdm", "mdm_command_result", Stamp::Nanos),
                    r#""mdm_type":"apple","request_type":"{request}","mdm_device_id":"{system_id}","mdm_device_manager_id":"{}","command":{{"request_type":"{request}","payload":"{PROFILE}"}},"command_uuid":"{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}","error_chain":null,"status":"Acknowledged""#,
                    object_id(self.seed, 5, 3),
                    one >> 32,
                    one >> 16 & 0xffff,
                    one & 0xfff,
                    one >> 8 & 0xfff,
                    one >> 16
                );
            }
        }
        if rng.chance(500) {
            let Person { system_id, hostname, .. } = &self.people[rng.index(self.people.len())];
            let at = rng.range(3600, 23 * 3600);
            event!(
                log,
                at,
                Kind("alerts", "alert_created", Stamp::Millis),
                r#""initiated_by":{{"type":"system"}},"category":"System","severity":"Low","resource":{{"id":"{}","type":"alert","source_id":"{system_id}","source_type":"device","context":"{{\"displayName\":\"{hostname}\"}}"}},"correlation":{{"id":"{}"}},"success":true"#,
                object_id(self.seed, 10, log.count),
                object_id(self.seed, 5, 4)
            );
        }
    }

    fn services(&mut self) {
        let (log, rng) = (&mut self.log, &mut self.rng);
        let organization = log.organization.clone();
        let people = self.size.min(400);
        for (number, &(name, every, attr)) in SERVICES.iter().enumerate() {
            let dn = format!("uid={name},ou=Users,o={organization},dc=jumpcloud,dc=com");
            let mut at = rng.range(0, every);
            while at < DAY - 60 {
                let connection = rng.next() >> 40;
                let is_sync = number == 1 && (3 * 3600..3 * 3600 + every).contains(&at);
                let results = if is_sync { people } else { 1 + rng.index(3) };
                let somebody = &self.people[rng.index(self.people.len())].name;
                let filter =
                    if is_sync { "(objectClass=inetOrgPerson)".to_owned() } else { format!("(uid={somebody})") };
                event!(
                    log,
                    at,
                    Kind("ldap", "ldap_bind", Stamp::Nanos),
                    r#""initiated_by":{{"type":"user","username":"{name}"}},"username":"{name}","dn":"{dn}","mech":"","auth_method":"simple","start_tls":false,"tls_established":true,"error_code":0,"error_message":"","connection_id":"{connection}","operation_number":1,"operation_type":"BIND","auth_meta":{{"auth_methods":{{"password":{{"success":true}}}},"policies_applied":[]}},"success":true"#
                );
                event!(
                    log,
                    at + 1,
                    Kind("ldap", "ldap_srch", Stamp::Nanos),
                    r#""initiated_by":{{"type":"user","username":"{name}"}},"username":"{name}","dn":"{dn}","base":"ou=Users,o={organization},dc=jumpcloud,dc=com","scope":2,"deref":0,"filter":"{filter}","attr":"{attr}","number_of_results":{results},"mech":"","auth_method":"simple","start_tls":false,"tls_established":true,"error_code":0,"error_message":"","connection_id":"{connection}","operation_number":2,"operation_type":"SEARCH RESULT","success":true"#
                );
                at += every + rng.range(-20, 20);
            }
        }
    }
}

/// How an attempt to open an application ends.
#[derive(Clone, Copy)]
enum Step {
    /// at once, by the session of the portal
    Done,
    /// a further factor is asked for
    Challenge,
    /// and was given
    Passed,
    /// in vain
    Failed(&'static str),
}

/// Enrols TOTP: start and finish.
fn enrol(log: &mut Log, person: &Person, spot: &Spot, machine: &str, at: i64) {
    let Person { id, name, by, .. } = person;
    let Spot { ip, geoip } = spot;
    for (kind, at) in [("totp_start_enrollment", at), ("totp_finish_enrollment", at + 45)] {
        event!(
            log,
            at,
            directory(kind),
            r#""initiated_by":{by},"geoip":{geoip},"resource":{{"id":"{id}","type":"user","username":"{name}"}},"useragent":{machine},"auth_method":"session","provider":null,"success":true,"client_ip":"{ip}""#
        );
    }
}

fn browser_of(os: Os, rng: &mut Rng) -> &'static str {
    match os {
        Os::Mac => rng.pick(&["Chrome", "Chrome", "Safari", "Firefox"]),
        Os::Windows => rng.pick(&["Chrome", "Chrome", "Edge", "Firefox"]),
        _ => "Firefox",
    }
}

fn system_os(os: Os) -> &'static str {
    match os {
        Os::Windows => "Windows",
        Os::Linux => "Ubuntu",
        _ => "Mac OS X",
    }
}

fn issue_laptop(seed: u64, person: &mut Person, number: u64) {
    person.laptops += 1;
    person.system_id = object_id(seed, 11, number);
    let initials: String = person.name.split('.').filter_map(|part| part.chars().next()).collect();
    let kind = if person.os == Os::Mac { "MBP" } else { "LAPTOP" };
    person.hostname = format!("{}-{kind}-{number:04}", initials.to_uppercase());
}
