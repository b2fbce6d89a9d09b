//! Documents that a stranger sends to keep the server busy: each within 32 KiB, and as expensive as its kind gets there.

/// The documents by what is wrong with them.
pub fn documents() -> Vec<(&'static str, String)> {
    [fragments(), fields(), values(), operations(), texts()].concat()
}

/// Most bytes of a document.
const BYTES_MAX: usize = 32 * 1024;

/// Repeats a part until the document has `BYTES_MAX` bytes with what surrounds the parts.
fn filled(before: &str, part: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = before.to_owned();
    for at in 0.. {
        let part = part(at);
        if text.len() + part.len() + after.len() > BYTES_MAX {
            break;
        }
        text += &part;
    }
    text + after
}

fn fragments() -> Vec<(&'static str, String)> {
    let doubled = |levels: usize, last: &str| {
        let fragment = |at: usize| format!("fragment f{at} on Query{{...f{0} ...f{0}}}", at + 1);
        let all: String = (0..levels).map(fragment).collect();
        format!("{{...f0}}{all}fragment f{levels} on Query{{{last}}}")
    };
    let chain = |length: usize, last: &str| {
        let fragment = |at: usize| format!("fragment f{at} on Query{{...f{}}}", at + 1);
        let all: String = (0..length).map(fragment).collect();
        format!("{{...f0}}{all}fragment f{length} on Query{{{last}}}")
    };
    let all_to_all = |count: usize| {
        let spreads: String = (0..count).map(|at| format!("...f{at} ")).collect();
        let fragments: String =
            (0..count).map(|at| format!("fragment f{at} on Query{{{spreads}}}")).collect();
        format!("{{...f0}}{fragments}")
    };
    let with_fields = |levels: usize| {
        let fragment = |at: usize| {
            let next = at + 1;
            format!(
                "fragment f{at} on Article{{a:similarTo{{article{{...f{next}}}}}b:similarTo{{article{{...f{next}}}}}}}"
            )
        };
        let all: String = (0..levels).map(fragment).collect();
        format!("{{article(id:1){{...f0}}}}{all}fragment f{levels} on Article{{id}}")
    };
    let unused = filled("{__typename}", |at| format!("fragment f{at} on Query{{__typename}}"), "");
    let unknown = filled("{", |at| format!("...f{at} "), "}");
    let conditions = filled("{", |_| "...on Query{__typename}".to_owned(), "}");
    let wrong = filled("{article(id:1){", |_| "...on Query{id}".to_owned(), "}}");
    vec![
        ("fragments doubled 22 times", doubled(22, "__typename")),
        ("fragments doubled 700 times", doubled(700, "__typename")),
        ("a circle of doubled fragments", doubled(22, "...f0")),
        ("a chain of 60 fragments", chain(60, "__typename")),
        ("a chain of 1,000 fragments", chain(1_000, "__typename")),
        ("a circle of 1,000 fragments", chain(1_000, "...f0")),
        ("75 fragments that spread all of each other", all_to_all(75)),
        ("fragments that double fields 20 levels deep", with_fields(20)),
        ("fragments that nobody uses", unused),
        ("spreads of fragments that are missing", unknown),
        ("inline fragments side by side", conditions),
        ("inline fragments that never apply", wrong),
    ]
}

fn fields() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{{{}__typename{}}}", open.repeat(levels), close.repeat(levels))
    };
    let contradicting = filled("{article(id:1){", |at| format!("a:similarTo(k:{at}){{score}}"), "}}");
    let many_names = filled("{article(id:1){", |at| format!("a:f{at} "), "}}");
    let deep_twice = |levels: usize| {
        let open = "similarTo{article{".repeat(levels);
        let part = format!("{open}id{}", "}}".repeat(levels));
        filled("{article(id:1){", |_| part.clone(), "}}")
    };
    let same_through_fragments = filled(
        "{article(id:1){...a ...b}}fragment a on Article{",
        |_| "title id tags ".to_owned(),
        "}fragment b on Article{title id tags}",
    );
    vec![
        ("the same field", filled("{articles{nodes{", |_| "title ".to_owned(), "}}}")),
        ("aliases", filled("{articles{nodes{", |at| format!("a{at}:title "), "}}}")),
        ("root fields", filled("{", |at| format!("a{at}:__typename "), "}")),
        ("unknown fields", filled("{articles{nodes{", |at| format!("unknown{at} "), "}}}")),
        ("fields that contradict each other", contradicting),
        ("different fields under one name", many_names),
        ("deep selections side by side", deep_twice(9)),
        ("the same fields through fragments", same_through_fragments),
        ("inline fragments within each other", deep("...{", "}", 62)),
        ("fields within each other", deep("a{", "}", 62)),
        ("fields without a selection", filled("{", |_| "articles ".to_owned(), "}")),
        ("leaves with a selection", filled("{articles{", |_| "totalCount{a}".to_owned(), "}}")),
        ("the same directive", filled("{__typename ", |_| "@skip(if:false)".to_owned(), "}")),
        ("unknown directives", filled("{__typename ", |at| format!("@d{at} "), "}")),
        (
            "introspection in circles",
            format!("{{__schema{{types{{{}name{}}}}}}}", "fields{type{".repeat(25), "}}".repeat(25)),
        ),
    ]
}

