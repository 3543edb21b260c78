//! Compare: a line of `where`, `b.source.country != a.source.country`.

use super::detection::{Fault, Warnings, fault, field};
use super::logic::{How, Right, Where};
use super::number::Number;
use super::pattern::{Glob, Order, Pattern};
use super::vocabulary;
use crate::event::field::{Field, Named, Norm};
use crate::event::nearest::meant;
use crate::event::{catalogue, letters};

/// Names of agents are compared by their letters, all else as it is written, so that the two are hardly ever alike.
pub(super) fn check_letters(fields: &[&Field], near: &str, warnings: &mut Warnings) {
    let (names, others): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| field.is_letters_only());
    if let ([name, ..], [other, ..]) = (names.as_slice(), others.as_slice()) {
        let (name, other) = (name.name(), other.name());
        let message =
            format!("{name} is compared by its letters and digits, {other} is not: name {name} on both sides");
        warnings.push(fault(near, message));
    }
}

/// The operators, and how they compare.
const OPERATORS: &[(&str, How)] = &[
    ("==", How::Equal(true)),
    ("!=", How::Equal(false)),
    ("<", How::Order(Order::Less)),
    ("<=", How::Order(Order::LessEqual)),
    (">", How::Order(Order::Greater)),
    (">=", How::Order(Order::GreaterEqual)),
];

/// What a right side that names no step and field is.
struct Literal<'t> {
    text: &'t str,
    is_quoted: bool,
}

impl Literal<'_> {
    /// A text in quotes, or one without spaces.
    fn of(text: &str) -> Option<Literal<'_>> {
        let within = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
        match within('"').or_else(|| within('\'')) {
            Some(text) => Some(Literal { text, is_quoted: true }),
            None if text.is_empty() || text.contains(char::is_whitespace) => None,
            None => Some(Literal { text, is_quoted: false }),
        }
    }
}

/// Compiles a line of `where`. `names` are the steps.
pub(super) fn compare(text: &str, names: &[String], warnings: &mut Warnings) -> Result<Where, Fault> {
    let wrong = |why: &str| fault(text, format!("`where` {text:?}: {why}"));
    let parts = || {
        let (left, rest) = text.trim().split_once(char::is_whitespace)?;
        let (operator, right) = rest.trim_start().split_once(char::is_whitespace)?;
        Some((left, operator, Literal::of(right.trim())?))
    };
    let (left, operator, right) =
        parts().ok_or_else(|| wrong("write it as `b.field != a.field`, and a text with spaces in quotes"))?;
    let (_, how) =
        OPERATORS.iter().find(|(known, _)| *known == operator).ok_or_else(|| wrong("compare with == != < <= > >="))?;
    let mut side = |side: &str| -> Result<Option<(usize, Field)>, Fault> {
        let Some((step, path)) = side.split_once('.') else { return Ok(None) };
        let Some(step) = names.iter().position(|n| n == step) else { return Ok(None) };
        Ok(Some((step, field(path, warnings)?)))
    };
    let left = side(left)?.ok_or_else(|| wrong("the left side is a step and a field"))?;
    let other = if right.is_quoted { None } else { side(right.text)? };
    let right = if let Some((step, field)) = other {
        Right::Field(step, field)
    } else {
        check_name(text, &right, warnings)?;
        literal(text, &left.1, *how, right.text, warnings)?
    };
    if let Right::Field(_, right) = &right {
        check_letters(&[&left.1, right], text, warnings);
        if matches!(how, How::Equal(_)) {
            vocabulary::check_both([&left.1, right], text, warnings);
        }
    }
    Ok(Where { left, how: *how, right })
}

/// A text that looks like a field is one of a step that there is not.
fn check_name(text: &str, right: &Literal<'_>, warnings: &mut Warnings) -> Result<(), Fault> {
    if right.is_quoted {
        return Ok(());
    }
    if right.text.eq_ignore_ascii_case("null") {
        return Err(fault(
            text,
            format!("`where` {text:?}: a field that says nothing is like no other, not even null"),
        ));
    }
    if right.text.contains('*') {
        let message = format!("`where` {text:?}: `*` is itself here and stands for nothing else; write it in quotes");
        warnings.push(fault(text, message));
    }
    let Some((step, path)) = right.text.split_once('.') else { return Ok(()) };
    let remedy = "a text that looks like this stands in quotes";
    let wrong = |why: String| fault(text, format!("`where` {text:?}: {why}; {remedy}"));
    if matches!(Field::named(path), Named::Known(_) | Named::Unverified(_)) {
        return Err(wrong(format!("`{step}` is not a step")));
    }
    if matches!(Field::named(right.text), Named::Known(_)) {
        return Err(wrong(format!("`{}` is of no step: put one in front of it", right.text)));
    }
    if let Named::Unknown(Some(near)) = Field::named(path)
        && path.contains('.')
    {
        warnings.push(wrong(format!("`{step}` is not a step, and `{path}` not a field{}", meant(&near))));
    }
    Ok(())
}

/// A literal as the values of a field are compared with it.
fn literal(text: &str, of: &Field, how: How, literal: &str, warnings: &mut Warnings) -> Result<Right, Fault> {
    let pattern = match how {
        How::Equal(_) => Pattern::Glob(Glob::literally(literal)),
        How::Order(order) => {
            let number = Number::of_rule(literal).map_err(|why| fault(text, format!("`where` {text:?}: {why}")))?;
            Pattern::Order(order, number)
        }
    };
    let is_type = *of == Field::Norm(Norm::EventType);
    let letters = letters::of(literal);
    let compared = match () {
        () if of.is_letters_only() && !letters.is_empty() => letters,
        // Both spellings of a type are one.
        () if is_type => catalogue::canonical(&letters::lower(literal)).to_owned(),
        () => letters::lower(literal),
    };
    let pattern = if is_type { Pattern::Glob(Glob::literally(&compared)) } else { pattern };
    vocabulary::check(of, &[pattern], text, warnings);
    Ok(Right::Literal(compared))
}
