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
    let name = name(json)?;
    let (letters, words) = (letters::of(name), letters::words(name));
    let is_one_of = |programs: &Programs| {
        programs.parts.iter().any(|part| letters.contains(part))
            || programs.words.iter().any(|word| words.iter().any(|own| own == word))
    };
    let kinds = [("script", &SCRIPTS), ("app", &APPS), ("browser", &BROWSERS)];
    Some(kinds.into_iter().find(|(_, programs)| is_one_of(programs)).map_or("unknown", |(kind, _)| kind))
}

/// Programs of one kind.
struct Programs {
    /// what their names have in them
    parts: &'static [&'static str],
    /// the same as words of their own, where other words have it in them, as `Search` has `arc`
    words: &'static [&'static str],
}

/// Tools and HTTP libraries. Headless browsers are here: nobody signs in with one by hand.
const SCRIPTS: Programs = Programs {
    parts: &[
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
    ],
    words: &[],
};
const APPS: Programs =
    Programs { parts: &["jumpcloud", "electron", "cfnetwork", "outlook", "slackbot"], words: &["slack", "teams"] };
const BROWSERS: Programs = Programs {
    parts: &[
        "chrome",
        "chromium",
        "firefox",
        "safari",
        "msedge",
        "vivaldi",
        "samsung",
        "internetexplorer",
        "webview",
        "duckduckgo",
        "yandex",
    ],
    words: &["edge", "opera", "brave", "arc"],
};

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
            ("Edge", "browser"),
            ("Edge Mobile", "browser"),
            ("Microsoft Edge", "browser"),
            ("MicrosoftEdge/18", "browser"),
            ("Opera Mini", "browser"),
            ("OperaMobile", "browser"),
            ("Arc", "browser"),
            ("arc/1.2", "browser"),
            ("Microsoft Teams", "app"),
            ("Slack", "app"),
            ("Research Tool", "unknown"),
            ("PetalSearch", "unknown"),
            ("SearchBot", "unknown"),
            ("MonarchBot", "unknown"),
            ("Knowledge Base Sync", "unknown"),
            ("Operator SDK", "unknown"),
            ("Steamship", "unknown"),
        ] {
            let text = format!(r#"{{"user_agent":{{"name":"{agent}"}}}}"#);
            assert_eq!(kind(&Json::parse(&text).unwrap()), Some(want), "{agent}");
        }
        assert_eq!(kind(&Json::parse("{}").unwrap()), None);
        let second = r#"{"useragent":null,"user_agent":{"name":"curl"}}"#;
        assert_eq!(kind(&Json::parse(second).unwrap()), Some("script"));
    }
}
