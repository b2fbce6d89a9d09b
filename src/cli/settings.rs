//! Every setting as a flag.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::SETTINGS;

/// The flag of a setting that stands twice among the program's arguments, before and after the command: clap would take the last.
pub fn given_twice(arguments: impl Iterator<Item = OsString>) -> Option<&'static str> {
    let mut seen = HashSet::new();
    let arguments = arguments.skip(1).take_while(|argument| argument != "--");
    let flags = arguments.filter_map(|argument| {
        let name = argument.to_str()?.strip_prefix("--")?.split('=').next()?;
        SETTINGS.iter().map(|setting| setting.flag).find(|flag| *flag == name)
    });
    flags.into_iter().find(|flag| !seen.insert(*flag))
}

/// The settings given as flags, by name.
#[derive(Clone, Debug)]
pub struct SettingFlags(HashMap<&'static str, String>);

impl SettingFlags {
    pub fn into_values(self) -> HashMap<&'static str, String> {
        self.0
    }
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Settings (also from the environment and .env)");
        let flags = SETTINGS.iter().map(|setting| {
            let default = if setting.default.is_empty() || setting.default.contains('[') {
                String::new()
            } else {
                format!(" [default: {}]", setting.default)
            };
            Arg::new(setting.name)
                .long(setting.flag)
                .value_name(setting.value_name)
                .help(format!("{}{default} [env: {}]", setting.help, setting.name))
                .global(true)
                .hide_short_help(true)
                .allow_hyphen_values(true)
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name| matches.get_one::<String>(name).cloned();
        Ok(Self(SETTINGS.iter().filter_map(|setting| Some((setting.name, given(setting.name)?))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_on_both_sides_of_the_command_is_found() {
        let twice = |arguments: &str| given_twice(arguments.split(' ').map(OsString::from));
        assert_eq!(twice("sentio --port 1 serve --port 2"), Some("port"));
        assert_eq!(twice("sentio --port=1 serve --port=1"), Some("port"));
        assert_eq!(twice("sentio --port 1 serve --host ::1 --no-worker"), None);
        assert_eq!(twice("sentio export -- --port --port"), None);
    }
}
