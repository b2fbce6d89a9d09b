//! Words of many scripts, as people write and type them.

use proptest::prelude::*;

use super::{Analyzer, Kind, Language, Languages};

fn all(language: &str) -> Analyzer {
    Analyzer::new(Languages::All(Language::named(language)))
}

/// The words of `text`, apart from pieces.
fn words(text: &str) -> Vec<String> {
    let words = all("none").words(text, None);
    words.into_iter().filter(|word| word.kind != Kind::Piece).map(|word| word.text).collect()
}

fn of_kind(text: &str, kind: Kind) -> Vec<String> {
    let words = all("none").words(text, None);
    words.into_iter().filter(|word| word.kind == kind).map(|word| word.text).collect()
}

/// The parts of `text` that `query` finds.
fn found(language: &str, query: &str, text: &str) -> Vec<String> {
    let analyzer = all(language);
    let highlights = analyzer.highlights(&analyzer.query(query), text);
    highlights.into_iter().map(|highlight| text[highlight].to_owned()).collect()
}

#[test]
fn what_looks_the_same_is_the_same_word() {
    for (one, other) in [
        ("Caf\u{e9}", "CAFE\u{301}"),
        ("cafe", "caf\u{e9}"),
        ("D\u{fc}sseldorf", "Du\u{308}sseldorf"),
        ("ΔΉΜΟΣ", "δήμος"),
        ("ΔΗΜΟΣ", "δήμος"),
        ("Stra\u{df}e", "STRASSE"),
        ("\u{fb01}nance", "finance"),
        ("ＲＵＳＴ ２０２４", "rust 2024"),
        ("ｶﾞｲﾄﾞ", "ガイド"),
        ("зелёный", "зеленый"),
        ("комп'ютер", "комп\u{2019}ютер"),
        ("комп'ютер", "комп\u{2bc}ютер"),
        ("كِتَابٌ", "كتاب"),
        ("\u{feb7}\u{fe98}\u{fe8e}\u{fe8f}", "شتاب"),
        ("أحمد", "احمد"),
        ("שָׁלוֹם", "שלום"),
        ("İstanbul", "istanbul"),
        ("ISPARTA", "ısparta"),
        ("Sil\u{ad}ben\u{ad}tren\u{ad}nung", "Silbentrennung"),
        ("Client\u{200b}Factory", "clientfactory"),
        ("auto\u{2060}mobile", "automobile"),
        ("\u{feff}Bread", "bread"),
        ("Smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
    ] {
        assert_eq!(words(one), words(other), "{one} {other}");
    }
    // Marks that are letters stay.
    for (one, other) in [("мой", "мои"), ("सत्य", "सत"), ("ガ", "カ"), ("ก็", "ก"), ("її", "іі")]
    {
        assert_ne!(words(one), words(other), "{one} {other}");
    }
}

#[test]
fn scripts_without_spaces_are_cut_into_words() {
    for (text, expected) in [
        ("我喜欢咖啡", vec!["我", "喜欢", "咖啡"]),
        ("東京は日本の首都", vec!["東京", "は", "日本", "の", "首都"]),
        ("ภาษาไทยง่ายมาก", vec!["ภาษา", "ไทย", "ง่าย", "มาก"]),
        ("वह सत्य बोलता है", vec!["वह", "सत्य", "बोलता", "है"]),
        ("한국어 학교에서", vec!["한국어", "학교에서"]),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
    assert_eq!(of_kind("東京都", Kind::Piece), ["東", "東京", "京", "京都", "都"]);
    assert_eq!(of_kind("학교에서", Kind::Piece), ["학교", "교에", "에서"]);
    assert_eq!(of_kind("plain ガイド", Kind::Piece), [""; 0]);
}

#[test]
fn names_are_words_with_their_signs() {
    for (text, names) in [
        ("C++, C# and F#.", vec!["c++", "c#", "f#"]),
        (".NET (.htaccess) end.", vec![".net", ".htaccess"]),
        ("node.js v1.2.3", vec!["node.js", "v1.2.3"]),
        ("ask a.b@c.example", vec!["a.b@c.example"]),
        ("usr/lib/x AT&T", vec!["usr/lib/x", "at&t"]),
        ("low-cost don't e-mail", vec!["lowcost", "dont", "email"]),
        ("foo_bar", vec!["foo_bar"]),
        ("one. Two (three) - four / five", vec![]),
        ("کتاب\u{200c}ها", vec!["کتابها"]),
    ] {
        assert_eq!(of_kind(text, Kind::Name), names, "{text}");
    }
    assert_eq!(of_kind("node.js", Kind::Word), ["node", "js"]);
    assert_eq!(of_kind(&"a/".repeat(20), Kind::Name), [""; 0], "too long for a name");
    assert_eq!(of_kind(&"x".repeat(300), Kind::Word), [""; 0], "too long for a word");
}

#[test]
fn words_are_found_whatever_their_case_accents_and_endings() {
    assert_eq!(found("english", "recipes, the CAFÉ", "A Recipe for the 😀 cafe."), ["Recipe", "cafe"]);
    assert_eq!(found("english", "D\u{fc}sseldorf", "😀 in Du\u{308}sseldorf."), ["Du\u{308}sseldorf"]);
    assert_eq!(found("none", "recipes", "A recipe of recipes"), ["recipes"]);
    assert_eq!(found("german", "Haus", "Viele Häuser"), ["Häuser"]);
    assert_eq!(found("english", "the", "the end"), ["the"], "the query has no other word");
    assert_eq!(found("none", "c++", "in C++ or C"), ["C++", "C"], "as a whole, and by its parts");
    assert_eq!(found("none", "京都", "東京都です"), ["京都"]);
    assert_eq!(found("none", "automobile", "The auto\u{ad}mobile."), ["auto\u{ad}mobile"]);
    assert_eq!(found("none", "सत्य", "क\u{958}लम सत्य और सत्य."), ["सत्य", "सत्य"]);
    for marked in ["q\u{302}\u{345}", "k\u{1ecd}\u{301}"] {
        assert_eq!(found("none", marked, &format!("e\u{301} {marked} w {marked}")), [marked, marked]);
    }
}

#[test]
fn stop_words_are_those_of_the_text() {
    let stops = |language: &str, text: &str| {
        let words = all(language).words(text, Language::named(language));
        words.into_iter().filter(|word| word.is_stop_word).map(|word| word.text).collect::<Vec<_>>()
    };
    assert_eq!(stops("english", "They won't run for the won"), ["they", "wont", "won", "t", "for", "the"]);
    assert_eq!(stops("german", "die Katze und der Hund"), ["die", "und", "der"]);
    assert_eq!(stops("english", "die hard"), [""; 0]);
    assert_eq!(stops("none", "the"), [""; 0]);
}

#[test]
fn languages_are_detected() {
    let detected = |text| Analyzer::new(Languages::Detected).analyze(text).language;
    for (text, language) in [
        ("Die Katze schläft den ganzen Tag auf dem alten Sofa im Wohnzimmer.", "german"),
        ("Le chat dort toute la journée sur le vieux canapé du salon.", "french"),
        ("The cat sleeps all day on the old sofa in the living room.", "english"),
        ("El gato duerme todo el día en el viejo sofá de la sala de estar.", "spanish"),
        ("Кошка спит весь день на старом диване в гостиной.", "russian"),
        ("Η γάτα κοιμάται όλη μέρα στον παλιό καναπέ.", "greek"),
        ("Miso soup", "english"),
        ("Recipe 7", "english"),
    ] {
        assert_eq!(detected(text), Language::named(language), "{text}");
    }
    for text in ["我喜欢咖啡", "ภาษาไทยง่ายมาก", "12 34", ""] {
        assert_eq!(detected(text), None, "{text}");
    }
}

proptest! {
    /// Whatever a text is: its words stand on characters, in order, and what stands in a word's place has its letters.
    #[test]
    fn every_word_stands_where_it_says(text in "[a-cB '’.+#@/_é\u{301}\u{323}\u{ad}\u{200b}\u{200c}ßİΣ東京都カﾞ가각กो\u{fb01}™½😀]{0,24}") {
        let analyzed = all("none").words(&text, None);
        prop_assert!(analyzed.windows(2).all(|pair| pair[0].position <= pair[1].position));
        for word in analyzed {
            prop_assert!(text.is_char_boundary(word.range.start) && text.is_char_boundary(word.range.end));
            prop_assert!(word.range.start < word.range.end, "{:?} in {:?}", word, text);
            if word.kind == Kind::Word {
                let again = of_kind(&text[word.range.clone()], Kind::Word).concat();
                prop_assert_eq!(again, word.text, "in {:?}", text);
            }
        }
    }
}
