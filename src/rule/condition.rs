//! Condition: the grammar of Sigma's `condition`, over the names of the selections.

use super::expr::Expr;
use crate::event::nearest::hint;

/// Parentheses and `not` inside each other.
pub(super) const DEEPEST: usize = 64;

/// Compiles a condition. `select` gives the expression of a selection by its name.
pub fn compile(text: &str, names: &[&str], select: &dyn Fn(&str) -> Expr) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, names, select };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("unexpected {token:?} in the condition: write and, or, or end it there")),
    }
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        match c {
            '(' | ')' => {
                tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                tokens.push(c.to_string());
            }
            c if c.is_whitespace() => tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            '|' => return Err("aggregations behind `|` are not supported: use a correlation".to_owned()),
            c => word.push(c),
        }
    }
    tokens.extend((!word.is_empty()).then_some(word));
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [String],
    at: usize,
    depth: usize,
    names: &'a [&'a str],
    select: &'a dyn Fn(&str) -> Expr,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.and()?];
        while self.next_is("or") {
            parts.push(self.and()?);
        }
        Ok(Expr::any(parts))
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        while self.next_is("and") {
            parts.push(self.not()?);
        }
        Ok(Expr::all(parts))
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("condition has more than {DEEPEST} levels of parentheses and `not`"));
        }
        let expr = self.operand()?;
        self.depth -= 1;
        Ok(expr)
    }

    fn operand(&mut self) -> Result<Expr, String> {
        if self.next_is("not") {
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        if self.next_is("(") {
            let inner = self.or()?;
            return if self.next_is(")") { Ok(inner) } else { Err("condition lacks a closing parenthesis".to_owned()) };
        }
        let token = self.peek().ok_or("condition ends too early")?;
        self.at += 1;
        if self.peek().is_some_and(|next| next.eq_ignore_ascii_case("of")) {
            self.at += 1;
            return self.quantified(token);
        }
        if !self.names.contains(&token) {
            return Err(unknown(token, self.names));
        }
        Ok((self.select)(token))
    }

    /// `1 of x*`, `all of them`.
    fn quantified(&mut self, quantifier: &str) -> Result<Expr, String> {
        let pattern = self.peek().ok_or("condition ends behind `of`")?;
        self.at += 1;
        let is_meant = |name: &str| match pattern.strip_suffix('*') {
            _ if pattern.eq_ignore_ascii_case("them") => !name.starts_with('_'),
            Some(prefix) if !prefix.contains('*') => name.starts_with(prefix),
            _ => super::pattern::Glob::parse(pattern, super::pattern::Side::Whole, true).matches(name),
        };
        let parts: Vec<Expr> = self.names.iter().filter(|n| is_meant(n)).map(|n| (self.select)(n)).collect();
        if parts.is_empty() {
            return Err(unknown(pattern, self.names));
        }
        match quantifier.to_ascii_lowercase().as_str() {
            "1" | "any" => Ok(Expr::any(parts)),
            "all" => Ok(Expr::all(parts)),
            other => Err(format!("`{other} of` is not supported: use `1 of` or `all of`")),
        }
    }
}

fn unknown(name: &str, names: &[&str]) -> String {
    format!("condition names {name:?}, which is not a selection{}", hint(name, names.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::pattern::{Glob, Pattern, Side};

    /// Selections are keywords of their names here.
    fn shape(text: &str) -> Result<String, String> {
        let names = ["sel_a", "sel_b", "filter", "_hidden"];
        let selection = |name: &str| Expr::Keyword(Pattern::Glob(Glob::parse(name, Side::Whole, false)));
        compile(text, &names, &selection).map(|expr| of(&expr))
    }

    fn of(expr: &Expr) -> String {
        let join = |parts: &[Expr], by: &str| parts.iter().map(of).collect::<Vec<_>>().join(by);
        match expr {
            Expr::And(parts) => format!("({})", join(parts, " & ")),
            Expr::Or(parts) => format!("({})", join(parts, " | ")),
            Expr::Not(inner) => format!("!{}", of(inner)),
            Expr::Keyword(Pattern::Glob(name)) => name.literal().unwrap_or("?").to_owned(),
            _ => "?".to_owned(),
        }
    }

    #[test]
    fn grammar() {
        for (text, want) in [
            ("sel_a", "sel_a"),
            ("sel_a and not filter", "(sel_a & !filter)"),
            ("sel_a or sel_b and filter", "(sel_a | (sel_b & filter))"),
            ("(sel_a or sel_b) and filter", "((sel_a | sel_b) & filter)"),
            ("1 of sel_*", "(sel_a | sel_b)"),
            ("all of sel_*", "(sel_a & sel_b)"),
            ("1 of them", "(sel_a | sel_b | filter)"),
            ("all of them and not 1 of filt*", "((sel_a & sel_b & filter) & !filter)"),
            ("NOT (sel_a AND sel_b)", "!(sel_a & sel_b)"),
            ("not not sel_a", "!!sel_a"),
            (&format!("{}sel_a{}", "(".repeat(63), ")".repeat(63)), "sel_a"),
        ] {
            assert_eq!(shape(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn errors_help() {
        for (text, want) in [
            ("sel_c", "did you mean `sel_"),
            ("sel_a and", "ends too early"),
            ("(sel_a", "closing parenthesis"),
            ("sel_a sel_b", "unexpected \"sel_b\" in the condition"),
            ("sel_a | count() > 5", "use a correlation"),
            ("2 of sel_*", "`2 of` is not supported"),
            ("1 of x*", "not a selection"),
            ("", "ends too early"),
            (&format!("{}sel_a{}", "(".repeat(64), ")".repeat(64)), "more than 64 levels"),
            (&"(".repeat(9000), "more than 64 levels"),
            (&"not ".repeat(9000), "more than 64 levels"),
        ] {
            let error = shape(text).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