fn values() -> Vec<(&'static str, String)> {
    let ids = filled("{nodes(ids:[", |_| "1 ".to_owned(), "]){id}}");
    let objects = |depth: usize| {
        format!(
            "{{articles(filter:{}{}){{totalCount}}}}",
            "{a:".repeat(depth),
            "1".to_owned() + &"}".repeat(depth)
        )
    };
    let twice = filled("{articles(filter:{", |_| "idsIn:1 ".to_owned(), "}){totalCount}}");
    let unknown = filled("{articles(filter:{", |at| format!("f{at}:1 "), "}){totalCount}}");
    let arguments = filled("{articles(", |at| format!("a{at}:1 "), "){totalCount}}");
    let times = filled("{articles(filter:{", |_| "createdFrom:5 ".to_owned(), "}){totalCount}}");
    let in_many_operations = |operations: usize, inside: &str| {
        let operations: String = (0..operations).map(|at| format!("query a{at}{{...F}}")).collect();
        format!("{operations}fragment F on Query{{{inside}}}")
    };
    let variables: String = (0..1_800).map(|at| format!("$v{at} ")).collect();
    let undefined = in_many_operations(700, &format!("nodes(ids:[{variables}]){{id}}"));
    let ids_of_some = format!("articles(filter:{{idsIn:[{}]}}){{totalCount}}", "1 ".repeat(2_000));
    let merged = in_many_operations(600, &ids_of_some.repeat(2));
    let lists_twice = filled("{", |at| format!("nodes(ids:[{at}]){{id}}"), "}");
    vec![
        ("700 operations with 1,800 undefined variables", undefined),
        ("600 operations with 4,000 values that are merged", merged),
        ("a list of numbers", ids),
        ("brackets", "[".repeat(BYTES_MAX)),
        ("lists within each other", format!("{{nodes(ids:{}1{}){{id}}}}", "[".repeat(60), "]".repeat(60))),
        ("objects within each other", objects(60)),
        ("an input field given again and again", twice),
        ("unknown input fields", unknown),
        ("unknown arguments", arguments),
        ("times that are none", times),
        ("lists that contradict each other", lists_twice),
        ("a long string", filled("{articleByExternalId(externalId:\"", |_| "é".to_owned(), "\"){id}}")),
        (
            "a string of escapes",
            filled("{articleByExternalId(externalId:\"", |_| "\\u0041".to_owned(), "\"){id}}"),
        ),
        (
            "a block string of lines",
            filled("{articleByExternalId(externalId:\"\"\"", |_| " \n".to_owned(), "\"\"\"){id}}"),
        ),
        ("a number of many digits", filled("{node(id:1", |_| "0".to_owned(), "){id}}")),
    ]
}

fn operations() -> Vec<(&'static str, String)> {
    let chain: String = (0..90).map(|at| format!("fragment f{at} on Query{{...f{}}}", at + 1)).collect();
    let chain = format!("{chain}fragment f90 on Query{{__typename}}");
    let flat: String = (0..90).map(|at| format!("...g{at} ")).collect();
    let wide: String = (0..90).map(|at| format!("fragment g{at} on Query{{__typename}}")).collect();
    let wide = format!("fragment f0 on Query{{{flat}}}{wide}");
    let variables = filled("query(", |at| format!("$v{at}:Int "), "){__typename}");
    let used = filled("query($v:Int){", |at| format!("a{at}:articles(first:$v){{totalCount}}"), "}");
    let undefined = filled("{", |at| format!("articles(first:$v{at}){{totalCount}}"), "}");
    let each_its_variables = filled(
        "fragment f on Query{articles(first:$v){totalCount}}",
        |at| format!("query Q{at}($v:Int){{...f}}"),
        "",
    );
    vec![
        (
            "900 operations on a chain of 90 fragments",
            filled(&chain, |at| format!("query Q{at}{{...f0}}"), ""),
        ),
        ("operations that all spread 90 fragments", filled(&wide, |at| format!("query Q{at}{{...f0}}"), "")),
        ("operations", filled("", |at| format!("query Q{at}{{__typename}}"), "")),
        ("operations of one name", filled("", |_| "query Q{__typename}".to_owned(), "")),
        ("operations without a name", filled("", |_| "{__typename}".to_owned(), "")),
        ("variables that nobody uses", variables),
        ("one variable used everywhere", used),
        ("variables that are not defined", undefined),
        ("operations with a variable in a shared fragment", each_its_variables),
        (
            "subscriptions of many fields",
            filled("subscription{", |at| format!("a{at}:indexStatus{{state}}"), "}"),
        ),
    ]
}

fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("white space", filled("{__typename", |_| " ".to_owned(), "}")),
        ("commas", filled("{__typename", |_| ",".to_owned(), "}")),
        ("comments", filled("{__typename", |_| "#\n".to_owned(), "}")),
        ("braces that close", "}".repeat(BYTES_MAX)),
        ("characters that are none", filled("{", |_| "é".to_owned(), "}")),
        ("quotation marks", "\"".repeat(BYTES_MAX)),
        ("a name of 32 KiB", filled("{", |_| "a".to_owned(), "}")),
        ("descriptions", filled("", |_| "\"a\"".to_owned(), "{__typename}")),
        ("definitions of types", filled("", |at| format!("type T{at}{{a:Int}}"), "")),
        ("spreads of nothing", filled("{", |_| "...".to_owned(), "}")),
    ]
}
