//! Errands: what a help desk and its administrators do now and then beside their daily edits. Forgotten passwords,
//! recovery keys, remote help, memberships, policies, commands, applications, a refresh of old hardware.

use std::fmt::Write as _;

use super::{Company, Kind, Rng, Spot, Stamp, agent, directory, mix, object_id};

impl Company {
    /// The errands of a working day. They have a chance of their own, so that the rest of the world stays as it is.
    pub(super) fn errands(&mut self, day: i64) {
        let mut rng = Rng(mix(self.seed ^ 0x6572_7261_6e64 ^ day.unsigned_abs()));
        self.help_desk(&mut rng, day);
        self.memberships(&mut rng, day);
        self.engineering(&mut rng, day);
        if day == 38 {
            self.refresh(&mut rng, day);
        }
    }

    /// Who does it: `initiated_by`, address, place and agent of an administrator at the desk.
    fn desk(&self, number: usize, day: i64) -> Option<String> {
        let person = self.people.iter().filter(|person| person.admin.is_some()).nth(number)?;
        let (by, Spot { ip, geoip }) = (person.admin.as_ref()?, &self.offices[person.office]);
        let machine = agent(person.os, person.browser, day / 28);
        Some(format!(
            r#""initiated_by":{by},"geoip":{geoip},"useragent":{machine},"client_ip":"{ip}","provider":null,"auth_method":"session","success":true"#
        ))
    }

