//! Keyword: a text, or an expression, that is looked for in every text of an event, whatever field it stands in.

use serde_json::Value as Yaml;

use super::detection::{Fault, fault, scalar};
use super::expr::Expr;
use super::form::forms;
use super::modifier::{Modifiers, modifiers};
use super::pattern::{Pattern, Side};
use super::regex::Expression;

/// Compiles one keyword of a list.
pub(super) fn one(name: &str, value: &Yaml) -> Result<Expr, Fault> {
    of_value(name, value, &Modifiers::default())
}

/// Compiles keywords under modifiers alone (`'|all': [x, y]`).
pub(super) fn all(key: &str, words: &[&str], value: &Yaml) -> Result<Expr, Fault> {
    let m = modifiers(key, words)?;
    let is_of_field = m.order.is_some() || m.time.is_some() || m.is_cidr || m.is_exists || m.is_fieldref;
    if is_of_field || m.is_negated {
        return Err(fault(key, format!("`{key}` stands behind no field, and keywords are only looked for")));
    }
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    if list.is_empty() && !m.is_expanded {
        return Err(fault(key, format!("`{key}` has no values")));
    }
    let parts: Vec<Expr> = list.iter().map(|value| of_value(key, value, &m)).collect::<Result<_, _>>()?;
    Ok(if m.is_all && !parts.is_empty() { Expr::all(parts) } else { Expr::any(parts) })
}

fn of_value(name: &str, value: &Yaml, m: &Modifiers) -> Result<Expr, Fault> {
    if matches!(value, Yaml::Null | Yaml::Array(_) | Yaml::Object(_)) {
        return Err(fault(name, format!("keywords of `{name}` have to be text")));
    }
    let text = scalar(name, value)?;
    if let Some(flags) = &m.regex {
        let expression = Expression::new(&text, flags).map_err(|message| fault(name, message))?;
        return Ok(Expr::Keyword(Pattern::Regex(expression)));
    }
    let globs = forms(name, &text, m.side.unwrap_or(Side::Anywhere), m)?;
    Ok(Expr::any(globs.into_iter().map(|glob| Expr::Keyword(Pattern::Glob(glob))).collect()))
}
