//! The text of a document → tokens, by the lexical grammar of the specification (2.1).

/// A token and its place in the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Sign(u8),
    Spread,
    Name,
    Int,
    Float,
    /// A string of either kind.
    Text,
    End,
}

/// Why a text has no next token, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct NoToken {
    pub at: usize,
    pub reason: &'static str,
}

/// Reads tokens one after the other, and copies the text with spaces where it is ignored.
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    plain: Vec<u8>,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, plain: text.as_bytes().to_vec() }
    }

    /// The text of a token.
    pub fn bytes(&self, token: Token) -> &'a [u8] {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The text with commas, comments and byte order marks turned into spaces, as far as it was read.
    pub fn into_plain(self) -> String {
        String::from_utf8(self.plain).unwrap_or_default()
    }

    pub fn next(&mut self) -> Result<Token, NoToken> {
        self.ignore();
        let start = self.at;
        let kind = match self.peek(0) {
            None => Kind::End,
            Some(
                sign @ (b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
                | b'}'),
            ) => {
                self.at += 1;
                Kind::Sign(sign)
            }
            Some(b'.') if self.rest().starts_with(b"...") => {
                self.at += 3;
                Kind::Spread
            }
            Some(b'_' | b'a'..=b'z' | b'A'..=b'Z') => {
                self.skip(continues_name);
                Kind::Name
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'"') if self.rest().starts_with(b"\"\"\"") => self.block()?,
            Some(b'"') => self.string()?,
            Some(_) => return Err(self.none("this character begins nothing")),
        };
        Ok(Token { kind, start, end: self.at })
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn skip(&mut self, part: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&part) {
            self.at += 1;
        }
    }

    fn none(&self, reason: &'static str) -> NoToken {
        NoToken { at: self.at, reason }
    }

    /// White space, line ends, commas, comments, byte order marks.
    fn ignore(&mut self) {
        loop {
            let start = self.at;
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    self.at += 1;
                    continue;
                }
                Some(b',') => self.at += 1,
                Some(b'#') => self.skip(|byte| !matches!(byte, b'\n' | b'\r')),
                Some(0xef) if self.rest().starts_with("\u{feff}".as_bytes()) => self.at += 3,
                _ => return,
            }
            if let Some(ignored) = self.plain.get_mut(start..self.at) {
                ignored.fill(b' ');
            }
        }
    }

    fn number(&mut self) -> Result<Kind, NoToken> {
        let mut kind = Kind::Int;
        self.at += usize::from(self.peek(0) == Some(b'-'));
        match self.peek(0) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek(0) == Some(b'.') {
            kind = Kind::Float;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            kind = Kind::Float;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(0), Some(b'+' | b'-')));
            self.digits()?;
        }
        match self.peek(0) {
            Some(b'0'..=b'9') => Err(self.none("a number has no leading zeros")),
            Some(next) if next == b'.' || continues_name(next) => {
                Err(self.none("a number ends with a digit, and something else follows it"))
            }
            _ => Ok(kind),
        }
    }

    fn digits(&mut self) -> Result<(), NoToken> {
        if !self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.none("a digit is missing here"));
        }
        self.skip(|byte| byte.is_ascii_digit());
        Ok(())
    }

    fn string(&mut self) -> Result<Kind, NoToken> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return Err(self.none("the string does not end on its line")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Kind::Text);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
    }

    fn block(&mut self) -> Result<Kind, NoToken> {
        self.at += 3;
        while !self.rest().is_empty() {
            if self.rest().starts_with(b"\\\"\"\"") {
                self.at += 4;
            } else if self.rest().starts_with(b"\"\"\"") {
                self.at += 3;
                return Ok(Kind::Text);
            } else {
                self.at += 1;
            }
        }
        Err(self.none("the block string does not end"))
    }

    /// An escape sequence; two of `\uXXXX` when they are a surrogate pair.
    fn escape(&mut self) -> Result<(), NoToken> {
        let start = self.at;
        let wrong = |reason| Err(NoToken { at: start, reason });
        match self.peek(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let code = self.code_point();
                match code {
                    Some(0xd800..=0xdbff) if self.peek(0) == Some(b'\\') && self.peek(1) == Some(b'u') => {
                        let fixed = self.peek(2) != Some(b'{');
                        match self.code_point() {
                            Some(0xdc00..=0xdfff) if fixed => Ok(()),
                            _ => wrong("half of a surrogate pair is no character"),
                        }
                    }
                    Some(0xd800..=0xdfff) => wrong("half of a surrogate pair is no character"),
                    Some(code) if char::from_u32(code).is_some() => Ok(()),
                    Some(_) => wrong("there is no such character"),
                    None => wrong("an escape is \\uXXXX or \\u{X…} in hexadecimal digits"),
                }
            }
            _ => wrong("there is no such escape in strings"),
        }
    }

    /// Reads `\uXXXX` or `\u{X…}`.
    fn code_point(&mut self) -> Option<u32> {
        self.at += 2;
        let braces = self.peek(0) == Some(b'{');
        self.at += usize::from(braces);
        let start = self.at;
        while self.at - start < if braces { 8 } else { 4 }
            && self.peek(0).is_some_and(|byte| byte.is_ascii_hexdigit())
        {
            self.at += 1;
        }
        let digits = self.text.get(start..self.at)?;
        let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if braces {
            (self.peek(0) == Some(b'}')).then(|| self.at += 1)?;
            Some(code)
        } else {
            (digits.len() == 4).then_some(code)
        }
    }
}

fn continues_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