    fn help_desk(&mut self, rng: &mut Rng, day: i64) {
        let Some(frame) = self.desk(1, day) else { return };
        let others: Vec<usize> = (0..self.people.len()).filter(|n| self.people[*n].admin.is_none()).collect();
        if others.is_empty() {
            return;
        }
        let log = &mut self.log;
        // Remote help, which the owner of the laptop joins.
        for _ in 0..rng.range(0, 3) {
            let person = &self.people[others[rng.index(others.len())]];
            let (system, hostname, by) = (&person.system_id, &person.hostname, &person.by);
            let at = rng.range(14 * 3600, 18 * 3600);
            let kind = |name| Kind("systems", name, Stamp::Millis);
            let device = format!(r#""system":{{"id":"{system}","hostname":"{hostname}","displayName":"{hostname}"}}"#);
            event!(log, at, kind("remote_session_start"), "{frame},{device}");
            event!(log, at + 40, kind("remote_session_join"), r#""initiated_by":{by},"success":true,{device}"#);
            event!(log, at + 900, kind("remote_session_end"), "{frame},{device}");
        }
        // Somebody is locked out of a disk.
        if rng.chance(200) {
            let person = &self.people[others[rng.index(others.len())]];
            let (system, hostname) = (&person.system_id, &person.hostname);
            event!(
                log,
                rng.range(14 * 3600, 18 * 3600),
                Kind("systems", "system_fde_key_decrypt", Stamp::Millis),
                r#"{frame},"resource":{{"id":"{system}","type":"system","hostname":"{hostname}"}},"system":{{"id":"{system}","hostname":"{hostname}","displayName":"{hostname}"}}"#
            );
        }
        // Somebody forgot a password, and gets a mail from the help desk.
        if rng.chance(300) {
            let person = &self.people[others[rng.index(others.len())]];
            event!(
                log,
                rng.range(14 * 3600, 18 * 3600),
                directory("user_password_reset_request"),
                r#"{frame},"resource":{{"id":"{}","type":"user","username":"{}","recipient_email":"{}@example.com"}}"#,
                person.id,
                person.name,
                person.name
            );
        }
    }

    /// People change teams, and applications are given to teams.
    fn memberships(&mut self, rng: &mut Rng, day: i64) {
        let Some(frame) = self.desk(0, day) else { return };
        let log = &mut self.log;
        for number in 0..rng.range(0, 4) {
            let person = &self.people[rng.index(self.people.len())];
            let team = rng.pick(super::DEPARTMENTS).to_lowercase();
            let (group, op) =
                (object_id(self.seed, 6, team.len() as u64), if rng.chance(700) { "add" } else { "remove" });
            event!(
                log,
                15 * 3600 + number * 300,
                directory("association_change"),
                r#"{frame},"association":{{"op":"{op}","action_source":"manual","connection":{{"from":{{"name":"{team}","type":"user_group","object_id":"{group}"}},"to":{{"name":"{}","type":"user","object_id":"{}"}}}},"attributes":null}}"#,
                person.name,
                person.id
            );
        }
        if rng.chance(80) {
            let (connector, label) = rng.pick(super::APPS);
            let team = rng.pick(super::DEPARTMENTS).to_lowercase();
            let (group, app) =
                (object_id(self.seed, 6, team.len() as u64), object_id(self.seed, 4, connector.len() as u64));
            event!(
                log,
                15 * 3600 + 2000,
                directory("association_change"),
                r#"{frame},"association":{{"op":"add","action_source":"manual","connection":{{"from":{{"name":"{team}","type":"user_group","object_id":"{group}"}},"to":{{"name":"{label}","type":"application","object_id":"{app}"}}}},"attributes":null}}"#
            );
        }
    }

    /// Policies get other names, commands are written and tried on one device, applications come.
    fn engineering(&mut self, rng: &mut Rng, day: i64) {
        let Some(frame) = self.desk(2, day) else { return };
        let target = &self.people[rng.index(self.people.len())];
        let log = &mut self.log;
        if rng.chance(100) {
            event!(
                log,
                16 * 3600,
                directory("policy_update"),
                r#"{frame},"resource":{{"id":"{}","type":"policy","name":"Wallpaper","policy_template_name":"custom_wallpaper"}},"changes":[{{"field":"values","from":"v{day}","to":"v{}"}}]"#,
                object_id(self.seed, 5, 9),
                day + 1
            );
        }
        if rng.chance(60) {
            let id = object_id(self.seed, 7, 100 + day.unsigned_abs());
            let resource = format!(r#""resource":{{"id":"{id}","type":"command","name":"fix {day}"}}"#);
            event!(
                log,
                16 * 3600 + 600,
                directory("command_create"),
                r#"{frame},{resource},"changes":[{{"field":"command","to":"softwareupdate -l"}},{{"field":"launchType","to":"manual"}}]"#
            );
            event!(
                log,
                16 * 3600 + 1200,
                directory("command_run"),
                r#"{frame},{resource},"system":{{"id":"{}","hostname":"{}","displayName":"{}"}}"#,
                target.system_id,
                target.hostname,
                target.hostname
            );
        }
        if rng.chance(30) {
            event!(
                log,
                16 * 3600 + 3000,
                directory("application_create"),
                r#"{frame},"resource":{{"id":"{}","type":"application","name":"saml2","displayLabel":"Tool {day}"}}"#,
                object_id(self.seed, 4, 1000 + day.unsigned_abs())
            );
        }
        if rng.chance(30) {
            event!(
                log,
                16 * 3600 + 4000,
                directory("authpolicy_update"),
                r#"{frame},"resource":{{"id":"{}","type":"authn_policy","name":"User Portal MFA"}},"changes":[{{"field":"description","from":"","to":"reviewed"}}]"#,
                object_id(self.seed, 5, 1)
            );
        }
    }

    /// A tenth of the fleet, replaced months ago, is taken out of the console in one sitting.
    fn refresh(&mut self, rng: &mut Rng, day: i64) {
        let Some(frame) = self.desk(1, day) else { return };
        let log = &mut self.log;
        let mut at = 15 * 3600;
        for number in 0..(self.size as u64 / 10).clamp(1, 25) {
            let id = object_id(self.seed, 11, 500_000 + number);
            at += rng.range(15, 40);
            event!(
                log,
                at,
                directory("system_delete"),
                r#"{frame},"resource":{{"id":"{id}","type":"system","hostname":"OLD-MBP-{number:03}","displayName":"OLD-MBP-{number:03}"}}"#
            );
        }
    }
}
