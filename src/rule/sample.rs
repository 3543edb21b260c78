//! Sample: rule files that say as little as they can, for unit tests.

/// A rule that looks for events of the type that it is called like.
pub(super) fn detection(name: &str) -> String {
    format!(
        "title: {name}\nname: {name}\nlogsource: {{product: jumpcloud}}\ndetection: {{a: {{event_type: {name}}}, condition: a}}\n"
    )
}

/// A rule that counts two matches of others in an hour.
pub(super) fn count(name: &str, of: &str) -> String {
    format!(
        "title: {name}\nname: {name}\ncorrelation: {{type: event_count, rules: [{of}], timespan: 1h, condition: {{gte: 2}}}}\n"
    )
}
