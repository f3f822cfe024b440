//! An independent tolerant JSON reader. It implements the rules of
//! docs/FACTS.md, cases 41 to 45, and shares no code with the gateway.

/// A JSON value, as far as it can be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool,
    /// A number, as written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// All members in order, repeated names included.
    Object(Vec<(String, Json)>),
    /// A value that is not JSON.
    Lost,
}

/// Deepest container that is read.
const MAX_DEPTH: usize = 100;

/// Reads a document. `None` if its structure is not JSON.
pub fn read(body: &[u8]) -> Option<Json> {
    let mut reader = Reader { rest: body };
    reader.skip_padding(false);
    let value = reader.value(0)?;
    reader.skip_padding(true);
    reader.rest.is_empty().then_some(value)
}

impl Json {
    /// Returns the last member of a name: of repeated names, the last one counts.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.all(name).last()
    }

    /// Returns all members of a name.
    pub fn all<'j>(&'j self, name: &str) -> impl Iterator<Item = &'j Self> {
        let members = if let Self::Object(members) = self { members.as_slice() } else { &[] };
        members.iter().filter(move |(member, _)| member == name).map(|(_, value)| value)
    }

    /// Returns the elements of a list.
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    /// Returns the value with null for lost values, and the last of repeated members.
    pub fn repaired(&self) -> Self {
        match self {
            Self::Lost => Self::Null,
            Self::List(elements) => Self::List(elements.iter().map(Self::repaired).collect()),
            Self::Object(members) => {
                let is_last = |at: usize| !members[at + 1..].iter().any(|(name, _)| *name == members[at].0);
                let last = (0..members.len()).filter(|at| is_last(*at));
                Self::Object(last.map(|at| (members[at].0.clone(), members[at].1.repaired())).collect())
            }
            value => value.clone(),
        }
    }

    /// Returns true if an object within this value repeats a name.
    pub fn repeats_a_name(&self) -> bool {
        match self {
            Self::List(elements) => elements.iter().any(Self::repeats_a_name),
            Self::Object(members) => {
                let repeats = |at: usize| members[..at].iter().any(|(name, _)| *name == members[at].0);
                (0..members.len()).any(repeats) || members.iter().any(|(_, value)| value.repeats_a_name())
            }
            _ => false,
        }
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_space();
        match *self.rest.first()? {
            b'"' => self.string().map(Json::Text),
            b'[' => self.list(depth),
            b'{' => self.object(depth),
            b',' | b':' | b']' | b'}' => None,
            _ => Some(self.word()),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        if depth >= MAX_DEPTH {
            return self.skip_deep();
        }
        self.take(b'[')?;
        let mut elements = Vec::new();
        if self.take(b']').is_some() {
            return Some(Json::List(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if self.take(b',').is_none() {
                return self.take(b']').map(|()| Json::List(elements));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        if depth >= MAX_DEPTH {
            return self.skip_deep();
        }
        self.take(b'{')?;
        let mut members = Vec::new();
        if self.take(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.take(b':')?;
            members.push((name, self.value(depth + 1)?));
            if self.take(b',').is_none() {
                return self.take(b'}').map(|()| Json::Object(members));
            }
        }
    }

    /// Skips a container that is too deep, by its brackets and strings only.
    fn skip_deep(&mut self) -> Option<Json> {
        let mut depth = 0;
        loop {
            match *self.rest.first()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.rest = &self.rest[1..];
            if depth == 0 {
                return Some(Json::Lost);
            }
        }
    }

    fn word(&mut self) -> Json {
        let ends = |byte: &u8| b",:[]{}\" \t\r\n".contains(byte);
        let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        match word {
            b"null" => Json::Null,
            b"true" | b"false" => Json::Bool,
            _ => match std::str::from_utf8(word) {
                Ok(word) if is_number(word) => Json::Number(word.to_owned()),
                _ => Json::Lost,
            },
        }
    }

    fn string(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix(b"\"")?;
        let mut bytes = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(String::from_utf8_lossy(&bytes).into_owned()),
                b'\\' => bytes.extend_from_slice(self.escape()?.encode_utf8(&mut [0; 4]).as_bytes()),
                byte => bytes.push(byte),
            }
        }
    }

    /// Reads an escape sequence after its backslash.
    fn escape(&mut self) -> Option<char> {
        let (kind, rest) = self.rest.split_first()?;
        let plain = match kind {
            b'"' | b'\\' | b'/' => char::from(*kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return Some(self.unicode_escape()),
            // The rest is text.
            _ => return Some(char::REPLACEMENT_CHARACTER),
        };
        self.rest = rest;
        Some(plain)
    }

    fn unicode_escape(&mut self) -> char {
        let unit = |bytes: &[u8]| {
            let digits = std::str::from_utf8(bytes.get(1..5)?).ok()?;
            let is_hex = bytes[0] == b'u' && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
        };
        let Some(first) = unit(self.rest) else { return char::REPLACEMENT_CHARACTER };
        self.rest = &self.rest[5..];
        let second = self.rest.strip_prefix(b"\\").and_then(unit).filter(|second| (0xDC00..0xE000).contains(second));
        let units = match second {
            Some(second) if (0xD800..0xDC00).contains(&first) => {
                self.rest = &self.rest[6..];
                vec![first, second]
            }
            _ => vec![first],
        };
        char::decode_utf16(units).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Skips byte order marks and space, and NUL bytes after the document.
    fn skip_padding(&mut self, allows_nul: bool) {
        loop {
            self.skip_space();
            match self.rest {
                [0xEF, 0xBB, 0xBF, rest @ ..] => self.rest = rest,
                [0, rest @ ..] if allows_nul => self.rest = rest,
                _ => return,
            }
        }
    }
}

/// Returns true for a JSON number that a double can hold.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let mut parts = unsigned.splitn(2, ['e', 'E']);
    let (mantissa, exponent) = (parts.next().unwrap_or_default(), parts.next());
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
        && word.parse::<f64>().is_ok_and(f64::is_finite)
}
