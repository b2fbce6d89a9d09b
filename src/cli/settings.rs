//! Every setting as a flag.

use std::collections::HashMap;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::SETTINGS;

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
