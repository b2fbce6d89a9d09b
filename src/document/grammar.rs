//! Whether a text is an executable document, by the grammar of the specification (2.2 to 2.12).
//!
//! The compiler's parser goes on after faults, to serve editors, and so takes some texts that are none: an argument without a
//! value, a string that begins with a line end. This one builds nothing and stops at the first fault.

use super::tokens::{Kind, NoToken, Token, Tokens};

/// The first fault of a text: what is wrong, and the byte where.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub at: usize,
    pub message: String,
}

/// Definitions of a schema; a document with one is refused by validation.
const SCHEMA_WORDS: [&[u8]; 9] =
    [b"schema", b"scalar", b"type", b"interface", b"union", b"enum", b"input", b"directive", b"extend"];
/// Most bytes of a token that an error repeats.
const QUOTED_MAX_BYTES: usize = 40;

/// Checks `text`; returns it with spaces where the grammar ignores it. Recurses with each bracket, whose nesting callers bound.
pub fn check(text: &str) -> Result<String, SyntaxError> {
    let mut tokens = Tokens::new(text);
    let current = tokens.next().map_err(SyntaxError::from)?;
    let mut grammar = Grammar { tokens, current };
    if grammar.current.kind == Kind::End {
        return Err(grammar.expected("an operation"));
    }
    while grammar.current.kind != Kind::End {
        if !grammar.definition()? {
            return Ok(text.to_owned());
        }
    }
    Ok(grammar.tokens.into_plain())
}

impl From<NoToken> for SyntaxError {
    fn from(NoToken { at, reason }: NoToken) -> Self {
        Self { at, message: format!("Syntax error: {reason}.") }
    }
}

type Parsed<T = ()> = Result<T, SyntaxError>;

struct Grammar<'a> {
    tokens: Tokens<'a>,
    current: Token,
}

impl Grammar<'_> {
    /// `false` for a definition of a schema, which is not looked at.
    fn definition(&mut self) -> Parsed<bool> {
        let described = self.current.kind == Kind::Text;
        if described {
            self.advance()?;
        }
        match self.word() {
            b"query" | b"mutation" | b"subscription" => {
                self.advance()?;
                if self.current.kind == Kind::Name {
                    self.advance()?;
                }
                self.variables()?;
            }
            b"fragment" => {
                self.advance()?;
                if self.word() == b"on" {
                    return Err(self.expected("the name of a fragment"));
                }
                self.name()?;
                if self.word() != b"on" {
                    return Err(self.expected("`on`"));
                }
                self.advance()?;
                self.name()?;
            }
            word if SCHEMA_WORDS.contains(&word) => return Ok(false),
            _ if self.is(b'{') && !described => {
                self.selections()?;
                return Ok(true);
            }
            _ if self.is(b'{') => {
                return Err(self.expected("`query`: only named kinds of operations are described"));
            }
            _ => return Err(self.expected("an operation or a fragment")),
        }
        self.directives(true)?;
        self.selections()?;
        Ok(true)
    }

    fn variables(&mut self) -> Parsed {
        if !self.take(b'(')? {
            return Ok(());
        }
        loop {
            if self.current.kind == Kind::Text {
                self.advance()?;
            }
            self.sign(b'$', "`$` and the name of a variable")?;
            self.name()?;
            self.sign(b':', "`:` and a type")?;
            self.ty()?;
            if self.take(b'=')? {
                self.value(false)?;
            }
            self.directives(false)?;
            if self.take(b')')? {
                return Ok(());
            }
        }
    }

    fn ty(&mut self) -> Parsed {
        if self.take(b'[')? {
            self.ty()?;
            self.sign(b']', "`]`")?;
        } else if self.current.kind == Kind::Name {
            self.advance()?;
        } else {
            return Err(self.expected("a type"));
        }
        self.take(b'!').map(|_| ())
    }

    fn selections(&mut self) -> Parsed {
        self.sign(b'{', "`{` and a selection")?;
        loop {
            self.selection()?;
            if self.take(b'}')? {
                return Ok(());
            }
        }
    }

    fn selection(&mut self) -> Parsed {
        if self.current.kind == Kind::Spread {
            self.advance()?;
            if self.current.kind == Kind::Name && self.word() != b"on" {
                self.advance()?;
                return self.directives(true);
            }
            if self.word() == b"on" {
                self.advance()?;
                self.name()?;
            }
            self.directives(true)?;
            return self.selections();
        }
        if self.current.kind != Kind::Name {
            return Err(self.expected("a field, a fragment or `}`"));
        }
        self.advance()?;
        if self.take(b':')? {
            self.name()?;
        }
        self.arguments(true)?;
        self.directives(true)?;
        if self.is(b'{') { self.selections() } else { Ok(()) }
    }

    fn arguments(&mut self, variables: bool) -> Parsed {
        if !self.take(b'(')? {
            return Ok(());
        }
        loop {
            self.entry(variables)?;
            if self.take(b')')? {
                return Ok(());
            }
        }
    }

    /// A name with its value.
    fn entry(&mut self, variables: bool) -> Parsed {
        self.name()?;
        self.sign(b':', "`:` and a value")?;
        self.value(variables)
    }

    fn directives(&mut self, variables: bool) -> Parsed {
        while self.take(b'@')? {
            self.name()?;
            self.arguments(variables)?;
        }
        Ok(())
    }

    fn value(&mut self, variables: bool) -> Parsed {
        match self.current.kind {
            Kind::Int | Kind::Float | Kind::Text | Kind::Name => self.advance(),
            Kind::Sign(b'$') if variables => {
                self.advance()?;
                self.name()
            }
            Kind::Sign(b'$') => Err(self.expected("a value without variables")),
            Kind::Sign(b'[') => {
                self.advance()?;
                while !self.take(b']')? {
                    self.value(variables)?;
                }
                Ok(())
            }
            Kind::Sign(b'{') => {
                self.advance()?;
                while !self.take(b'}')? {
                    self.entry(variables)?;
                }
                Ok(())
            }
            _ => Err(self.expected("a value")),
        }
    }

    fn name(&mut self) -> Parsed {
        if self.current.kind == Kind::Name { self.advance() } else { Err(self.expected("a name")) }
    }

    fn sign(&mut self, sign: u8, what: &str) -> Parsed {
        if self.is(sign) { self.advance() } else { Err(self.expected(what)) }
    }

    /// Takes a sign when it comes next.
    fn take(&mut self, sign: u8) -> Parsed<bool> {
        let comes = self.is(sign);
        if comes {
            self.advance()?;
        }
        Ok(comes)
    }

    fn is(&self, sign: u8) -> bool {
        self.current.kind == Kind::Sign(sign)
    }

    /// The name that comes next; nothing when it is none.
    fn word(&self) -> &[u8] {
        if self.current.kind == Kind::Name { self.tokens.bytes(self.current) } else { b"" }
    }

    fn advance(&mut self) -> Parsed {
        self.current = self.tokens.next()?;
        Ok(())
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let found = match self.current.kind {
            Kind::End => "the end".to_owned(),
            _ => {
                let bytes = self.tokens.bytes(self.current);
                let short = bytes.get(..QUOTED_MAX_BYTES).unwrap_or(bytes);
                format!("`{}`", String::from_utf8_lossy(short))
            }
        };
        SyntaxError {
            at: self.current.start,
            message: format!("Syntax error: expected {what}, found {found}."),
        }
    }
}
