use super::*;
use crate::event::catalogue;
use crate::event::field::Named;

fn said(text: &str) -> String {
    let json = Json::parse(text).unwrap();
    let event = Event::part(&json);
    of(&event).to_string()
}

/// The embedded shapes of events, with some members set.
fn base(name: &str, with: &serde_json::Value) -> String {
    let bases = crate::rule::file::yaml(include_str!("../../rule/bases.yml")).unwrap();
    let mut event = bases[name].clone();
    for (key, value) in with.as_object().unwrap() {
        event[key] = value.clone();
    }
    event.to_string()
}

#[test]
fn every_type_of_the_catalogue_has_words() {
    let without: Vec<&str> = catalogue::names().map(catalogue::canonical).filter(|name| !is_known(name)).collect();
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn phrases_are_sorted_and_can_be_tried() {
    assert!(phrases::PHRASES.is_sorted());
    assert!(phrases::FAILED.is_sorted());
    let of_types = phrases::PHRASES.iter().map(|(_, phrase)| *phrase).filter(|phrase| !phrase.starts_with('^'));
    let all =
        of_types.chain(phrases::VERBS.iter().map(|(_, phrase)| *phrase)).chain(phrases::CHANGES.iter().map(|c| c.3));
    let all = all.chain(phrases::DECISIONS.iter().map(|(_, phrase)| *phrase));
    for phrase in all {
        let first = phrase.split(' ').next().unwrap();
        assert!(phrases::TO.iter().any(|(past, _)| *past == first), "{phrase}");
    }
}

#[test]
fn every_placeholder_is_a_field() {
    const WORDS: [&str; 10] =
        ["whose", "another", "named", "thing", "device", "person", "account", "other account", "workflow", "request"];
    let whole = phrases::PHRASES.iter().chain(phrases::FAILED).map(|(_, phrase)| *phrase);
    let templates = whole.chain(phrases::DECISIONS.iter().map(|(_, phrase)| *phrase));
    for phrase in templates {
        for name in phrase.split('{').skip(1).map(|behind| behind.split('}').next().unwrap()) {
            let is_word = name.starts_with("a ") || name.starts_with("the ");
            let is_word = is_word || WORDS.contains(&name);
            assert!(is_word || !matches!(Field::named(name), Named::Unknown(_)), "{phrase}: {name}");
        }
    }
}

#[test]
fn sign_ins() {
    for (name, with, want) in [
        (
            "user-login",
            serde_json::json!({}),
            "alice signed in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, with TOTP",
        ),
        (
            "user-login-failed",
            serde_json::json!({}),
            "alice failed to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, with a wrong \
             password (invalid credentials)",
        ),
        (
            "user-login-failed",
            serde_json::json!({"mfa": true, "mfa_meta": {"type": "TOTP"}, "auth_context": null}),
            "alice failed to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, asked for TOTP \
             (invalid credentials)",
        ),
        (
            "user-login-failed",
            serde_json::json!({"mfa": true, "mfa_meta": {"type": "none"}, "auth_context": null}),
            "alice failed to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, asked for MFA \
             (invalid credentials)",
        ),
        (
            "push-denied",
            serde_json::json!({}),
            "alice failed to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, because the \
             push was denied or ran out",
        ),
        (
            "admin-login",
            serde_json::json!({"mfa": false}),
            "root@example.com signed in to the Admin Portal from 198.51.100.10 (FR) with Chrome on Mac OS X, without MFA",
        ),
        (
            "sso",
            serde_json::json!({}),
            "alice signed in to Google Workspace through SSO from 198.51.100.10 (FR) with Chrome on Mac OS X",
        ),
        (
            "sso",
            serde_json::json!({"sso_token_success": false, "error_message": "not authorized"}),
            "alice failed to sign in to Google Workspace through SSO from 198.51.100.10 (FR) with Chrome on Mac OS X (not \
             authorized)",
        ),
        (
            "sso",
            serde_json::json!({"sso_token_success": false, "error_message": "application unreachable",
                "application": {"id": "", "name": "", "sso_url": "https://sso.example/saml2/hr"}}),
            "alice failed to sign in to https://sso.example/saml2/hr through SSO from 198.51.100.10 (FR) with Chrome on \
             Mac OS X (application unreachable)",
        ),
        (
            "push-denied",
            serde_json::json!({"mfa": true, "mfa_meta": {"type": "push"}, "auth_context": {"auth_methods":
                {"password": {"success": true}, "jumpcloud_protect": {"success": false}}, "jumpcloud_protect_device": {"geoip": {"country_code": "DE"}}}}),
            "alice failed to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X, asked for a push \
             on a phone in DE, because the push was denied or ran out",
        ),
        (
            "user-login-failed",
            serde_json::json!({"success": null}),
            "alice tried to sign in to the user portal from 198.51.100.10 (FR) with Chrome on Mac OS X (invalid credentials)",
        ),
        (
            "sso",
            serde_json::json!({"sso_token_success": false}),
            "alice was asked for a further factor on the way to Google Workspace from 198.51.100.10 (FR) with Chrome \
             on Mac OS X",
        ),
        ("radius", serde_json::json!({}), "alice signed in over RADIUS (MSCHAPv2) at 192.0.2.1"),
        ("ldap-bind", serde_json::json!({"tls_established": false}), "svc-ldap signed in to LDAP, without TLS"),
        ("device-login", serde_json::json!({}), "alice signed in to the device build-1 with sshd from 203.0.113.9"),
    ] {
        assert_eq!(said(&base(name, &with)), want);
    }
}

#[test]
fn actions() {
    let user = serde_json::json!({"type": "user", "id": "u2", "username": "bruno.bernard"});
    let whence = " from 198.51.100.10 (FR) with Chrome on Mac OS X";
    let change = |field: &str, from: serde_json::Value, to: serde_json::Value| serde_json::json!([{"field": field, "from": from, "to": to}]);
    for (with, want) in [
        (
            serde_json::json!({"event_type": "user_update", "resource": user,
                "changes": change("enable_user_portal_multifactor", true.into(), false.into())}),
            format!("root@example.com switched off MFA for bruno.bernard{whence}"),
        ),
        (
            serde_json::json!({"event_type": "user_update", "resource": user,
                "changes": change("department", "IT".into(), "HR".into())}),
            format!("root@example.com changed the user bruno.bernard{whence}: department: \"IT\" → \"HR\""),
        ),
        (
            serde_json::json!({"event_type": "user_delete", "resource": user, "success": false,
                "error_message": "not allowed"}),
            format!("root@example.com tried to delete the user bruno.bernard and failed{whence} (not allowed)"),
        ),
        (
            serde_json::json!({"event_type": "system_fde_key_decrypt",
                "resource": {"type": "system", "id": "s1", "hostname": "cfo-laptop"}}),
            format!("root@example.com read the disk encryption recovery key of cfo-laptop{whence}"),
        ),
        (
            serde_json::json!({"event_type": "admin_totp_disable",
                "resource": {"type": "admin", "id": "5a0000000000000000000001", "email": "root@example.com"}}),
            format!("root@example.com switched off their own TOTP{whence}"),
        ),
        (
            serde_json::json!({"event_type": "admin_create", "auth_method": "api key",
                "resource": {"type": "admin", "id": "a9", "email": "eve@example.com"},
                "changes": [{"field": "email", "to": "eve@example.com"}, {"field": "_id", "to": "a9"},
                    {"field": "roleName", "to": "Administrator"}]}),
            format!(
                "root@example.com created the administrator eve@example.com{whence} by API key: roleName: \
                 \"Administrator\""
            ),
        ),
        (
            serde_json::json!({"event_type": "integration_domain_add", "resource": {"type": "domain", "name": "sso.example"}}),
            format!("root@example.com added a domain to an integration: sso.example{whence}"),
        ),
        (
            serde_json::json!({"event_type": "foo_create", "resource": {"type": "foo", "name": "X"}}),
            format!("root@example.com did `foo_create` on X{whence}"),
        ),
        (
            serde_json::json!({"event_type": "iplist_update", "resource": {"type": "iplist", "name": "Offices"},
                "changes": change("ips", serde_json::json!(["192.0.2.1"]), serde_json::json!(["192.0.2.1", "0.0.0.0/0"]))}),
            format!("root@example.com changed the IP list Offices{whence}: ips: added \"0.0.0.0/0\""),
        ),
    ] {
        assert_eq!(said(&base("admin-action", &with)), want);
    }
}

#[test]
fn what_happens_by_itself() {
    for (text, want) in [
        (
            r#"{"event_type":"user_lockout","initiated_by":{"type":"system"},"resource":{"type":"user","username":"jo"}}"#,
            "jo was locked out",
        ),
        (r#"{"event_type":"user_suspended","resource":{"username":"jo"}}"#, "somebody suspended jo"),
        (
            r#"{"event_type":"user_suspended","initiated_by":{"type":"system"},"resource":{"username":"jo"}}"#,
            "JumpCloud suspended jo",
        ),
        (r#"{"event_type":"","organization":"o"}"#, "somebody did something without a type"),
    ] {
        assert_eq!(said(text), want, "{text}");
    }
}

/// Sentences that need more than normalized fields, with the record and with what is kept of it.
#[test]
fn what_is_kept_says_the_same_as_the_record() {
    let association = |op: &str| {
        format!(
            r#"{{"event_type":"association_change","initiated_by":{{"type":"admin","email":"root@x.io"}},"association":{{"op":"{op}","connection":{{"from":{{"type":"policy","name":"FileVault"}},"to":{{"type":"system","name":"mac-1"}}}}}}}}"#
        )
    };
    let decision = |to: &str, more: &str| {
        format!(
            r#"{{"event_type":"access_management_access_request_approval","initiated_by":{{"type":"admin","email":"root@x.io"}},"resource":{{"type":"access_request","id":"6c0000000000000000000001"}},"state":"{to}"{more}}}"#
        )
    };
    let policy = r#"{"event_type":"policy_result","success":false,"state":"failed","system":{"hostname":"mac-1"},"resource":{"type":"policy","policy_name":"FileVault"}}"#;
    let command = |more: &str| {
        format!(
            r#"{{"event_type":"mdm_command_result","mdm_device_id":"d1","command":{{"request_type":"EraseDevice"}}{more}}}"#
        )
    };
    let run = |more: &str| {
        format!(
            r#"{{"event_type":"workflow_run","initiated_by":{{"type":"workflow","id":"b1"{more}}},"resource":{{"type":"workflow_run","id":"a1","status":"FAILED"}}}}"#
        )
    };
    let saas = |more: &str| {
        format!(
            r#"{{"event_type":"saas_management_login_event","resource":{{"account_email":"jo@x.io","application_name":"ChatGPT"}}{more}}}"#
        )
    };
    let provision = r#"{"event_type":"user_create_provision","initiated_by":{"type":"system"},"resource":{"type":"user","username":"jo"},"application":{"name":"aws-sso","display_label":"AWS prod"}}"#;
    for (text, want) in [
        (association("add"), "root@x.io bound the device mac-1 to the policy FileVault"),
        (association("remove"), "root@x.io unbound the device mac-1 from the policy FileVault"),
        (decision("DENIED", ""), "root@x.io denied a request for access"),
        (decision("Approved", ""), "root@x.io approved a request for access"),
        (decision("CANCELLED", ""), "root@x.io withdrew a request for access"),
        (decision("DENIED", r#","status":"APPROVED""#), "root@x.io decided on a request for access"),
        (decision("PENDING", r#","success":false"#), "root@x.io tried to decide on a request for access and failed"),
        (policy.to_owned(), "The device mac-1 failed to apply the policy FileVault"),
        (policy.replace("false", "true"), "The device mac-1 failed to apply the policy FileVault"),
        (policy.replace("false", "true").replace("failed", "Success"), "The device mac-1 applied the policy FileVault"),
        (policy.replace("false", "null").replace("failed", "pending"), "The device mac-1 told the state of the policy FileVault: pending"),
        (command(""), "The device d1 answered the MDM command EraseDevice"),
        (
            command(r#","status":"Acknowledged","initiated_by":{"email":"root@x.io"}"#),
            "The device d1 answered the MDM command EraseDevice: Acknowledged, sent by root@x.io",
        ),
        (run(r#","name":"Offboard""#), "The workflow Offboard ran: FAILED"),
        (run(""), "The workflow b1 ran: FAILED"),
        (saas(""), "jo@x.io signed in to the SaaS application ChatGPT"),
        (saas(r#","initiated_by":{"type":"system"}"#), "jo@x.io signed in to the SaaS application ChatGPT"),
        (
            saas(r#","initiated_by":{"type":"user","username":"jo"}"#),
            "jo signed in to the SaaS application ChatGPT as jo@x.io",
        ),
        (provision.to_owned(), "JumpCloud created jo in an external application: AWS prod"),
        (
            r#"{"event_type":"user_lockout","success":false,"resource":{"username":"jo"}}"#.to_owned(),
            "jo was locked out",
        ),
        (
            r#"{"event_type":"user_lockout","initiated_by":{"type":"user","username":"jo"},"resource":{"type":"user","username":"jo"}}"#.to_owned(),
            "jo was locked out",
        ),
        (
            r#"{"event_type":"user_update","initiated_by":{"type":"admin","email":"a@x.io"},"resource":{"type":"user","username":"jo"},"changes":[{"field":"mfa.exclusion","from":false,"to":true},{"field":"mfa.exclusionUntil","to":"2026-05-31"}]}"#.to_owned(),
            "a@x.io exempted jo from MFA: mfa.exclusionUntil: \"2026-05-31\"",
        ),
        (
            r#"{"event_type":"admin_delete","initiated_by":{"type":"admin","email":"a@x.io"},"resource":{"type":"admin","email":"a@x.io"}}"#.to_owned(),
            "a@x.io deleted their own account",
        ),
        (
            r#"{"event_type":"association_change","initiated_by":{"type":"user","username":"jo"},"association":{"op":"ADD","connection":{"from":{"type":"user_group","name":"Ops"},"to":{"type":"user","name":"jo"}}}}"#.to_owned(),
            "jo added themselves to the group Ops",
        ),
    ] {
        let json = Json::parse(&text).unwrap();
        let event = Event::part(&json);
        assert_eq!(of(&event).to_string(), want, "{text}");
        assert_eq!(of_fields(&event).to_string(), want, "{text}");
    }
}

#[test]
fn a_changed_password_is_said_once() {
    let text = r#"{"event_type":"user_password_change","initiated_by":{"type":"user","username":"jo"},"changes":[{"field":"password"}]}"#;
    assert_eq!(said(text), "jo changed their own password");
}

/// Of changes that are too long to be kept the names are.
#[test]
fn shorter_where_changes_are_long() {
    let text = base(
        "admin-action",
        &serde_json::json!({"event_type": "command_update", "resource": {"type": "command", "id": "c1", "name": "fix"},
        "changes": [{"field": "command", "from": "", "to": "x".repeat(5000)}, {"field": "name", "to": "fix"}]}),
    );
    let json = Json::parse(&text).unwrap();
    assert_eq!(
        of_fields(&Event::part(&json)).to_string(),
        "root@example.com changed the command fix from 198.51.100.10 (FR) with Chrome on Mac OS X: command; name: \"fix\""
    );
}

fn undone(event: &Event<'_>) -> Option<String> {
    let effects = effects(event, &|party| party.shown().map(str::to_owned));
    undo(event, &effects).map(|undo| undo.to_string())
}

#[test]
fn changes_are_undone() {
    let told = |with: serde_json::Value| {
        let text = base("admin-action", &with);
        let json = Json::parse(&text).unwrap();
        undone(&Event::part(&json))
    };
    let user = serde_json::json!({"type": "user", "username": "jo"});
    for (with, want) in [
        (serde_json::json!({"event_type": "user_suspended", "resource": user}), Some("Unsuspend jo.")),
        (serde_json::json!({"event_type": "user_suspended", "resource": user, "success": false}), None),
        (
            serde_json::json!({"event_type": "user_update", "resource": user,
                "changes": [{"field": "suspended", "from": false, "to": true}]}),
            Some("Set back on jo: suspended to false."),
        ),
        (
            serde_json::json!({"event_type": "organization_update", "resource": {"type": "organization", "name": "ACME"},
                "changes": [{"field": "settings", "from": {"requireAdminMFA": true, "x": 1}, "to": {"requireAdminMFA": false, "x": 1}}]}),
            Some("Set back on ACME: settings.requireAdminMFA to true."),
        ),
        (
            serde_json::json!({"event_type": "user_update", "resource": user, "changes": [
                {"field": "mfa.exclusionUntil", "to": "2027-01-01T00:00:00Z"}, {"field": "password"}]}),
            Some("Set back on jo: mfa.exclusionUntil to nothing. Reset jo's password, and end the sessions."),
        ),
        (
            serde_json::json!({"event_type": "passwordmanager_sharedfolders_policy_update"}),
            Some("Set it back: the log does not say what it was before."),
        ),
        (serde_json::json!({"event_type": "mdm_command_result", "request_type": "ProfileList"}), None),
        (
            serde_json::json!({"event_type": "mdm_command_result", "request_type": "EraseDevice"}),
            Some("A device command cannot be undone: see whether the device is still there, and enrol it again."),
        ),
        (
            serde_json::json!({"event_type": "user_update", "resource": user, "changes": [
                {"field": "mfa", "from": {"configured": true, "exclusion": false, "until": {"a": "b"}},
                    "to": {"configured": false, "exclusion": false}},
                {"field": "tags", "from": ["a"], "to": ["b"]}]}),
            Some("Set back on jo: mfa.configured to true, mfa.until.a to \"b\", tags."),
        ),
        (
            serde_json::json!({"event_type": "policy_create", "resource": {"type": "policy", "name": "Disk"}}),
            Some("Delete the policy Disk."),
        ),
        (
            serde_json::json!({"event_type": "integration_domain_add", "resource": {"type": "domain", "name": "sso.example"}}),
            Some("Remove the domain again: sso.example, and see who signed in by it."),
        ),
        (
            serde_json::json!({"event_type": "software_add_request", "application": {"name": "AnyDesk"}}),
            Some("Remove the software again: AnyDesk, and see where it ran."),
        ),
        (
            serde_json::json!({"event_type": "passwordmanager_local_backup_create"}),
            Some("What the backup holds is out: change the passwords in it."),
        ),
        (
            serde_json::json!({"event_type": "passwordmanager_folder_member_add", "resource": {"type": "folder", "name": "Finance"}}),
            Some("Take the member out of the folder of passwords Finance again, and change the passwords in it."),
        ),
        (
            serde_json::json!({"event_type": "passwordmanager_item_reveal", "resource": {"type": "item", "name": "root"}}),
            Some("Whoever saw the password root knows it: change it."),
        ),
        (
            serde_json::json!({"event_type": "remote_session_start", "system": {"id": "s1", "hostname": "cfo-laptop"}}),
            Some("What was done in it stays: look at the device cfo-laptop, and isolate it if nobody asked for help."),
        ),
        (serde_json::json!({"event_type": "report_run"}), None),
        (serde_json::json!({"event_type": "foo_create"}), None),
    ] {
        assert_eq!(told(with.clone()).as_deref(), want, "{with}");
    }
}

/// Of very many members the first are named and the rest counted, under a name that is cut. How long that takes is not
/// measured here.
#[test]
fn of_an_object_of_many_members_a_few_are_set_back_by_name() {
    let members = |value: u8| (0..40_000).map(|n| (format!("k{n}"), value.into())).collect::<serde_json::Map<_, _>>();
    let field = "f".repeat(100_000);
    let with = serde_json::json!({"event_type": "user_update", "resource": {"type": "user", "username": "jo"},
        "changes": [{"field": field, "from": members(1), "to": members(2)}]});
    let text = base("admin-action", &with);
    let one = format!("{}… to 1", &field[..59]);
    let want = format!("Set back on jo: {one}, {one}, {one} and 39997 more.");
    assert_eq!(undone(&Event::part(&Json::parse(&text).unwrap())), Some(want));
}

/// Whatever stands in a record, there is a sentence.
#[test]
fn nonsense_has_a_sentence() {
    for text in [
        r#"{"event_type":"{a user}[","resource":{"name":"{x}[y]"}}"#,
        r#"{"event_type":"user_update","changes":[[],{"field":"mfa","from":[1],"to":{"a":[{}]}}]}"#,
        r#"{"event_type":"sso_auth","application":{"display_label":"{whose}[a]"},"sso_token_success":true}"#,
        r#"{"event_type":"association_change","association":{"op":7,"connection":{"from":{"name":"a"},"to":{"name":"b"}}}}"#,
        r#"{"event_type":"user_create","resource":{"username":"]}{["}}"#,
    ] {
        assert!(!said(text).is_empty(), "{text}");
    }
}
