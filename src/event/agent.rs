//! Agent: the program a person or a script used, from `useragent` or `user_agent`.

use super::json::Json;
use super::letters;

fn object<'e>(json: &'e Json<'e>) -> Option<&'e Json<'e>> {
    ["useragent", "user_agent"].iter().find_map(|key| json.said(&[key]))
}

/// The parsed name: `Chrome`, `curl`, `Python Requests`, `Other`.
pub fn name<'e>(json: &'e Json<'e>) -> Option<&'e str> {
    let agent = object(json)?;
    agent.text_at(&["name"]).or_else(|| agent.text())
}

/// The name and, as programs send both, the name with its version (`python-requests/2.31.0`).
pub fn spellings(json: &Json<'_>) -> Vec<String> {
    let Some(name) = name(json) else { return vec![] };
    let version = object(json).and_then(|agent| agent.text_at(&["version"]));
    version.map(|version| format!("{name}/{version}")).into_iter().chain([name.to_owned()]).collect()
}

/// The operating system: `Mac OS X`, `Windows`.
pub fn os<'e>(json: &'e Json<'e>) -> Option<&'e str> {
    let agent = object(json)?;
    agent.text_at(&["os_name"]).or_else(|| agent.text_at(&["os"]))
}

/// `browser`, `script`, `app` or `unknown`.
pub fn kind(json: &Json<'_>) -> Option<&'static str> {
    let name = letters::of(name(json)?);
    let any = |list: &[&str]| list.iter().any(|word| name.contains(word));
    Some(if any(SCRIPTS) {
        "script"
    } else if any(APPS) {
        "app"
    } else if any(BROWSERS) {
        "browser"
    } else {
        "unknown"
    })
}

/// Tools and HTTP libraries. Headless browsers are here: nobody signs in with one by hand.
const SCRIPTS: &[&str] = &[
    "curl",
    "wget",
    "python",
    "aiohttp",
    "httpx",
    "gohttp",
    "okhttp",
    "powershell",
    "postman",
    "insomnia",
    "axios",
    "nodefetch",
    "undici",
    "headless",
    "phantomjs",
    "selenium",
    "puppeteer",
    "playwright",
    "libwww",
    "javahttp",
    "apachehttp",
    "restsharp",
    "ruby",
    "scrapy",
    "httpie",
];
const APPS: &[&str] = &["jumpcloud", "electron", "cfnetwork", "outlook", "slack", "teams"];
const BROWSERS: &[&str] = &[
    "chrome",
    "chromium",
    "firefox",
    "safari",
    "edge",
    "opera",
    "brave",
    "vivaldi",
    "samsung",
    "internetexplorer",
    "mobilesafari",
    "webview",
    "duckduckgo",
    "yandex",
    "arc",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (agent, want) in [
            ("Chrome", "browser"),
            ("Mobile Safari", "browser"),
            ("Python Requests", "script"),
            ("python-requests", "script"),
            ("Go-http-client", "script"),
            ("HeadlessChrome", "script"),
            ("JumpCloud Go", "app"),
            ("Other", "unknown"),
        ] {
            let text = format!(r#"{{"user_agent":{{"name":"{agent}"}}}}"#);
            assert_eq!(kind(&Json::parse(&text).unwrap()), Some(want), "{agent}");
        }
        assert_eq!(kind(&Json::parse("{}").unwrap()), None);
        let second = r#"{"useragent":null,"user_agent":{"name":"curl"}}"#;
        assert_eq!(kind(&Json::parse(second).unwrap()), Some("script"));
    }
}
