//! The committed schema is the one that is served.

use crate::app::repository;

#[test]
fn the_committed_schema_is_current() {
    let committed = std::fs::read_to_string(repository("schema.graphql")).unwrap_or_default();
    assert!(committed == sentio::graphql::sdl(), "schema.graphql is out of date: call `make schema`");
}

#[test]
fn everything_in_the_schema_has_a_description() {
    let sdl = sentio::graphql::sdl();
    let lines: Vec<_> = sdl.lines().collect();
    let mut undescribed = Vec::new();
    for (number, line) in lines.iter().enumerate().skip(1) {
        let defines = ["type ", "input ", "enum ", "interface ", "scalar ", "union "];
        let is_definition = defines.iter().any(|keyword| line.starts_with(keyword));
        let is_member = line.starts_with('\t')
            && !line.starts_with("\tquery:")
            && !line.starts_with("\tmutation:")
            && !line.starts_with("\tsubscription:")
            && !line.trim_start().starts_with(['"', ')'])
            && !line.trim().is_empty();
        let described = lines[number - 1].trim_end().ends_with("\"\"\"");
        if (is_definition || is_member) && !described && is_code(&lines, number) {
            undescribed.push(line.trim());
        }
    }
    assert!(undescribed.is_empty(), "no description on {undescribed:#?}");
}

/// Whether a line lies outside block strings.
fn is_code(lines: &[&str], number: usize) -> bool {
    lines[..number].iter().filter(|line| line.trim() == "\"\"\"").count() % 2 == 0
}
