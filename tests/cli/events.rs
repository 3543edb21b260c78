//! Events to scan: a guessed password, and whatever a test wants around it.

use serde_json::{Value, json};

/// A portal sign-in of alice.
pub fn sign_in(number: u32, time: &str, success: bool) -> Value {
    json!({
        "@version": "1",
        "id": format!("{number:024x}"),
        "organization": "5dc058bc3f53f95e3972f03f",
        "service": "directory",
        "event_type": "user_login_attempt",
        "timestamp": time,
        "success": success,
        "mfa": success,
        "provider": null,
        "correlation": {},
        "error_message": if success { Value::Null } else { json!("invalid credentials") },
        "initiated_by": {"id": "5f0000000000000000000001", "type": "user", "username": "alice"},
        "client_ip": "203.0.113.9",
        "geoip": {"country_code": "NL", "region_name": "Noord-Holland", "latitude": 52.37, "longitude": 4.89},
        "useragent": {"name": "Firefox", "os": "Windows", "os_name": "Windows"},
        "auth_context": {"auth_methods": {"password": {"success": success}}},
    })
}

/// Eight failures and a success: one finding of `success-after-bruteforce`.
pub fn guessed_password() -> Vec<Value> {
    let mut events: Vec<Value> = (1..=8).map(|n| sign_in(n, &format!("2026-03-02T09:0{n}:00.{n}Z"), false)).collect();
    events.push(sign_in(9, "2026-03-02T09:10:00.123456789Z", true));
    events
}

/// The same as JSON Lines.
pub fn lines(events: &[Value]) -> String {
    events.iter().map(|event| event.to_string() + "\n").collect()
}
