//! What filters look at of articles, in columns: one entry in [`FIELDS`] for each.

use std::collections::{HashMap, TryReserveError};

use super::bits::Bits;
use super::slab::Slab;

/// A field that filters look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Category,
    Tags,
    CreatedAt,
    ContentLength,
}

/// What values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any number of texts.
    Texts,
    Integer,
}

/// All fields, in the order of their columns.
pub const FIELDS: [(Field, Kind); 4] = [
    (Field::Category, Kind::Texts),
    (Field::Tags, Kind::Texts),
    (Field::CreatedAt, Kind::Integer),
    (Field::ContentLength, Kind::Integer),
];

/// A value of an article.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Texts(&'a [String]),
    Integer(i64),
}

/// What a filter asks of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// At least one of these texts.
    Any(Vec<String>),
    /// All of these texts.
    All(Vec<String>),
    /// None of these texts.
    None(Vec<String>),
    AtLeast(i64),
    AtMost(i64),
}

/// A part of a filter: articles pass whose field passes the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub field: Field,
    pub test: Test,
}

/// The columns of a segment.
#[derive(Debug)]
pub struct Columns(pub(super) Vec<Column>);

#[derive(Debug)]
pub(super) enum Column {
    Texts(TextColumn),
    Integers(Slab<i64>),
}

/// Texts by number, which are those of the segment alone.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    pub numbers: HashMap<Box<str>, u32>,
    pub texts: Vec<Box<str>>,
    /// Where the texts of each article end among `values`.
    pub ends: Slab<u32>,
    pub values: Slab<u32>,
}

impl Default for Columns {
    fn default() -> Self {
        let column = |(_, kind)| match kind {
            Kind::Texts => Column::Texts(TextColumn::default()),
            Kind::Integer => Column::Integers(Slab::default()),
        };
        Self(FIELDS.into_iter().map(column).collect())
    }
}

impl Columns {
    /// Adds an article, whose values are those of [`FIELDS`]; one of another kind counts as none.
    pub fn push(&mut self, values: [Value<'_>; FIELDS.len()]) {
        for (column, value) in self.0.iter_mut().zip(values) {
            match (column, value) {
                (Column::Texts(column), Value::Texts(texts)) => column.push(texts.iter().map(String::as_str)),
                (Column::Integers(values), Value::Integer(value)) => values.to_mut().push(value),
                (Column::Texts(column), Value::Integer(_)) => column.push(std::iter::empty()),
                (Column::Integers(values), Value::Texts(_)) => values.to_mut().push(0),
            }
        }
    }

    /// Adds an article of other columns.
    pub fn copy(&mut self, from: &Self, place: usize) {
        for (column, from) in self.0.iter_mut().zip(&from.0) {
            // Both are those of the fields.
            if let (Column::Texts(column), Column::Texts(from)) = (&mut *column, from) {
                column.push(from.texts_of(place));
            } else if let (Column::Integers(values), Column::Integers(from)) = (column, from) {
                values.to_mut().push(from[place]);
            }
        }
    }

    /// Brings all of them into memory, from a file.
    pub fn load(&mut self) -> Result<(), TryReserveError> {
        self.0.iter_mut().try_for_each(|column| match column {
            Column::Integers(values) => values.load(),
            Column::Texts(column) => column.ends.load().and_then(|()| column.values.load()),
        })
    }

    /// The bytes of their values.
    pub fn bytes(&self) -> usize {
        let bytes = |column: &Column| match column {
            Column::Integers(values) => values.as_bytes().len(),
            Column::Texts(column) => column.ends.as_bytes().len() + column.values.as_bytes().len(),
        };
        self.0.iter().map(bytes).sum()
    }

    /// The bytes that they take of memory.
    pub fn memory(&self) -> usize {
        let memory = |column: &Column| match column {
            Column::Integers(values) => values.memory(),
            Column::Texts(column) => {
                let texts: usize = column.texts.iter().map(|text| 2 * (text.len() + size_of::<&str>())).sum();
                texts + column.ends.memory() + column.values.memory()
            }
        };
        self.0.iter().map(memory).sum()
    }

    fn column(&self, field: Field) -> &Column {
        let place = FIELDS.iter().position(|(known, _)| *known == field);
        &self.0[place.unwrap_or_default()]
    }

    /// The texts of an article.
    pub fn texts(&self, field: Field, place: usize) -> impl Iterator<Item = &str> {
        match self.column(field) {
            Column::Texts(column) => Some(column.texts_of(place)),
            Column::Integers(_) => None,
        }
        .into_iter()
        .flatten()
    }

    /// The number of an article; 0 in a field of texts.
    pub fn integer(&self, field: Field, place: usize) -> i64 {
        match self.column(field) {
            Column::Integers(values) => values[place],
            Column::Texts(_) => 0,
        }
    }

    /// Takes the articles out of `passing` that do not pass `condition`.
    pub fn keep(&self, condition: &Condition, passing: &mut Bits) {
        match (self.column(condition.field), &condition.test) {
            (Column::Texts(column), Test::Any(texts)) => {
                let wanted = column.flags(texts);
                passing.retain(|place| column.of(place).iter().any(|number| wanted[*number as usize]));
            }
            (Column::Texts(column), Test::None(texts)) => {
                let unwanted = column.flags(texts);
                passing.retain(|place| !column.of(place).iter().any(|number| unwanted[*number as usize]));
            }
            (Column::Texts(column), Test::All(texts)) => {
                let wanted: Option<Vec<_>> =
                    texts.iter().map(|text| column.numbers.get(text.as_str())).collect();
                match wanted {
                    Some(wanted) => {
                        passing.retain(|place| wanted.iter().all(|number| column.of(place).contains(number)))
                    }
                    None => passing.retain(|_| false),
                }
            }
            (Column::Integers(values), Test::AtLeast(least)) => {
                passing.retain(|place| values[place] >= *least)
            }
            (Column::Integers(values), Test::AtMost(most)) => passing.retain(|place| values[place] <= *most),
            // No article passes a test of another kind.
            (Column::Texts(_), Test::AtLeast(_) | Test::AtMost(_))
            | (Column::Integers(_), Test::Any(_) | Test::All(_) | Test::None(_)) => passing.retain(|_| false),
        }
    }
}

impl TextColumn {
    /// Of texts by number.
    pub fn new(texts: Vec<String>, ends: Slab<u32>, values: Slab<u32>) -> Self {
        let texts: Vec<Box<str>> = texts.into_iter().map(String::into_boxed_str).collect();
        let numbers = texts.iter().cloned().zip(0..).collect();
        Self { numbers, texts, ends, values }
    }

    fn push<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        for text in texts {
            let number = match self.numbers.get(text) {
                Some(number) => *number,
                None => {
                    let next = self.texts.len() as u32;
                    self.texts.push(text.into());
                    self.numbers.insert(text.into(), next);
                    next
                }
            };
            self.values.to_mut().push(number);
        }
        let end = self.values.len() as u32;
        self.ends.to_mut().push(end);
    }

    fn of(&self, place: usize) -> &[u32] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[begin as usize..self.ends[place] as usize]
    }

    fn texts_of(&self, place: usize) -> impl Iterator<Item = &str> {
        self.of(place).iter().map(|number| &*self.texts[*number as usize])
    }

    /// Of each number whether it is that of one of `texts`.
    fn flags(&self, texts: &[String]) -> Vec<bool> {
        let mut flags = vec![false; self.texts.len()];
        for number in texts.iter().filter_map(|text| self.numbers.get(text.as_str())) {
            flags[*number as usize] = true;
        }
        flags
    }
}
