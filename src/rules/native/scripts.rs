//! Commands that Patroni runs, and the scripts behind them.

pub(super) mod callback_expects_master;
pub(super) mod command_cannot_run;
